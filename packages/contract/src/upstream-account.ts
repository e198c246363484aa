// What `apps/auth` seals and `apps/api` opens: the account's own token at the real operator.
import { readEurText } from './money.ts'

/** A token as it goes into a header: shorter ones are no secret, longer ones no token. */
export const UPSTREAM_TOKEN_PATTERN = /^[\x21-\x7e]{12,512}$/

/** No lookup costs a hundred EUR; who types more has mistaken the unit. */
const HLR_PRICE_MAX_MICROS = 100_000_000n

/** What a lookup costs, in micro-EUR, from decimal text in EUR; null for what is no price of one. */
export function readHlrPrice(text: string): bigint | null {
  const micros = readEurText(text)
  return micros === null || micros > HLR_PRICE_MAX_MICROS ? null : micros
}

/**
 * Of which token: the context that it is sealed under, with the key `upstream-token`. A row that was copied to another
 * account, or one of an earlier generation that was put back, does not open.
 */
export function upstreamTokenContext(row: {
  readonly id: string
  readonly accountId: string
  readonly generation: number
}): string {
  return `upstream-token:${row.accountId}:${row.id}:${row.generation}`
}

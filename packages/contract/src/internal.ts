// What `apps/auth` asks of `apps/api` on a listener of its own, which nobody else reaches: a POST each, with the account in
// the body, so that no id stands in an address.
import * as z from 'zod'
import { rateSchema } from './rest.ts'

/** Where each is asked. */
export const INTERNAL_PATHS = {
  checkToken: '/internal/check-token',
  rates: '/internal/rates',
  balance: '/internal/balance',
  cancel: '/internal/cancel',
} as const

const accountId = z.uuid()

/** What the upstream says to a token: it takes it, it refuses it, or it could not be asked. */
export const TOKEN_VERDICTS = ['accepted', 'refused', 'not_asked'] as const
export type TokenVerdict = (typeof TOKEN_VERDICTS)[number]

/** The context of a token on its way to be checked, under the key `upstream-token`: it opens as nothing that is stored. */
export function checkedTokenContext(account: string): string {
  return `upstream-token:check:${account}`
}

/** Bodies of the requests. */
export const internalRequests = {
  /** The token only sealed, in base64url. */
  checkToken: z.strictObject({ accountId, sealedToken: z.string().regex(/^[\w-]{1,2048}$/) }),
  rates: z.strictObject({ accountId }),
  balance: z.strictObject({ accountId }),
  /** A message that waits, by our id. */
  cancel: z.strictObject({ accountId, messageId: z.string().regex(/^\d{1,18}$/) }),
} as const

/** Bodies of the answers. */
export const internalAnswers = {
  checkToken: z.object({ verdict: z.enum(TOKEN_VERDICTS) }),
  rates: z.object({ rates: z.array(rateSchema) }),
  /** Decimal text in EUR; null where the upstream does not tell it. */
  balance: z.object({ balance: z.string().nullable(), currency: z.string() }),
  /** False for a message that does not wait any more. */
  cancel: z.object({ cancelled: z.boolean() }),
} as const

/** What can be asked. */
export type InternalRoute = keyof typeof INTERNAL_PATHS
export type InternalRequest<Route extends InternalRoute> = z.input<(typeof internalRequests)[Route]>
export type InternalAnswer<Route extends InternalRoute> = z.output<(typeof internalAnswers)[Route]>

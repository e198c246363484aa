// The account's own token at the real operator, and what a lookup costs there: the only writer of both. The token goes in
// sealed and comes out nowhere in this service but to be compared with itself.
import { randomUUID } from 'node:crypto'
import { MANUAL_TOKEN_PREFIX } from '@vertexsms/contract/api-token'
import { readHlrPrice, UPSTREAM_TOKEN_PATTERN, upstreamTokenContext } from '@vertexsms/contract/upstream-account'
import type { Database, Prisma } from '@vertexsms/db/client'
import { open, seal } from '@vertexsms/secrets/seal'
import { subkey } from '@vertexsms/secrets/subkey'
import { plainEur } from '../connections/typed-eur.ts'

/** What may be shown of it. */
export interface UpstreamAccount {
  /** The last four characters of the token; null while there is none. */
  readonly lastFour: string | null
  /** When the operator last took the token; null for one that was stored unchecked. */
  readonly checkedAt: Date | null
  readonly changedAt: Date
  readonly hlrPriceMicros: bigint | null
}

/** A token as it was typed or piped: what to store, or what is wrong with it, by the name of its sentence. */
export function readTypedToken(
  typed: string,
): { readonly token: string } | { readonly problem: 'empty' | 'ours' | 'noToken' } {
  const token = typed.trim()
  if (token === '') return { problem: 'empty' }
  if (token.startsWith(MANUAL_TOKEN_PREFIX)) {
    return { problem: 'ours' }
  }
  if (!UPSTREAM_TOKEN_PATTERN.test(token)) {
    return { problem: 'noToken' }
  }
  return { token }
}

/** The price of a lookup as it was typed, in EUR; the empty text takes it away. */
export function readTypedHlrPrice(typed: string): { readonly micros: bigint | null } | { readonly problem: 'price' } {
  if (typed.trim() === '') return { micros: null }
  const plain = plainEur(typed)
  const micros = plain === null ? null : readHlrPrice(plain)
  if (micros === null) {
    return { problem: 'price' }
  }
  return { micros }
}

/** What stands for an account; null where nothing was ever set. */
export async function findUpstreamAccount(
  db: Database | Prisma.TransactionClient,
  accountId: string,
): Promise<UpstreamAccount | null> {
  const select = { lastFour: true, checkedAt: true, changedAt: true, hlrPriceMicros: true }
  return db.upstreamAccount.findUnique({ where: { accountId }, select })
}

/**
 * Seals a token for an account that the transaction holds. Another token than the stored one begins a new generation,
 * which cancels what waits for the one before; the same one again begins none. `checkedAt` is when the operator took it.
 */
export async function setUpstreamToken(
  tx: Prisma.TransactionClient,
  { operatorKey, accountId }: { readonly operatorKey: Uint8Array; readonly accountId: string },
  { token, checkedAt }: { readonly token: string; readonly checkedAt: Date | null },
  now: Date,
): Promise<'set' | 'same'> {
  const key = subkey(operatorKey, 'upstream-token')
  const row = await tx.upstreamAccount.findUnique({ where: { accountId } })
  if (row?.sealedToken && opened(key, row.sealedToken, upstreamTokenContext(row)) === token) {
    if (checkedAt !== null) await tx.upstreamAccount.update({ where: { accountId }, data: { checkedAt } })
    return 'same'
  }
  const bound = { id: row?.id ?? randomUUID(), accountId, generation: (row?.generation ?? 0) + 1 }
  const set = {
    generation: bound.generation,
    sealedToken: seal(key, token, upstreamTokenContext(bound)),
    lastFour: token.slice(-4),
    checkedAt,
    changedAt: now,
  }
  if (row) await tx.upstreamAccount.update({ where: { accountId }, data: set })
  else await tx.upstreamAccount.create({ data: { ...bound, ...set } })
  return 'set'
}

/** Removes the token of an account that the transaction holds, and ends its generation. False where there was none. */
export async function removeUpstreamToken(
  tx: Prisma.TransactionClient,
  accountId: string,
  now: Date,
): Promise<boolean> {
  const removed = await tx.upstreamAccount.updateMany({
    where: { accountId, sealedToken: { not: null } },
    data: { sealedToken: null, lastFour: null, checkedAt: null, generation: { increment: 1 }, changedAt: now },
  })
  return removed.count > 0
}

/** Sets what a lookup costs, for an account that the transaction holds; null for unknown. */
export async function setHlrPrice(
  tx: Prisma.TransactionClient,
  accountId: string,
  hlrPriceMicros: bigint | null,
  now: Date,
): Promise<void> {
  await tx.upstreamAccount.upsert({
    where: { accountId },
    update: { hlrPriceMicros },
    create: { id: randomUUID(), accountId, generation: 0, hlrPriceMicros, changedAt: now },
  })
}

/** Null for what does not open, as under an operator key that is lost: it is simply another token then. */
function opened(key: Uint8Array, sealed: Uint8Array, context: string): string | null {
  try {
    return open(key, sealed, context)
  } catch {
    return null
  }
}

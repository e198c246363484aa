// Tokens made by hand, as their owner makes, renames and replaces them. A token is one row for its whole life, whatever
// its value: what was scheduled under it and what it spent go on. A value that was replaced has a row of its own for the
// overlap, which the database deletes with the token.
import { createHash, randomUUID } from 'node:crypto'
import { lastFourOf, manualToken } from '@vertexsms/contract/api-token'
import type { Permission } from '@vertexsms/contract/permissions'
import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import { liveToken, tokenLives } from '@vertexsms/db/alive'
import type { Database, Prisma } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { accountTransaction, lockSession } from '../accounts/account-lock.ts'
import { createSpender } from '../connections/spenders.ts'
import { MADE_BY_HAND } from '../connections/tokens.ts'
import { SIZES } from '../service-limits.ts'

/** How long the value before goes on when a token is given a new one. */
export const OVERLAP_SECONDS = 3600

/** A token that may be stored. */
export interface NewToken {
  /** Of the form that it was typed into: one form of an account makes one token. */
  readonly form: string
  readonly name: string
  readonly permissions: readonly Permission[]
  readonly ipAllowList: readonly string[]
  /** Null never expires. */
  readonly expiresAt: Date | null
  readonly limits: SpenderLimits
}

/** Who asks: the account, and the session that must still be alive when something is written. */
export interface Asker {
  readonly accountId: string
  readonly sessionId: string
}

/**
 * Stores a new token, made at `now` as its form was read, and returns its value, which exists nowhere else; `made_before`
 * when the same form made it already. `signed_out` when the session that asks has ended since it was read: a token made by
 * hand outlives a reset, so none may slip in behind one.
 */
export async function createManualToken(
  db: Database,
  by: Asker,
  token: NewToken,
  now: Date,
): Promise<{ readonly id: string } & ({ readonly value: string } | { readonly refused: CreateRefusal })> {
  const { accountId } = by
  const id = idOf(accountId, token.form)
  const value = manualToken(newSecret())
  const data = {
    id,
    accountId,
    kind: 'manual' as const,
    name: token.name,
    tokenHash: hashToken(value),
    lastFour: lastFourOf(value),
    permissions: [...token.permissions],
    ipAllowList: [...token.ipAllowList],
    createdAt: now,
    expiresAt: token.expiresAt,
  }
  // Counted and stored while the account is held, so that posts at once cannot all find room for one.
  return accountTransaction(db, async (tx) => {
    if (!(await lockSession(tx, by))) return { id, refused: 'signed_out' }
    // A spender outlives its token: what was made and deleted is not made again by an old form.
    if ((await tx.spender.count({ where: { id } })) > 0) return { id, refused: 'made_before' }
    // What ran out is on no page where its owner could delete it: it takes nobody's place, nor does what ran out while this
    // waited for the account.
    const alive = liveToken(await databaseNow(tx))
    const has = await tx.apiToken.count({ where: { accountId, ...MADE_BY_HAND, ...alive } })
    if (has >= SIZES.manualTokensOfAccount) return { id, refused: 'too_many' }
    await tx.apiToken.create({ data })
    await createSpender(tx, { kind: 'token', id, accountId }, token.limits, now)
    return { id, value }
  })
}

type CreateRefusal = 'too_many' | 'signed_out' | 'made_before'

/** The id of the token that a form of this account makes: whatever the form says it is, no id of anything else. */
function idOf(accountId: string, form: string): string {
  const digest = createHash('sha256').update(`${accountId}:${form}`).digest('hex')
  // A UUID of an own making (RFC 9562 §5.8).
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`]
  return `${parts.join('-')}-${digest.slice(20, 32)}`
}

/** The token and its value as the page that asks showed them: what was replaced since is not replaced again. */
interface Replacing {
  readonly tokenId: string
  /** Null where the page showed none. */
  readonly lastFour: string | null
  /** How long the value before goes on; none at all for 0. */
  readonly overlapSeconds: number
}

/**
 * Gives a token a new value and returns it. The value before is good until the overlap is over, and never longer than it
 * was; one that was replaced earlier ends now. The new one lives as long again as the token was made for. `gone` when
 * there is no such token any more, `made_before` when its value is another one by now.
 */
export async function replaceToken(
  db: Database,
  by: Asker,
  { tokenId, lastFour, overlapSeconds }: Replacing,
): Promise<{ readonly value: string } | { readonly refused: 'gone' | 'signed_out' | 'made_before' }> {
  const { accountId } = by
  const value = manualToken(newSecret())
  return accountTransaction(db, async (tx) => {
    if (!(await lockSession(tx, by))) return { refused: 'signed_out' }
    const [held] = await tx.$queryRaw<{ lastFour: string | null }[]>`
      SELECT last_four AS "lastFour" FROM api_token
      WHERE id = ${tokenId}::uuid AND account_id = ${accountId}::uuid AND kind = 'manual' AND replaced_by IS NULL
        AND ${tokenLives('api_token')}
      FOR UPDATE`
    if (!held) return { refused: 'gone' }
    if (held.lastFour !== lastFour) return { refused: 'made_before' }
    await tx.apiToken.deleteMany({ where: { replacedById: tokenId } })
    const before = await tx.apiToken.findUniqueOrThrow({ where: { id: tokenId } })
    await tx.$executeRaw`
      UPDATE api_token SET token_hash = ${hashToken(value)}, last_four = ${lastFourOf(value)},
        created_at = database_now(), expires_at = database_now() + (expires_at - created_at)
      WHERE id = ${tokenId}::uuid`
    if (overlapSeconds > 0) await keepValue(tx, before, overlapSeconds)
    return { value }
  })
}

async function keepValue(
  tx: Prisma.TransactionClient,
  { id, spenderId, ...value }: Prisma.ApiTokenGetPayload<object>,
  overlapSeconds: number,
): Promise<void> {
  const row = { ...value, id: randomUUID(), spenderId: spenderId ?? id, replacedById: id }
  await tx.apiToken.create({ data: row })
  await tx.$executeRaw`
    UPDATE api_token SET expires_at = least(expires_at, database_now() + ${overlapSeconds}::int * interval '1 second')
    WHERE id = ${row.id}::uuid`
}

/** Gives a token another name. `gone` when there is no such token, `signed_out` when the session that asks has ended. */
export async function renameToken(
  db: Database,
  by: Asker,
  { tokenId, name }: { readonly tokenId: string; readonly name: string },
): Promise<'renamed' | 'gone' | 'signed_out'> {
  return accountTransaction(db, async (tx) => {
    if (!(await lockSession(tx, by))) return 'signed_out'
    const where = { id: tokenId, accountId: by.accountId, ...MADE_BY_HAND }
    return (await tx.apiToken.updateMany({ where, data: { name } })).count === 1 ? 'renamed' : 'gone'
  })
}

import type { ApiTokenKind } from '@vertexsms/contract/api-token'
import { liveToken, tokenLives } from '@vertexsms/db/alive'
import { type Database, type Prisma, Prisma as Sql } from '@vertexsms/db/client'
import { endConnection } from './end.ts'
import { appNamed, NAMED_BY, type NamedApp } from './named-app.ts'
import { endSpenders } from './spenders.ts'
import { isUuid } from './uuid.ts'

/** Tokens made by hand; not the rows of values that were replaced, which are part of their token. */
export const MADE_BY_HAND = { kind: 'manual', replacedById: null } as const satisfies Prisma.ApiTokenWhereInput

/** One row of Settings -> API. */
export interface TokenRow {
  readonly id: string
  readonly kind: ApiTokenKind
  readonly name: string
  /** Whose it is; null for a manual token. */
  readonly app: NamedApp | null
  readonly connectionId: string | null
  readonly permissions: readonly string[]
  readonly ipAllowList: readonly string[]
  readonly createdAt: Date
  readonly lastUsedAt: Date | null
  /** Null never expires. */
  readonly expiresAt: Date | null
  /** Of its value; null where it is not known. */
  readonly lastFour: string | null
  /** What its limits hang on; null stands for its own id, and in a token of a connection for that. */
  readonly spenderId: string | null
  /** The value before, while it is good. */
  readonly replaced: { readonly lastFour: string | null; readonly expiresAt: Date } | null
}

/**
 * The tokens of an account that are alive at `now`, newest first; all of them, or some by their ids. Never a value: only
 * hashes are stored.
 */
export async function listTokens(
  db: Database,
  accountId: string,
  now: Date,
  of: { readonly ids?: readonly string[] } = {},
): Promise<TokenRow[]> {
  const rows = await db.apiToken.findMany({
    where: {
      accountId,
      ...(of.ids && { id: { in: [...of.ids] } }),
      replacedById: null,
      ...liveToken(now),
    },
    omit: { tokenHash: true, accountId: true, replacedById: true },
    include: {
      connection: { select: NAMED_BY },
      replaced: { where: { expiresAt: { gt: now } }, select: { lastFour: true, expiresAt: true } },
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
  })
  return rows.map(({ connection, replaced: [value], ...row }) => ({
    ...row,
    replaced: value?.expiresAt ? { lastFour: value.lastFour, expiresAt: value.expiresAt } : null,
    app: connection && appNamed(connection),
  }))
}

/** Orders in which the database gives tokens made by hand, newest first where they are alike. */
const ORDERS = {
  created: [],
  used: [{ lastUsedAt: { sort: 'desc', nulls: 'last' } }],
  // What never expires comes last.
  expires: [{ expiresAt: { sort: 'asc', nulls: 'last' } }],
} as const satisfies Record<string, Prisma.ApiTokenOrderByWithRelationInput[]>

/**
 * Those made by hand that are alive at `now`, in an order, by what tells them apart; a slice of them where there may be
 * many.
 */
export function manualTokenNames(
  db: Database,
  accountId: string,
  now: Date,
  order: keyof typeof ORDERS,
  slice: { readonly skip?: number; readonly take?: number } = {},
) {
  return db.apiToken.findMany({
    where: { accountId, ...MADE_BY_HAND, ...liveToken(now) },
    select: { id: true, name: true, lastFour: true },
    orderBy: [...ORDERS[order], { createdAt: 'desc' }, { id: 'asc' }],
    ...slice,
  })
}

/** How many there are. */
export function countManualTokens(db: Database, accountId: string, now: Date): Promise<number> {
  return db.apiToken.count({ where: { accountId, ...MADE_BY_HAND, ...liveToken(now) } })
}

/** The ids of the newest tokens of some connections that are alive at `now`, `most` of each kind, and how many each has. */
export async function newestTokens(
  db: Database,
  connectionIds: readonly string[],
  now: Date,
  most: number,
): Promise<{ readonly ids: readonly string[]; readonly counts: ReadonlyMap<string, number> }> {
  const rows = await db.$queryRaw<{ id: string; connectionId: string; count: number }[]>`
    SELECT id::text AS id, connection_id::text AS "connectionId", count
    FROM (
      SELECT t.id, t.connection_id, (count(*) OVER (PARTITION BY t.connection_id))::int AS count,
             row_number() OVER (PARTITION BY t.connection_id, t.kind ORDER BY t.created_at DESC, t.id) AS place
      FROM api_token t
      WHERE t.connection_id = ANY(${[...connectionIds]}::uuid[]) AND ${tokenLives('t', Sql.sql`${now}::timestamptz`)}
    ) numbered
    WHERE place <= ${most}::int`
  return {
    ids: rows.map(({ id }) => id),
    counts: new Map(rows.map(({ connectionId, count }) => [connectionId, count])),
  }
}

/** What a deletion did: nothing was there, a manual token went, or a whole connection ended. */
export type Deletion = 'not_found' | 'token' | 'connection'

/**
 * Deletes one token of an account. A token of a connection takes the whole connection with it: a client that lost only
 * its access token would refresh it back within a second, and nothing would have been revoked. What was scheduled with a
 * token made by hand is cancelled with it, and the value that it had before ends as well. Another account's token is
 * `not_found`.
 */
export async function deleteToken(
  db: Database,
  { accountId, tokenId }: { readonly accountId: string; readonly tokenId: string },
): Promise<Deletion> {
  if (!isUuid(tokenId)) return 'not_found'
  const token = await db.apiToken.findFirst({
    where: { id: tokenId, accountId, replacedById: null },
    select: { connectionId: true },
  })
  if (!token) return 'not_found'
  if (token.connectionId) {
    return (await endConnection(db, token.connectionId, 'deleted')) ? 'connection' : 'not_found'
  }
  // Three statements of one transaction: a send that holds the token is waited for, the end is dated after it, and the
  // last sees what it wrote.
  const [, [deleted]] = await db.$transaction([
    db.$queryRaw`SELECT id::text FROM api_token WHERE id = ${tokenId}::uuid AND account_id = ${accountId}::uuid FOR UPDATE`,
    db.$queryRaw<[{ count: number }]>`
      WITH gone AS (
        DELETE FROM api_token
        WHERE (id = ${tokenId}::uuid OR replaced_by = ${tokenId}::uuid)
          AND account_id = ${accountId}::uuid AND connection_id IS NULL
        RETURNING id, account_id, coalesce(spender_id, id) AS spender_id, name
      ), spenders AS (${endSpenders('token')})
      SELECT count(*)::int AS count FROM gone`,
    db.message.updateMany({
      where: { manualTokenId: tokenId, accountId, status: 'scheduled' },
      data: { status: 'cancelled' },
    }),
  ])
  return deleted.count > 0 ? 'token' : 'not_found'
}

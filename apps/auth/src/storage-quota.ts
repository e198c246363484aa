import type { Database } from '@vertexsms/db/client'
import { Prisma } from '@vertexsms/db/client'
import { mac } from '@vertexsms/secrets/mac'
import { subkey } from '@vertexsms/secrets/subkey'
import { addressGroups } from '@vertexsms/service/address'
import { IS_OPERATORS } from './operator-mark.ts'
import { ROOM } from './service-limits.ts'

// Strangers can make us store things: requests, registrations, copies of documents. Each kind has room for so many rows
// and bytes, shared fairly between the origins that fill it.

/** A kind of stored thing with a limit of its own. */
export type Kind = keyof typeof ROOM

/**
 * Where a kind stands: its table, which of its rows count, the column that says how old one is, and the columns that hold
 * what strangers sent.
 */
const PLACES: Readonly<
  Record<Kind, { table: Prisma.Sql; rows: Prisma.Sql; since: Prisma.Sql; sent: readonly string[] }>
> = {
  interactions: {
    table: Prisma.sql`oidc_artifact`,
    rows: Prisma.sql`kind = 'Interaction'`,
    since: Prisma.sql`expires_at`,
    sent: ['payload'],
  },
  pushedRequests: {
    table: Prisma.sql`oidc_artifact`,
    rows: Prisma.sql`kind = 'PushedAuthorizationRequest'`,
    since: Prisma.sql`expires_at`,
    sent: ['payload'],
  },
  unusedClients: {
    table: Prisma.sql`oidc_client`,
    // Whose origin is known is no operator's, and its payload is not read.
    rows: Prisma.sql`last_used_at IS NULL AND fresh_until IS NULL
      AND (origin IS NOT NULL OR NOT ${IS_OPERATORS})`,
    since: Prisma.sql`created_at`,
    sent: ['payload'],
  },
  unusedDocuments: {
    table: Prisma.sql`oidc_client`,
    rows: Prisma.sql`last_used_at IS NULL AND fresh_until IS NOT NULL`,
    since: Prisma.sql`created_at`,
    sent: ['id', 'payload'],
  },
  passwordRequests: {
    table: Prisma.sql`password_request`,
    rows: Prisma.sql`true`,
    since: Prisma.sql`created_at`,
    sent: ['email'],
  },
  accessRequests: {
    table: Prisma.sql`access_request`,
    rows: Prisma.sql`handled_at IS NULL`,
    since: Prisma.sql`created_at`,
    sent: ['email', 'name', 'company', 'reason'],
  },
}

/** What a row takes besides, in bytes: its header, identifiers of our own making, hashes and times. */
export const ROW_BYTES = 128

/**
 * How large a row of `held` is, as it is stored. Column by column, because the size of a whole row is that of a copy, for
 * which everything that is kept outside of it would be read.
 */
function bytesOf(sent: readonly string[]): Prisma.Sql {
  const columns = sent.map((name) => Prisma.sql`pg_column_size(held.${Prisma.raw(name)})`)
  return Prisma.sql`(${ROW_BYTES}::int + ${Prisma.join(columns, ' + ')})`
}

/** Room is made for a twentieth more than is needed, so that a flood does not make every insert pay for it. */
const KEEP = 0.95

/**
 * Who fills a room, as it is stored beside a row: a keyed hash of the IPv4 address or the IPv6 /48, from which no
 * address can be found. The /48, because the /64s in it cost nothing.
 */
export function originOf(operatorKey: Uint8Array, address: string): string {
  const { narrow, wide } = addressGroups(address)
  return mac(subkey(operatorKey, 'origin'), wide ?? narrow)
    .toString('base64url')
    .slice(0, 22)
}

/**
 * Keeps a kind within its room after something was stored: the row goes first whose origin stored the most bytes after it,
 * and one origin has its own ceiling. So a flood from any number of origins leaves everybody who holds less than they alone,
 * and the newest row of each origin, of whatever size, ranks before the second of any. A row below the average of a full
 * room counts as one: nobody keeps more rows than others by writing less.
 */
export async function keepWithin(
  db: Pick<Database, '$queryRaw' | '$executeRaw'>,
  kind: Kind,
  origin: string | null,
): Promise<void> {
  const { maxRows, maxBytes, maxRowsOfOrigin } = ROOM[kind]
  const { table, rows, since, sent } = PLACES[kind]
  const bytes = bytesOf(sent)
  const averageBytes = Math.floor(maxBytes / maxRows)
  const [held] = await db.$queryRaw<[{ rows: number; bytes: number; own: number }]>`
    SELECT count(*)::int AS rows, coalesce(sum(${bytes}), 0)::float8 AS bytes,
           (count(*) FILTER (WHERE origin IS NOT DISTINCT FROM ${origin}))::int AS own
    FROM ${table} held WHERE ${rows}`
  const full = held.rows > maxRows || held.bytes > maxBytes
  if (!full && held.own <= maxRowsOfOrigin) return
  const room = full
    ? { rows: Math.floor(maxRows * KEEP), bytes: Math.floor(maxBytes * KEEP) }
    : { rows: maxRows, bytes: maxBytes }
  await db.$executeRaw`
    DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM (
        SELECT ctid, own, row_number() OVER fair AS place, sum(bytes) OVER fair AS total FROM (
          SELECT ctid, ${since} AS since, ${bytes} AS bytes, row_number() OVER newest AS own,
                 coalesce(sum(greatest(${bytes}, ${averageBytes}::int))
                   OVER (newest ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS newer
          FROM ${table} held WHERE ${rows}
          WINDOW newest AS (PARTITION BY origin ORDER BY ${since} DESC, ctid)
        ) shares
        WINDOW fair AS (ORDER BY newer, since DESC, ctid)
      ) placed
      WHERE own > ${maxRowsOfOrigin} OR place > ${room.rows} OR total > ${room.bytes}
    ))`
}

import { MONEY_KEPT_MONTHS } from '@vertexsms/contract/limits'
import { connectionLives } from '@vertexsms/db/alive'
import { type Database, Prisma } from '@vertexsms/db/client'
import { deleteEndedCounters, trimCounters } from '@vertexsms/db/counter'
import type { Job } from '@vertexsms/service/jobs'
import { IS_OPERATORS } from '../operator-mark.ts'
import { COUNTERS_MAX, HANDLED_REQUEST_DAYS } from '../service-limits.ts'

/** Nothing is removed before it is this long over: clocks differ, and assertions have a tolerance. */
const GRACE_SECONDS = 60
const BATCH_ROWS = 2000
/** Small rows, and very many of them. */
const USED_TOKENS_BATCH_ROWS = 10_000
const EVERY_MS = 5 * 60_000
const DAY_MS = 86_400_000
/** A client that registered and never connected. */
const UNUSED_CLIENT_DAYS = 7
/** A client since its last use; clients cannot recover from being forgotten, so this is long. */
const USED_CLIENT_DAYS = 365
/** An ended connection is kept for its reason, not for ever. */
const ENDED_CONNECTION_DAYS = 90

/** A request for a new password is answered, or given up, within half a day. */
const DONE_MAIL_DAYS = 1

/** One kind of rows that end: what deletes a batch of them, and how many that were. */
type CleanUp = (db: Database, now: Date) => Promise<number>

const over = (now: Date) => new Date(now.getTime() - GRACE_SECONDS * 1000)
const daysBefore = (now: Date, days: number) => new Date(now.getTime() - days * DAY_MS)
/** By the calendar, as the API counts them: the last day of a month that is too short for this one. */
const moneyKeptSince = (now: Date) => Prisma.sql`${now}::timestamptz - ${MONEY_KEPT_MONTHS}::int * interval '1 month'`

const CLEAN_UPS: Readonly<Record<string, CleanUp>> = {
  artifacts: (db, now) => deleteExpiredArtifacts(db, over(now)),
  tokens: (db, now) => deleteExpiredTokens(db, over(now)),
  // The hash stays as long as the connection, so that a late reuse is still recognised; the answer goes.
  responses: forgetResponses,
  counters: (db, now) => deleteEndedCounters(db, over(now)),
  'counters of a flood': (db) => trimCounters(db, COUNTERS_MAX),
  clients: (db, now) =>
    deleteForgottenClients(db, daysBefore(now, UNUSED_CLIENT_DAYS), daysBefore(now, USED_CLIENT_DAYS)),
  // Before the connections: one that was refreshed for a year has tens of thousands.
  'used refresh tokens': (db, now) => deleteOldUsedTokens(db, daysBefore(now, ENDED_CONNECTION_DAYS)),
  connections: (db, now) => deleteOldConnections(db, daysBefore(now, ENDED_CONNECTION_DAYS)),
  spenders: (db, now) => deleteBatch(db, Prisma.sql`spender`, Prisma.sql`ended_at < ${moneyKeptSince(now)}`),
  'signing keys': async (db, now) =>
    (await db.signingKey.deleteMany({ where: { retiresAt: { lt: over(now) } } })).count,
  sessions: (db, now) => deleteBatch(db, Prisma.sql`session`, expiredAt(over(now))),
  'passkey challenges': (db, now) => deleteBatch(db, Prisma.sql`passkey_challenge`, expiredAt(over(now))),
  'password links': (db, now) => deleteBatch(db, Prisma.sql`password_link`, expiredAt(over(now))),
  'password requests': (db, now) =>
    deleteBatch(
      db,
      Prisma.sql`password_request`,
      Prisma.sql`created_at < ${daysBefore(now, DONE_MAIL_DAYS)}::timestamptz`,
    ),
  notices: (db, now) => deleteBatch(db, Prisma.sql`notice`, Prisma.sql`created_at < ${moneyKeptSince(now)}`),
  'access requests': (db, now) =>
    deleteBatch(
      db,
      Prisma.sql`access_request`,
      Prisma.sql`handled_at < ${daysBefore(now, HANDLED_REQUEST_DAYS)}::timestamptz`,
    ),
}

/**
 * The jobs that remove what is over, one for each kind of rows. Any number of nodes may run them at once: each row goes
 * once, and none is waited for.
 */
export function createCleanUpJobs(db: Database): Job[] {
  return Object.entries(CLEAN_UPS).map(([kind, cleanUp]) => ({
    name: `clean-up of ${kind}`,
    everyMs: EVERY_MS,
    firstAfterMs: EVERY_MS,
    run: async (clock) => cleanUp(db, await clock()),
  }))
}

const expiredAt = (moment: Date) => Prisma.sql`expires_at < ${moment}::timestamptz`

/** Rows of a table, which has an `id`, of which a condition is true. */
function deleteBatch(db: Database, table: Prisma.Sql, isOver: Prisma.Sql): Promise<number> {
  return db.$executeRaw`
    DELETE FROM ${table} WHERE id = ANY (ARRAY(
      SELECT id FROM ${table} WHERE ${isOver} LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED
    ))`
}

function deleteExpiredArtifacts(db: Database, over: Date): Promise<number> {
  return db.$executeRaw`
    DELETE FROM oidc_artifact WHERE (kind, id) IN (
      SELECT kind, id FROM oidc_artifact WHERE expires_at < ${over}::timestamptz
      LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED
    )`
}

/** Issued tokens and replaced values only: an expired manual token stays until its owner deletes it. */
function deleteExpiredTokens(db: Database, over: Date): Promise<number> {
  return db.$executeRaw`
    DELETE FROM api_token WHERE id IN (
      SELECT id FROM api_token WHERE expires_at < ${over}::timestamptz AND (kind <> 'manual' OR replaced_by IS NOT NULL)
      LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED
    )`
}

function forgetResponses(db: Database, now: Date): Promise<number> {
  return db.$executeRaw`
    UPDATE used_refresh_token SET sealed_response = NULL WHERE token_hash = ANY (ARRAY(
      SELECT token_hash FROM used_refresh_token WHERE overlap_ends_at < ${now}::timestamptz AND sealed_response IS NOT NULL
      LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED
    ))`
}

/** When the connection `c` was over; `least` leaves out what is null, as the end of one that ran out. */
const OVER_AT = Prisma.sql`least(c.ended_at, c.expires_at)`

/** A condition: the connection `c` ended or ran out before a moment, and nothing of it opens anything any more. */
const longOver = (before: Date) => Prisma.sql`
  ${OVER_AT} < ${before}::timestamptz AND NOT EXISTS (SELECT FROM api_token t WHERE t.connection_id = c.id)`

function deleteOldUsedTokens(db: Database, before: Date): Promise<number> {
  return db.$executeRaw`
    DELETE FROM used_refresh_token WHERE token_hash = ANY (ARRAY(
      SELECT u.token_hash FROM connection c JOIN used_refresh_token u ON u.connection_id = c.id
      WHERE ${longOver(before)} LIMIT ${USED_TOKENS_BATCH_ROWS} FOR UPDATE OF u SKIP LOCKED
    ))`
}

function deleteForgottenClients(db: Database, neverUsedSince: Date, unusedSince: Date): Promise<number> {
  return db.$executeRaw`
    DELETE FROM oidc_client c
    WHERE NOT ${IS_OPERATORS}
      AND ((c.last_used_at IS NULL AND c.created_at < ${neverUsedSince}::timestamptz)
        OR c.last_used_at < ${unusedSince}::timestamptz)
      AND NOT EXISTS (
        SELECT 1 FROM connection n JOIN api_token t ON t.connection_id = n.id
        WHERE n.client_id = c.id AND ${connectionLives('n')}
      )`
}

/**
 * Connections that ended or ran out long ago, and nothing of which is left. Running out ends no spender, for the person may
 * have approved again; one that nothing goes on with has ended when the last of its connections was over. Whether something
 * goes on is judged by the same long time and not by what is alive now: an approval that is being written at this moment
 * goes on with a connection that is there, whichever side of its end the two of them look at it from.
 */
async function deleteOldConnections(db: Database, before: Date): Promise<number> {
  const [{ gone }] = await db.$queryRaw<[{ gone: number }]>`
    WITH gone AS (
      DELETE FROM connection c WHERE id IN (
        SELECT id FROM connection c
        WHERE ${longOver(before)} AND NOT EXISTS (SELECT FROM used_refresh_token u WHERE u.connection_id = c.id)
        LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED
      ) RETURNING account_id, ${OVER_AT} AS over_at, coalesce(spender_id, id) AS spender_id
    ), last AS (
      SELECT account_id, spender_id, max(over_at) AS over_at FROM gone GROUP BY account_id, spender_id
    ), spenders AS (
      UPDATE spender SET ended_at = last.over_at FROM last
      WHERE spender.id = last.spender_id AND spender.ended_at IS NULL AND NOT EXISTS (
        SELECT FROM connection c WHERE c.account_id = last.account_id
          AND coalesce(c.spender_id, c.id) = last.spender_id AND ${OVER_AT} >= ${before}::timestamptz
      )
    )
    SELECT count(*)::int AS gone FROM gone`
  return gone
}

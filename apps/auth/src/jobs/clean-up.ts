import { MONEY_KEPT_MONTHS } from '@vertexsms/contract/limits'
import { connectionLives } from '@vertexsms/db/alive'
import { type Database, Prisma } from '@vertexsms/db/client'
import { deleteEndedCounters, trimCounters } from '@vertexsms/db/counter'
import type { Job } from '@vertexsms/service/jobs'
import { COUNTERS_MAX, HANDLED_REQUEST_DAYS } from '../service-limits.ts'

/** Nothing is removed before it is this long over: clocks differ, and assertions have a tolerance. */
const GRACE_SECONDS = 60
const BATCH_ROWS = 2000
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
const monthsBefore = (now: Date, months: number) => {
  const before = new Date(now)
  before.setUTCMonth(before.getUTCMonth() - months)
  return before
}
const counted = async (deleted: Promise<{ readonly count: number }>) => (await deleted).count

const CLEAN_UPS: Readonly<Record<string, CleanUp>> = {
  artifacts: (db, now) => deleteExpiredArtifacts(db, over(now)),
  tokens: (db, now) => deleteExpiredTokens(db, over(now)),
  // The hash stays as long as the connection, so that a late reuse is still recognised; the answer goes.
  responses: (db, now) =>
    counted(
      db.usedRefreshToken.updateMany({
        where: { overlapEndsAt: { lt: now }, sealedResponse: { not: null } },
        data: { sealedResponse: null },
      }),
    ),
  counters: (db, now) => deleteEndedCounters(db, over(now)),
  'counters of a flood': (db) => trimCounters(db, COUNTERS_MAX),
  clients: (db, now) =>
    deleteForgottenClients(db, daysBefore(now, UNUSED_CLIENT_DAYS), daysBefore(now, USED_CLIENT_DAYS)),
  connections: (db, now) => deleteOldConnections(db, daysBefore(now, ENDED_CONNECTION_DAYS), now),
  spenders: (db, now) =>
    counted(db.spender.deleteMany({ where: { endedAt: { lt: monthsBefore(now, MONEY_KEPT_MONTHS) } } })),
  'signing keys': (db, now) => counted(db.signingKey.deleteMany({ where: { retiresAt: { lt: over(now) } } })),
  sessions: (db, now) => counted(db.session.deleteMany({ where: { expiresAt: { lt: over(now) } } })),
  'passkey challenges': (db, now) =>
    counted(db.passkeyChallenge.deleteMany({ where: { expiresAt: { lt: over(now) } } })),
  'password links': (db, now) => counted(db.passwordLink.deleteMany({ where: { expiresAt: { lt: over(now) } } })),
  'password requests': (db, now) =>
    counted(db.passwordRequest.deleteMany({ where: { createdAt: { lt: daysBefore(now, DONE_MAIL_DAYS) } } })),
  notices: (db, now) =>
    counted(db.notice.deleteMany({ where: { createdAt: { lt: monthsBefore(now, MONEY_KEPT_MONTHS) } } })),
  'access requests': (db, now) =>
    counted(db.accessRequest.deleteMany({ where: { handledAt: { lt: daysBefore(now, HANDLED_REQUEST_DAYS) } } })),
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

function deleteForgottenClients(db: Database, neverUsedSince: Date, unusedSince: Date): Promise<number> {
  return db.$executeRaw`
    DELETE FROM oidc_client c
    WHERE NOT coalesce((c.payload->>'vertexsms_operator')::boolean, false)
      AND ((c.last_used_at IS NULL AND c.created_at < ${neverUsedSince}::timestamptz)
        OR c.last_used_at < ${unusedSince}::timestamptz)
      AND NOT EXISTS (
        SELECT 1 FROM connection n JOIN api_token t ON t.connection_id = n.id
        WHERE n.client_id = c.id AND ${connectionLives('n')}
      )`
}

/**
 * Connections that ended or ran out long ago, and nothing of which is left. Running out ends no spender, for the person may
 * have approved again; one that nothing goes on with has ended when its connection ran out.
 */
async function deleteOldConnections(db: Database, before: Date, now: Date): Promise<number> {
  const [{ gone }] = await db.$queryRaw<[{ gone: number }]>`
    WITH gone AS (
      DELETE FROM connection WHERE id IN (
        SELECT id FROM connection c
        WHERE (c.ended_at < ${before}::timestamptz OR c.expires_at < ${before}::timestamptz)
          AND NOT EXISTS (SELECT 1 FROM api_token t WHERE t.connection_id = c.id)
        LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED
      ) RETURNING account_id, expires_at, coalesce(spender_id, id) AS spender_id
    ), spenders AS (
      UPDATE spender SET ended_at = gone.expires_at FROM gone
      WHERE spender.id = gone.spender_id AND spender.ended_at IS NULL AND NOT EXISTS (
        SELECT FROM connection o WHERE o.account_id = gone.account_id AND coalesce(o.spender_id, o.id) = gone.spender_id
          AND ${connectionLives('o', Prisma.sql`${now}::timestamptz`)}
      )
    )
    SELECT count(*)::int AS gone FROM gone`
  return gone
}

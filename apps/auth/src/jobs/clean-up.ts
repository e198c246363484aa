import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { ROOM } from '../limits.ts'

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
/** A request for access since an operator handled it. */
const HANDLED_REQUEST_DAYS = 90

/** Rows removed, by kind. */
export interface CleanUpCounts {
  readonly artifacts: number
  readonly tokens: number
  readonly responses: number
  readonly counters: number
  readonly clients: number
  readonly connections: number
  readonly keys: number
  readonly sessions: number
  readonly passkeyChallenges: number
  readonly passwordLinks: number
  readonly accessRequests: number
}

/** Removes what is over at `now`. Any number of nodes may do it at once: each row goes once, and none is waited for. */
export async function cleanUp(db: Database, now: Date): Promise<CleanUpCounts> {
  const over = new Date(now.getTime() - GRACE_SECONDS * 1000)
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS)
  return {
    artifacts: await inBatches(() => deleteExpiredArtifacts(db, over)),
    tokens: await inBatches(() => deleteExpiredTokens(db, over)),
    // The hash stays as long as the connection, so that a late reuse is still recognised; the answer goes.
    responses: (
      await db.usedRefreshToken.updateMany({
        where: { overlapEndsAt: { lt: now }, sealedResponse: { not: null } },
        data: { sealedResponse: null },
      })
    ).count,
    counters:
      (await db.rateCounter.deleteMany({ where: { expiresAt: { lt: over } } })).count + (await trimCounters(db)),
    clients: await deleteForgottenClients(db, daysAgo(UNUSED_CLIENT_DAYS), daysAgo(USED_CLIENT_DAYS)),
    connections: await inBatches(() => deleteOldConnections(db, daysAgo(ENDED_CONNECTION_DAYS))),
    keys: (await db.signingKey.deleteMany({ where: { retiresAt: { lt: over } } })).count,
    sessions: (await db.session.deleteMany({ where: { expiresAt: { lt: over } } })).count,
    passkeyChallenges: (await db.passkeyChallenge.deleteMany({ where: { expiresAt: { lt: over } } })).count,
    accessRequests: (await db.accessRequest.deleteMany({ where: { handledAt: { lt: daysAgo(HANDLED_REQUEST_DAYS) } } }))
      .count,
    passwordLinks: (await db.passwordLink.deleteMany({ where: { expiresAt: { lt: over } } })).count,
  }
}

/** Cleans up now and then until stopped. A failure is reported and the next round tries again. */
export function startCleanUp(deps: { readonly db: Database; readonly onFailure: (error: unknown) => void }): {
  stop(): void
} {
  const timer = setInterval(
    () =>
      void databaseNow(deps.db)
        .then((now) => cleanUp(deps.db, now))
        .catch(deps.onFailure),
    EVERY_MS,
  )
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

async function inBatches(deleteBatch: () => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const deleted = await deleteBatch()
    total += deleted
    if (deleted < BATCH_ROWS) return total
  }
}

/** A flood from very many addresses leaves one counter each: those that counted least go, and limit nobody yet. */
async function trimCounters(db: Database): Promise<number> {
  const { maxRows, maxBytes } = ROOM.counters
  return db.$executeRaw`
    DELETE FROM rate_counter WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM (
        SELECT ctid, row_number() OVER most AS place, sum(pg_column_size(counter.*)) OVER most AS total
        FROM rate_counter counter WHERE (SELECT count(*) FROM rate_counter) > ${maxRows / 2}
        WINDOW most AS (ORDER BY hits DESC, window_at DESC, ctid)
      ) placed WHERE place > ${maxRows} OR total > ${maxBytes}
    ))`
}

function deleteExpiredArtifacts(db: Database, over: Date): Promise<number> {
  return db.$executeRaw`
    DELETE FROM oidc_artifact WHERE (kind, id) IN (
      SELECT kind, id FROM oidc_artifact WHERE expires_at < ${over}::timestamptz
      LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED
    )`
}

/** Issued tokens only: an expired manual token stays on the dashboard until its owner deletes it. */
function deleteExpiredTokens(db: Database, over: Date): Promise<number> {
  return db.$executeRaw`
    DELETE FROM api_token WHERE id IN (
      SELECT id FROM api_token WHERE expires_at < ${over}::timestamptz AND kind <> 'manual'
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
        WHERE n.client_id = c.id AND n.ended_at IS NULL
      )`
}

/** Connections that ended or ran out long ago, and nothing of which is left. */
function deleteOldConnections(db: Database, before: Date): Promise<number> {
  return db.$executeRaw`
    DELETE FROM connection WHERE id IN (
      SELECT id FROM connection c
      WHERE (c.ended_at < ${before}::timestamptz OR c.expires_at < ${before}::timestamptz)
        AND NOT EXISTS (SELECT 1 FROM api_token t WHERE t.connection_id = c.id)
      LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED
    )`
}

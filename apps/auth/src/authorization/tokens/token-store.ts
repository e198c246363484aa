// Every statement about the codes and tokens of a connection, in one file: they must agree on what these look like at rest,
// on what is locked, in which order, and on what is gone afterwards.
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { accessTokenName, refreshTokenName } from '@vertexsms/contract/api-token'
import { parseScopes, permissionsOf } from '@vertexsms/contract/scopes'
import { accountLives, connectionLives, tokenLives } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { Prisma } from '@vertexsms/db/client'
import { directQuery } from '@vertexsms/db/direct-query'
import { isUnreachable, mayHaveRun } from '@vertexsms/db/unreachable'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { open, sealOnce } from '@vertexsms/secrets/seal'
import type { AdapterPayload } from 'oidc-provider'
import { JOIN_SPENDER, LIMIT_COLUMNS, type LimitColumns, limitsInColumns } from '../../connections/limit-columns.ts'
import { inLocalTime, localTime } from './local-times.ts'
import type { EarlierAnswer, GrantSnapshot, SignedAccessToken, UnitOfWork } from './unit-of-work.ts'

/** A code or refresh token as it was found, with the connection it belongs to. */
export interface FoundToken {
  readonly payload: Record<string, unknown>
  readonly consumedAt: Date | null
  readonly grant: GrantSnapshot
}

/** The key of an artifact: base64url sha256 of the value that the client holds. */
export function artifactId(value: string): string {
  return Buffer.from(hashToken(value)).toString('base64url')
}

/**
 * Stores a code of a connection; false when the connection has ended or run out, which waits for an ending under way. The
 * row is found by the hash of the code, which it does not keep.
 */
export async function writeCode(
  db: Database,
  value: string,
  payload: AdapterPayload,
  expiresInSeconds: number,
): Promise<boolean> {
  const { jti: _, grantId, ...stored } = payload
  const written = await db.$executeRaw`
    INSERT INTO oidc_artifact (kind, id, payload, grant_id, account_id, expires_at)
    SELECT 'AuthorizationCode', ${artifactId(value)}, ${JSON.stringify({ ...stored, grantId })}::jsonb, grant_id, account_id,
           ${fromNow(expiresInSeconds)}
    FROM connection WHERE grant_id = ${grantId ?? ''} AND ${connectionLives('connection')} FOR SHARE`
  return written === 1
}

/** Finds a code or refresh token of a connection that has not ended; null when there is none. */
export async function findToken(
  db: Database,
  kind: 'AuthorizationCode' | 'RefreshToken',
  value: string,
): Promise<FoundToken | null> {
  const [row] = await directQuery<FoundRow>(
    db,
    Prisma.sql`
    SELECT a.payload, a.consumed_at, a.expires_at AS artifact_expires_at, ${GRANT_COLUMNS}
    FROM oidc_artifact a
    JOIN connection c ON c.grant_id = a.grant_id
    ${JOIN_LIVE}
    WHERE a.kind = ${kind} AND a.id = ${artifactId(value)}`,
  )
  if (!row) return null
  return { payload: payloadOf(row), consumedAt: row.consumed_at, grant: grantOf(row) }
}

/** The connection of a grant while it and its account are alive; null otherwise. */
export async function findGrant(db: Database, grantId: string): Promise<GrantSnapshot | null> {
  const [row] = await db.$queryRaw<GrantRow[]>`
    SELECT ${GRANT_COLUMNS} FROM connection c ${JOIN_LIVE} WHERE c.grant_id = ${grantId}`
  return row ? grantOf(row) : null
}

/** Keeps what is joined to a connection `c` only while that and its account `o` are alive, and joins its spender `s`. */
export const JOIN_LIVE = Prisma.sql`JOIN account o ON o.id = c.account_id AND ${connectionLives('c')} AND ${accountLives('o')}
    ${JOIN_SPENDER}`

/** What is read of a connection `c` and its spender `s` with every token, and the moment it was read. */
const GRANT_COLUMNS = Prisma.sql`
  c.id::text AS connection_id, c.grant_id, c.account_id::text AS account_id, c.client_id, c.scopes, c.approved_at,
  c.expires_at, database_now() AS now, ${LIMIT_COLUMNS}`

function grantOf(row: GrantRow): GrantSnapshot {
  return {
    connectionId: row.connection_id,
    grantId: row.grant_id,
    accountId: row.account_id,
    clientId: row.client_id,
    scopes: row.scopes,
    approvedAt: localTime(row.approved_at, row.now),
    expiresAt: localTime(row.expires_at, row.now),
    aheadMs: Date.now() - row.now.getTime(),
    limits: limitsInColumns(row),
  }
}

function payloadOf({ payload, artifact_expires_at: expiresAt, now }: PayloadRow & { now: Date }) {
  return inLocalTime(payload, { expiresAt, now })
}

interface PayloadRow {
  payload: Record<string, unknown>
  artifact_expires_at: Date
}

interface FoundRow extends PayloadRow, GrantRow {
  consumed_at: Date | null
}

interface GrantRow extends LimitColumns {
  connection_id: string
  grant_id: string
  account_id: string
  client_id: string
  scopes: string[]
  approved_at: Date
  expires_at: Date
  now: Date
}

/** A refresh token that was rotated away, of a connection that has not ended. */
export interface UsedToken {
  readonly clientId: string
  readonly grant: GrantSnapshot
  /** While the overlap lasts: what the token was exchanged for, and the payload of the one that lives now. */
  readonly overlap: {
    readonly answer: EarlierAnswer
    readonly payload: Record<string, unknown>
    /** False when the refresh token of the answer was rotated away as well by now. */
    readonly isLatest: boolean
  } | null
}

/** Looks a refresh token up among those that were rotated away, however long ago. */
export async function findUsedToken(db: Database, value: string): Promise<UsedToken | null> {
  const [row] = await db.$queryRaw<UsedRow[]>`
    SELECT u.client_id AS used_by, CASE WHEN u.overlap_ends_at > database_now() THEN u.sealed_response END AS sealed,
           a.id AS artifact_id, a.payload, a.expires_at AS artifact_expires_at, ${GRANT_COLUMNS}
    FROM used_refresh_token u
    JOIN connection c ON c.id = u.connection_id
    ${JOIN_LIVE}
    LEFT JOIN oidc_artifact a ON a.grant_id = c.grant_id AND a.kind = 'RefreshToken'
    WHERE u.token_hash = ${hashToken(value)}`
  if (!row) return null
  const { sealed, payload, artifact_expires_at: expiresAt, now } = row
  if (!sealed || !payload || !expiresAt) return { clientId: row.used_by, grant: grantOf(row), overlap: null }
  const answer = JSON.parse(open(overlapKey(value), sealed, OVERLAP_CONTEXT)) as EarlierAnswer
  const isLatest = row.artifact_id === artifactId(answer.refresh_token)
  const overlap = { answer, payload: inLocalTime(payload, { expiresAt, now }), isLatest }
  return { clientId: row.used_by, grant: grantOf(row), overlap }
}

interface UsedRow extends GrantRow {
  used_by: string
  artifact_id: string | null
  sealed: Uint8Array | null
  payload: Record<string, unknown> | null
  artifact_expires_at: Date | null
}

/** Seconds an access token has left, begun ones counted; 0 when it is over or gone. */
export async function secondsLeft(db: Database, jti: string): Promise<number> {
  const [row] = await db.$queryRaw<{ seconds: number }[]>`
    SELECT ceil(extract(epoch FROM expires_at - database_now()))::int AS seconds
    FROM api_token WHERE token_hash = ${hashToken(jti)} AND kind = 'oauth_access'`
  return Math.max(0, row?.seconds ?? 0)
}

/**
 * Records the access token of `work` beside those its connection has, without using anything up. False when the
 * connection has ended. In two statements, so that of several at once each sees the rows of those before it.
 */
export function writeAccessBeside(db: Database, work: UnitOfWork): Promise<boolean> {
  const { grant, access } = work
  if (!grant || !access) throw new Error('a token response without its unit of work')
  return db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT id::text FROM connection WHERE grant_id = ${grant.grantId} FOR NO KEY UPDATE`
    const written = await tx.$executeRaw`
      WITH spent AS (
        SELECT id AS connection_id, account_id FROM connection WHERE grant_id = ${grant.grantId} AND ${connectionLives('connection')}
      ), ${fewerAccessRows({ supersede: false })}
      ${insertAccess(grant, access)}`
    return written === 1
  })
}

/** How a write ended: `written`, `spent` when another request used the code or token first, `ended` when the connection is over. */
export type WriteOutcome = 'written' | 'spent' | 'ended'

/** What a write needs beside its unit of work. */
interface WriteOptions {
  readonly response: string
  readonly overlapSeconds: number
  /**
   * How long the statement is run again after its answer was lost. It must begin in that time: one that a server which stood
   * still comes to later writes nothing.
   */
  readonly againMs: number
}

const AGAIN_PAUSE_MS = 200

/**
 * Writes everything a successful token request did, in one statement: what was presented is used up, the new refresh
 * token and the rows of both tokens stand. Each step takes its rows from the one before, so a lost race writes
 * nothing. A statement whose connection broke is run again until the database says what became of it, for
 * `againMs`, and writes nothing where an earlier try has. Rejects when the database fails or is late, and then
 * nothing was written either, unless it wrote and was away for longer.
 */
export async function writeTokens(db: Database, work: UnitOfWork, options: WriteOptions): Promise<WriteOutcome> {
  const beginsBefore = new Date(Date.now() - (work.grant?.aheadMs ?? 0) + options.againMs)
  let giveUpAt: number | null = null
  for (;;) {
    try {
      const outcome = await writeTokensOnce(db, work, options, beginsBefore)
      if (outcome === 'written' || outcome === 'ended') return outcome
      // Who used it up may have been an earlier try: by now it is over, for this one waited behind it.
      if (giveUpAt !== null && work.access && (await secondsLeft(db, work.access.jti)) > 0) return 'written'
      if (outcome === 'late') throw new Error('a token response that the database came to too late')
      return outcome
    } catch (error) {
      if (giveUpAt === null && mayHaveRun(error)) giveUpAt = performance.now() + options.againMs
      if (giveUpAt === null || !isUnreachable(error) || performance.now() >= giveUpAt) throw error
      // Not all at once, where many wait for the same database.
      await delay(AGAIN_PAUSE_MS * (1 + Math.random()))
    }
  }
}

async function writeTokensOnce(
  db: Database,
  work: UnitOfWork,
  options: WriteOptions,
  beginsBefore: Date,
): Promise<WriteOutcome | 'late'> {
  const { grant, presented, access } = work
  if (!grant || !presented || !access || !work.consumed) throw new Error('a token response without its unit of work')
  const steps = presented.kind === 'RefreshToken' ? refreshSteps(work, grant, options) : codeSteps(work, grant)
  const [counted] = await directQuery<{ late: boolean; live: number; spent: number; access: number }>(
    db,
    Prisma.sql`
    WITH live AS (
      SELECT id, account_id FROM connection WHERE grant_id = ${grant.grantId} AND ${connectionLives('connection')}
        AND database_now() < ${beginsBefore} FOR NO KEY UPDATE
    ), ${steps}, access AS (
      ${insertAccess(grant, access)} RETURNING 1
    ), client AS (
      UPDATE oidc_client SET last_used_at = database_now()
      FROM spent WHERE id = ${grant.clientId} AND last_used_at < database_now() - interval '1 day'
    )
    SELECT database_now() >= ${beginsBefore} AS late, (SELECT count(*) FROM live)::int AS live, (SELECT count(*) FROM spent)::int AS spent,
           (SELECT count(*) FROM access)::int AS access`,
  )
  if (counted === undefined) throw new Error('a statement of one row gave none')
  const { late, live, spent, access: written } = counted
  if (late) return 'late'
  if (live === 0) return 'ended'
  return spent === 1 && written === 1 ? 'written' : 'spent'
}

/** Access tokens of one connection that are alive at once; of more the oldest go. */
const MAX_LIVE_ACCESS_TOKENS = 5
/** How long the access tokens from before a refresh go on: for requests that are under way with them. */
const SUPERSEDED_SECONDS = 60

/** Makes room for one more access token of the connection in `spent`: the oldest and those that are over go. */
function fewerAccessRows({ supersede }: { readonly supersede: boolean }): Prisma.Sql {
  const ends = Prisma.sql`database_now() + ${SUPERSEDED_SECONDS} * interval '1 second'`
  const superseded = Prisma.sql`, superseded AS (
      UPDATE api_token SET expires_at = ${ends} FROM held
      WHERE api_token.id = held.id AND NOT held.goes AND held.expires_at > ${ends}
    )`
  return Prisma.sql`held AS (
      SELECT t.id, t.expires_at, NOT ${tokenLives('t')} OR row_number() OVER (
               PARTITION BY ${tokenLives('t')} ORDER BY t.created_at DESC, t.id
             ) >= ${MAX_LIVE_ACCESS_TOKENS} AS goes
      FROM api_token t JOIN spent ON spent.connection_id = t.connection_id WHERE t.kind = 'oauth_access'
    ), gone AS (
      DELETE FROM api_token USING held WHERE api_token.id = held.id AND held.goes
    )${supersede ? superseded : Prisma.empty}`
}

function insertAccess(grant: GrantSnapshot, access: SignedAccessToken): Prisma.Sql {
  return Prisma.sql`
      INSERT INTO api_token (id, account_id, connection_id, kind, name, token_hash, permissions, ip_allow_list, created_at, expires_at)
      SELECT ${randomUUID()}::uuid, account_id, connection_id, 'oauth_access', ${accessTokenName(grant.connectionId)},
             ${hashToken(access.jti)}, ${permissionsOf(parseScopes(access.scope))}::text[], '{}', database_now(),
             ${fromNow(access.lifetimeSeconds)}
      FROM spent`
}

function fromNow(seconds: number): Prisma.Sql {
  return Prisma.sql`database_now() + ${seconds}::int * interval '1 second'`
}

/** A code is marked used and kept until it expires, so that a replay is recognised (RFC 6749 §4.1.2). */
function codeSteps(work: UnitOfWork, grant: GrantSnapshot): Prisma.Sql {
  const spent = Prisma.sql`spent AS (
      UPDATE oidc_artifact SET consumed_at = database_now() FROM live
      WHERE kind = 'AuthorizationCode' AND oidc_artifact.id = ${work.presented?.id} AND grant_id = ${grant.grantId}
        AND consumed_at IS NULL
      RETURNING live.id AS connection_id, live.account_id AS account_id
    )`
  const { refresh } = work
  if (!refresh) return spent
  return Prisma.sql`${spent}, row AS (
      INSERT INTO api_token (id, account_id, connection_id, kind, name, token_hash, permissions, ip_allow_list, created_at, expires_at)
      SELECT ${randomUUID()}::uuid, account_id, connection_id, 'oauth_refresh', ${refreshTokenName(grant.connectionId)},
             ${hashToken(refresh.value)}, ${permissionsOf(parseScopes(grant.scopes.join(' ')))}::text[], '{}',
             database_now(), ${fromNow(refresh.lifetimeSeconds)}
      FROM spent RETURNING id
    ), artifact AS (
      INSERT INTO oidc_artifact (kind, id, payload, grant_id, account_id, expires_at, api_token_id)
      SELECT 'RefreshToken', ${artifactId(refresh.value)}, ${refresh.payload}::jsonb, ${grant.grantId}, spent.account_id,
             ${fromNow(refresh.lifetimeSeconds)}, row.id
      FROM spent, row
    )`
}

/** The old refresh token goes among the used ones; its row stays and takes the new value (one row per connection). */
function refreshSteps(
  work: UnitOfWork,
  grant: GrantSnapshot,
  { response, overlapSeconds }: { readonly response: string; readonly overlapSeconds: number },
): Prisma.Sql {
  const { presented, refresh } = work
  if (!presented || !refresh) throw new Error('a refresh without a new refresh token')
  const sealed = overlapSeconds ? sealOnce(overlapKey(presented.value), response, OVERLAP_CONTEXT) : null
  return Prisma.sql`spent AS (
      DELETE FROM oidc_artifact USING live
      WHERE kind = 'RefreshToken' AND oidc_artifact.id = ${presented.id} AND grant_id = ${grant.grantId}
      RETURNING live.id AS connection_id, live.account_id AS account_id, api_token_id
    ), used AS (
      INSERT INTO used_refresh_token (token_hash, connection_id, client_id, used_at, sealed_response, overlap_ends_at)
      SELECT ${hashToken(presented.value)}, connection_id, ${grant.clientId}, database_now(), ${sealed}::bytea,
             ${fromNow(overlapSeconds)}
      FROM spent
    ), row AS (
      UPDATE api_token SET token_hash = ${hashToken(refresh.value)}, last_used_at = database_now(),
             expires_at = ${fromNow(refresh.lifetimeSeconds)}
      FROM spent WHERE api_token.id = spent.api_token_id RETURNING api_token.id
    ), artifact AS (
      INSERT INTO oidc_artifact (kind, id, payload, grant_id, account_id, expires_at, api_token_id)
      SELECT 'RefreshToken', ${artifactId(refresh.value)}, ${refresh.payload}::jsonb, ${grant.grantId}, spent.account_id,
             ${fromNow(refresh.lifetimeSeconds)}, row.id
      FROM spent, row
    ), ${fewerAccessRows({ supersede: true })}`
}

const OVERLAP_CONTEXT = 'refresh-overlap'

/** Only who holds the used token can derive this; the database has another hash of it. */
function overlapKey(value: string): Uint8Array {
  return createHash('sha256').update('refresh overlap\0').update(value).digest()
}

import type { ApiTokenKind } from '@vertexsms/contract/api-token'
import { accountLives, connectionUnended, tokenEnds } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { runningFrom } from '@vertexsms/db/clock'

/** What the guard needs to know of a token, its account and its connection. */
export interface TokenRow {
  /** Of the token; both values of one that was replaced have the same. */
  readonly id: string
  readonly accountId: string
  readonly connectionId: string | null
  /** What its limits hang on: its connection, or itself, or what either took the place of. */
  readonly spenderId: string
  /** Of the account's owner; null is UTC. */
  readonly timeZone: string | null
  readonly kind: ApiTokenKind
  readonly permissions: readonly string[]
  readonly ipAllowList: readonly string[]
  /** When it runs out, or its connection if that is earlier. */
  readonly expiresAt: Date | null
  readonly lastUsedAt: Date | null
  readonly accountAlive: boolean
  /** True when the token stands on its own, or its connection has not ended. */
  readonly connectionUnended: boolean
  /** What time it is by the database, which decides: what it said with this row, and what has passed since. */
  now(): Date
}

/** Finds the row of a token by the hash it is stored under; every call reads the database after it was made. */
export type FindToken = (tokenHash: Uint8Array) => Promise<TokenRow | undefined>

/** Statements of this kind that run at the same time; hashes that come in meanwhile share the next one. */
const STATEMENTS_MAX = 2

/** Hashes in one statement. */
const BATCH_MAX = 256

interface Waiting {
  readonly resolve: (row: TokenRow | undefined) => void
  readonly reject: (error: unknown) => void
}

/**
 * Reads tokens with one named statement for all requests that wait at that moment. Nothing is remembered: a request
 * only ever gets an answer to a statement that was sent after it came in, so a deletion works at the very next one.
 */
export function createFindToken(db: Database): FindToken {
  const queue = new Map<string, Waiting[]>()
  let running = 0
  let scheduled = false

  async function flush(): Promise<void> {
    scheduled = false
    if (queue.size === 0) return
    running++
    const batch = new Map([...queue].slice(0, BATCH_MAX))
    for (const hash of batch.keys()) queue.delete(hash)
    try {
      const rows = await readRows(db, [...batch.keys()])
      for (const [hash, waiting] of batch) for (const { resolve } of waiting) resolve(rows.get(hash))
    } catch (error) {
      // Who came meanwhile would wait for the same again: a statement that fails has taken its time already.
      const failed = [...batch.values(), ...queue.values()]
      queue.clear()
      for (const waiting of failed) for (const { reject } of waiting) reject(error)
    } finally {
      running--
      schedule()
    }
  }

  function schedule(): void {
    if (scheduled || queue.size === 0 || running >= STATEMENTS_MAX) return
    scheduled = true
    // After the sockets that are readable now have been read, so that their requests are on board.
    setImmediate(() => void flush())
  }

  return (tokenHash) =>
    new Promise((resolve, reject) => {
      const hash = Buffer.from(tokenHash).toString('hex')
      const waiting = queue.get(hash)
      if (waiting) waiting.push({ resolve, reject })
      else queue.set(hash, [{ resolve, reject }])
      schedule()
    })
}

/** Lists come as one text each: cheaper to read than arrays, and neither permissions nor addresses hold a line feed. */
type RawRow = Omit<TokenRow, 'permissions' | 'ipAllowList' | 'now'> & {
  hash: string
  readAt: Date
  permissions: string | null
  ipAllowList: string | null
}

const ENDS = tokenEnds('t', 'c')
const ACCOUNT_LIVES = accountLives('a')
const UNENDED = connectionUnended('c')

async function readRows(db: Database, hashes: string[]): Promise<Map<string, TokenRow>> {
  const rows = await db.$queryRaw<RawRow[]>`
    SELECT wanted.hash, coalesce(t.replaced_by, t.id) AS id, t.account_id AS "accountId", t.connection_id AS "connectionId",
           CASE WHEN c.id IS NULL THEN coalesce(t.spender_id, t.id) ELSE coalesce(c.spender_id, c.id) END AS "spenderId",
           a.time_zone AS "timeZone", t.kind::text AS kind,
           CASE WHEN cardinality(t.permissions) > 0 THEN array_to_string(t.permissions, E'\n') END AS permissions,
           CASE WHEN cardinality(t.ip_allow_list) > 0 THEN array_to_string(t.ip_allow_list, E'\n') END AS "ipAllowList",
           ${ENDS} AS "expiresAt", t.last_used_at AS "lastUsedAt", ${ACCOUNT_LIVES} AS "accountAlive",
           ${UNENDED} AS "connectionUnended", database_now() AS "readAt"
    FROM unnest(${hashes}::text[]) AS wanted(hash)
    JOIN api_token t ON t.token_hash = decode(wanted.hash, 'hex')
    JOIN account a ON a.id = t.account_id
    LEFT JOIN connection c ON c.id = t.connection_id`
  return new Map(
    rows.map(({ hash, permissions, ipAllowList, readAt, ...row }) => [
      hash,
      { ...row, permissions: lines(permissions), ipAllowList: lines(ipAllowList), now: runningFrom(readAt) },
    ]),
  )
}

/** Null stands for an empty list. A list with one empty entry is not empty: it allows nothing. */
function lines(text: string | null): string[] {
  return text === null ? [] : text.split('\n')
}

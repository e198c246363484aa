// Writes what was done and what was refused, in the statement that does it. No column takes free text.
import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import { type Cap, refusalOutcome } from '@vertexsms/contract/limits'
import { type Database, Prisma } from '@vertexsms/db/client'
import type { UpstreamName } from '../upstream/upstream.ts'

/** What an entry tells of; a closed list, so that no text of a caller stands here. */
export type ActivityKind = 'sms' | 'hlr' | 'msisdn' | 'settle' | 'cancel' | 'pause'

/** Digits of a recipient that are told. */
const LAST_DIGITS = 3

/** An expression: the last digits of a number, and no more of it. */
export function lastDigitsOf(recipient: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`right(${recipient}, ${LAST_DIGITS}::int)`
}

/**
 * An INSERT for a WITH clause: one entry for each row of `source`, a SELECT or the name of a CTE, whose columns are
 * `account_id, spender_id, what, outcome, country, parts, amount_micros, recipient, send_id, message_id, upstream`.
 * Amounts are signed: what is given back is negative. The recipient stays behind but for {@link lastDigitsOf}.
 */
export function activityFrom(source: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO activity (account_id, spender_id, at, what, outcome, country, parts, amount_micros, last_digits, send_id,
                          message_id, upstream)
    SELECT account_id, spender_id, database_now(), what, outcome, country, parts, amount_micros,
           ${lastDigitsOf(Prisma.sql`recipient`)}, send_id, message_id, upstream
    FROM ${source} AS told`
}

/** A call that was refused before anything was done. */
export interface RefusedCall {
  readonly accountId: string
  readonly spenderId: string
  readonly what: ActivityKind
  readonly outcome: ApiErrorCode
  /** The limit of money that was in the way; none for any other code. */
  readonly cap?: Cap | null
  readonly country: string | null
  readonly upstream: UpstreamName
}

/** Refusals that are equal, and how many they were. */
type Counted = RefusedCall & { count: number }

/** Notes refusals by their keys. Equal ones within one minute of the database's clock are one entry with a count, on all nodes. */
async function recordRefusals(db: Database, counted: ReadonlyMap<string, Counted>): Promise<void> {
  // In one order for all, so that two nodes do not wait for each other.
  const json = JSON.stringify(
    [...counted]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, { accountId, spenderId, what, outcome: code, cap = null, country, upstream, count }]) => {
        const outcome = refusalOutcome(code, cap)
        return { key, account_id: accountId, spender_id: spenderId, what, outcome, country, upstream, count }
      }),
  )
  await db.$executeRaw`
    INSERT INTO activity (account_id, spender_id, at, what, outcome, country, upstream, count, equal_key)
    SELECT r.account_id, r.spender_id, database_now(), r.what, r.outcome, r.country, r.upstream, r.count,
           r.key || ' ' || floor(extract(epoch FROM database_now()) / 60)::bigint
    FROM jsonb_to_recordset(${json}::jsonb) AS r(key text, account_id uuid, spender_id uuid, what text, outcome text,
                                                 country text, upstream text, count int)
    JOIN account a ON a.id = r.account_id
    ON CONFLICT (equal_key) DO UPDATE SET count = activity.count + excluded.count`
}

function keyOf({ spenderId, upstream, what, outcome, cap = null, country }: RefusedCall): string {
  return [spenderId, upstream, what, refusalOutcome(outcome, cap), country ?? ''].join(' ')
}

/** Different refusals that wait to be noted; what comes above it in that time is not noted. */
const WAITING_MAX = 10_000

/** Refusals of one process, noted behind their answers. */
export interface RefusalLog {
  /** Resolves when it is noted; rejects with what the database threw. */
  note(refused: RefusedCall): Promise<void>
}

/** One statement at a time, whatever is refused in the meantime: a list of a hundred refusals is no hundred statements. */
export function createRefusalLog(db: Database): RefusalLog {
  let waiting = new Map<string, Counted>()
  let next: Promise<void> | undefined
  let running: Promise<void> = Promise.resolve()

  function flush(): Promise<void> {
    const refused = waiting
    waiting = new Map()
    next = undefined
    running = recordRefusals(db, refused)
    return running
  }

  return {
    note(refused) {
      // Counted at once: however often one caller is refused, it leaves room for what others are.
      const key = keyOf(refused)
      const known = waiting.get(key)
      if (known) known.count += 1
      else if (waiting.size < WAITING_MAX) waiting.set(key, { ...refused, count: 1 })
      next ??= running.then(flush, flush)
      return next
    },
  }
}

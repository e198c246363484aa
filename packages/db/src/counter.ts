import { type Database, Prisma } from './client.ts'

/** Counts in fixed windows of so many seconds since the epoch, alike on every node because the database's clock says which. */
export interface Counter {
  /** Hashed where it names a person, an address or a number. */
  readonly key: string
  readonly windowSeconds: number
}

/** One hit that was counted. */
export interface Hit {
  readonly key: string
  /** When the window began that it was counted in. */
  readonly windowAt: Date
}

/** What a counter shows. */
export interface Counted {
  readonly hits: number
  /** Until the window ends, begun ones counted; 1 at least. */
  readonly secondsLeft: number
}

/** Rows that one statement deletes: each must end within the seconds that a statement has. */
const BATCH_ROWS = 10_000

/** The window of this moment, `at` to `ends_at`. */
function currentWindow(seconds: number): Prisma.Sql {
  return Prisma.sql`
    SELECT at, at + ${seconds}::int * interval '1 second' AS ends_at,
           greatest(1, ceil(extract(epoch FROM at - database_now()) + ${seconds}::int))::int AS "secondsLeft"
    FROM (SELECT to_timestamp(floor(extract(epoch FROM database_now()) / ${seconds}::int) * ${seconds}::int) AS at) began`
}

/**
 * Counts one hit, unless there were `max` in this window already: then nothing is written and `hits` is null. However many
 * count at once, no more than `max` get a number.
 */
export async function countHit(
  db: Database,
  { key, windowSeconds, max }: Counter & { readonly max: number },
): Promise<{ readonly hits: number | null; readonly secondsLeft: number; readonly windowAt: Date }> {
  const [row] = await db.$queryRaw<[{ hits: number | null; secondsLeft: number; windowAt: Date }]>`
    WITH one_window AS (${currentWindow(windowSeconds)}), counted AS (
      INSERT INTO rate_counter (key, window_at, hits, expires_at) SELECT ${key}, at, 1, ends_at FROM one_window
      ON CONFLICT (key, window_at) DO UPDATE SET hits = rate_counter.hits + 1 WHERE rate_counter.hits < ${max}::int
      RETURNING hits
    )
    SELECT (SELECT hits FROM counted) AS hits, "secondsLeft", at AS "windowAt" FROM one_window`
  return row
}

/** Takes back hits where they were counted: the window after, which others have counted in since, keeps all of theirs. */
export async function takeBackHits(db: Database, hits: readonly Hit[]): Promise<void> {
  await db.$executeRaw`
    UPDATE rate_counter c SET hits = c.hits - 1
    FROM unnest(${hits.map(({ key }) => key)}::text[], ${hits.map(({ windowAt }) => windowAt)}::timestamptz[]) AS h (key, at)
    WHERE c.key = h.key AND c.window_at = h.at AND c.hits > 0`
}

/** What the counters of some keys show in this window; a key that was not hit is missing. */
export async function readCounters(
  db: Database,
  keys: readonly string[],
  windowSeconds: number,
): Promise<Map<string, Counted>> {
  const rows = await db.$queryRaw<(Counted & { key: string })[]>`
    SELECT key, hits, "secondsLeft" FROM (${currentWindow(windowSeconds)}) one_window
    JOIN rate_counter ON window_at = at AND key = ANY(${[...keys]}::text[])`
  return new Map(rows.map(({ key, ...counted }) => [key, counted]))
}

/** Forgets all windows of some keys. */
export async function forgetCounters(db: Database, keys: readonly string[]): Promise<void> {
  await db.rateCounter.deleteMany({ where: { key: { in: [...keys] } } })
}

/**
 * Deletes counters whose window ended before `before`, those alone whose key begins with `prefix`, in one bounded
 * statement. Returns how many; ask again until there are none.
 */
export function deleteEndedCounters(db: Database, before: Date, prefix = ''): Promise<number> {
  return db.$executeRaw`
      DELETE FROM rate_counter WHERE (key, window_at) IN (
        SELECT key, window_at FROM rate_counter WHERE expires_at <= ${before}::timestamptz AND starts_with(key, ${prefix})
        LIMIT ${BATCH_ROWS}::int FOR UPDATE SKIP LOCKED
      )`
}

/**
 * Keeps at most `maxRows` counters, as a flood from very many addresses leaves one each: those that counted least go, the
 * oldest of them first, and limit nobody yet. One bounded statement; returns how many, ask again until there are none.
 */
export function trimCounters(db: Database, maxRows: number): Promise<number> {
  return db.$executeRaw`
      DELETE FROM rate_counter WHERE (key, window_at) IN (
        SELECT key, window_at FROM rate_counter ORDER BY hits, window_at, key
        LIMIT least(${BATCH_ROWS}::int, greatest(0, (SELECT count(*) FROM rate_counter) - ${maxRows}::int)) FOR UPDATE SKIP LOCKED
      )`
}

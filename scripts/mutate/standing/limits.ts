// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the source that is changed
import type { Standing } from './row.ts'

/** What stands in the zone limits. */
export const LIMITS: readonly Standing[] = [
  {
    file: 'limits/days.ts',
    change: 'known  =>  undefined',
    why: 'A memory alone: what is not remembered is computed anew, and is the same.',
  },
  {
    file: 'limits/days.ts',
    change: 'formats.set(timeZone, format)  =>  (nothing)',
    why: 'A memory alone: what is not remembered is computed anew, and is the same.',
  },
  {
    file: 'limits/days.ts',
    change: 'known  =>  undefined',
    why: 'A memory alone: what is not remembered is computed anew, and is the same.',
  },
  {
    file: 'limits/days.ts',
    change: 'remembered.set(key, days)  =>  (nothing)',
    why: 'A memory alone: what is not remembered is computed anew, and is the same.',
  },
  {
    file: 'limits/days.ts',
    change: 'timeZone !== null && isTimeZone(timeZone)  =>  isTimeZone(timeZone)',
    why: 'Null is no zone that is known either; this tells the compiler.',
  },
  {
    file: 'limits/days.ts',
    change: 'aroundMs - REACH_MS + STEP_MS  =>  aroundMs - REACH_MS - STEP_MS',
    why: 'The days reach further than anybody asks, and one hour more or less shows none that matters.',
  },
  {
    file: 'limits/days.ts',
    change: 'ms <= aroundMs + REACH_MS + STEP_MS  =>  ms < aroundMs + REACH_MS + STEP_MS',
    why: 'The days reach further than anybody asks, and one hour more or less shows none that matters.',
  },
  {
    file: 'limits/days.ts',
    change: 'aroundMs + REACH_MS + STEP_MS  =>  aroundMs + REACH_MS - STEP_MS',
    why: 'The days reach further than anybody asks, and one hour more or less shows none that matters.',
  },
  {
    file: 'limits/days.ts',
    change: 'starts[at + 1]?.ms ?? ms  =>  starts[at + 1]?.ms',
    why: 'The last start is cut off, so that each has a next; this tells the compiler.',
  },
  {
    file: 'limits/days.ts',
    change: "throw new Error('there are no days')  =>  (nothing)",
    why: 'There always are days; this tells the compiler.',
  },
  {
    file: 'db/src/paused.ts',
    change: 'resumedAt === null || autoPausedAt > resumedAt  =>  autoPausedAt > resumedAt',
    why: 'Any date is greater than null; this tells the compiler.',
  },
  {
    file: 'limits/judge.ts',
    change: 'country !== null && country === operatorCountry  =>  country === operatorCountry',
    why: 'Null stands on no list; this tells the compiler.',
  },
  {
    file: 'limits/shown.ts',
    change: 'left < right  =>  left <= right',
    why: 'Only the sign of a comparison counts, and equal ones may stand either way.',
  },
  {
    file: 'limits/shown.ts',
    change: '? -1 : 1))  =>  ? -2 : 1))',
    why: 'Only the sign of a comparison counts, and equal ones may stand either way.',
  },
  {
    file: 'limits/shown.ts',
    change: '-1 : 1))  =>  -1 : 2))',
    why: 'Only the sign of a comparison counts, and equal ones may stand either way.',
  },
  {
    file: 'limits/shown.ts',
    change: 'lowest > 0n  =>  lowest >= 0n',
    why: 'Nothing is nothing either way.',
  },
  {
    file: 'limits/owner-notices.ts',
    change: 'id IN (${spenderId}::uuid, ${accountId}::uuid)  =>  true',
    why: 'Looks at more than it has to: what is told of each spender is the same, and once.',
  },
  {
    file: 'limits/owner-notices.ts',
    change: 'account_id = ${accountId}::uuid  =>  true',
    why: 'An id is that of one spender alone; this is the same said once more.',
  },
  {
    file: 'limits/pause.ts',
    change: 'account_id = ${accountId}::uuid  =>  true',
    why: 'An id is that of one spender alone; this is the same said once more.',
  },
  {
    file: 'limits/pause.ts',
    change: 'BY m.handed_at DESC LIMIT ${ROWS_MAX}::int  =>  BY m.handed_at LIMIT ${ROWS_MAX}::int',
    why: 'Of more than 20 000 messages some are left out: the burst does not fire then at all, and the block is looked for among the rest.',
  },
  {
    file: 'limits/pause.ts',
    change: '${windowMinutes * 60}::int)  =>  ${windowMinutes * 61}::int)',
    why: 'Ten seconds more of ten minutes: the usual pace is the same.',
  },
  {
    file: 'limits/pause.ts',
    change: 'SELECT DISTINCT recipient, recipient::bigint  =>  SELECT recipient, recipient::bigint',
    why: 'The statement only narrows down; the numbers that are left are judged once more.',
  },
  {
    file: 'limits/pause.ts',
    change: '${numbers - 1}::int) OVER  =>  ${numbers - 2}::int) OVER',
    why: 'The statement only narrows down; the numbers that are left are judged once more.',
  },
  {
    file: 'limits/pause.ts',
    change: 'within - 1  =>  within + 1',
    why: 'The statement only narrows down; the numbers that are left are judged once more.',
  },
  {
    file: 'limits/pause.ts',
    change: 'SELECT DISTINCT m.recipient FROM  =>  SELECT m.recipient FROM',
    why: 'A set holds each once.',
  },
  {
    file: 'limits/pause.ts',
    change: 'left < right  =>  left <= right',
    why: 'Only the sign of a comparison counts, and equal ones may stand either way.',
  },
  {
    file: 'limits/pause.ts',
    change: '? -1 : 1))  =>  ? -2 : 1))',
    why: 'Only the sign of a comparison counts, and equal ones may stand either way.',
  },
  {
    file: 'limits/pause.ts',
    change: '-1 : 1))  =>  -1 : 2))',
    why: 'Only the sign of a comparison counts, and equal ones may stand either way.',
  },
  {
    file: 'limits/pause.ts',
    change: 'AND a.at > ${since(Prisma.sql`${minutes}::int *  =>  AND a.at >= ${since(Prisma.sql`${minutes}::int *',
    why: 'One moment to the microsecond.',
  },
  {
    file: 'limits/pause.ts',
    change: 'row?.count ?? 0n  =>  row?.count',
    why: 'A count always has a row; this tells the compiler.',
  },
  {
    file: 'limits/pause.ts',
    change: '(row?.count ?? 0n) >=  =>  (row?.count ?? 1n) >=',
    why: 'A count always has a row; this tells the compiler.',
  },
  {
    file: 'limits/watch.ts',
    change: 'lookedMs.get(watched.spenderId) ?? Number.NEGATIVE_INFINITY  =>  lookedMs.get(watched.spenderId)',
    why: 'What is not a number is not above zero either; this tells the compiler.',
  },
  {
    file: 'limits/watch.ts',
    change: 'waitMs > 0  =>  waitMs >= 0',
    why: 'One millisecond.',
  },
  {
    file: 'limits/watch.ts',
    change: '(waitMs > 0 && !isFinishing)  =>  (waitMs > 1 && !isFinishing)',
    why: 'One millisecond.',
  },
  {
    file: 'limits/watch.ts',
    change: 'due.has(watched.spenderId) || due.size >= WATCHED_MAX  =>  due.has(watched.spenderId)',
    why: 'Room alone: how many are kept in mind at most.',
  },
  {
    file: 'limits/watch.ts',
    change: 'due.size >= WATCHED_MAX  =>  due.size > WATCHED_MAX',
    why: 'Room alone: how many are kept in mind at most.',
  },
  {
    file: 'limits/days.ts',
    change: 'low > 1) {  =>  low > 2) {',
    why: 'Days begin at whole quarters of an hour, which halves of an hour meet.',
  },
]

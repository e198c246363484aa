import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import type { Database } from '@vertexsms/db/client'

/** What was spent under a spender through one upstream: settled and held together, for that is what a limit counts. */
export interface Spent {
  readonly upstream: string
  readonly dayMicros: bigint
  /** What is held of the day: of messages that are on their way or whose outcome nobody knows, for what is scheduled has no day. */
  readonly dayHeldMicros: bigint
  readonly totalMicros: bigint
  /** What is held of the total for what waits to go out, is on its way, or whose outcome nobody knows. */
  readonly heldMicros: bigint
  readonly recipients: number
}

/** What was spent under a spender, once an upstream; members of the day are none once the owner's day is over. */
export async function spentOf(db: Database, spenderId: string, now: Date): Promise<Spent[]> {
  return (await spentUnder(db, [spenderId], now)).get(spenderId) ?? []
}

/** The same of some spenders at once, by their ids; one that never spent is left out. */
export async function spentUnder(
  db: Database,
  spenderIds: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, Spent[]>> {
  const rows = await db.spenderCount.findMany({
    where: { spenderId: { in: [...spenderIds] } },
    orderBy: { upstream: 'asc' },
  })
  const spent = new Map<string, Spent[]>()
  for (const row of rows) {
    const isToday = row.dayEndsAt > now
    const one = {
      upstream: row.upstream,
      dayMicros: isToday ? row.daySpentMicros + row.dayHeldMicros : 0n,
      dayHeldMicros: isToday ? row.dayHeldMicros : 0n,
      totalMicros: row.totalSpentMicros + row.totalHeldMicros,
      heldMicros: row.totalHeldMicros,
      recipients: isToday ? row.dayRecipients : 0,
    }
    spent.set(row.spenderId, [...(spent.get(row.spenderId) ?? []), one])
  }
  return spent
}

/** What was spent under a spender through one upstream, and the least that its limits and the account's leave. */
export interface SpentAndLeft extends Spent {
  /** Of today, in micro-EUR; null where neither has a limit of the day. */
  readonly dayLeftMicros: bigint | null
  /** In all, in micro-EUR; null where neither has a limit of the total. */
  readonly totalLeftMicros: bigint | null
}

/** Whose limits are read: `own` of the spender, `account` above it; null for none, and of the account itself above. */
interface Bounded {
  readonly accountId: string
  readonly spenderId: string
  readonly own: SpenderLimits | null
  readonly account: SpenderLimits | null
}

/** What was spent under a spender, once an upstream, and what is left. */
export async function spentAndLeft(
  db: Database,
  { accountId, spenderId, own, account }: Bounded,
  now: Date,
): Promise<SpentAndLeft[]> {
  const spent = await spentOf(db, spenderId, now)
  const ofAccount = account ? await spentOf(db, accountId, now) : []
  return spent.map((one) => {
    const above = ofAccount.find(({ upstream }) => upstream === one.upstream)
    const left = leastLeft([...(own ? [leftOf(own, one)] : []), ...(account && above ? [leftOf(account, above)] : [])])
    return { ...one, dayLeftMicros: left.dayMicros, totalLeftMicros: left.totalMicros }
  })
}

/** Of what is left under several, the least of each; null where none of them has a limit. */
function leastLeft(all: readonly ReturnType<typeof leftOf>[]): ReturnType<typeof leftOf> {
  const least = (amounts: readonly (bigint | null)[]) =>
    amounts.reduce((one, other) => (one === null || (other !== null && other < one) ? other : one), null)
  return {
    dayMicros: least(all.map((left) => left.dayMicros)),
    totalMicros: least(all.map((left) => left.totalMicros)),
  }
}

/** What is left of a limit; null where there is none. Never below nothing: a late price may have passed it. */
function leftOf({ maxPerDayMicros, maxTotalMicros }: SpenderLimits, { dayMicros, totalMicros }: Spent) {
  const rest = (max: bigint | null, spent: bigint) => (max === null ? null : max > spent ? max - spent : 0n)
  return { dayMicros: rest(maxPerDayMicros, dayMicros), totalMicros: rest(maxTotalMicros, totalMicros) }
}

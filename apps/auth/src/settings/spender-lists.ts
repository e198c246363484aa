import { readRefusalOutcome } from '@vertexsms/contract/limits'
import type { Database } from '@vertexsms/db/client'
import { type ActivityOf, activityPage } from '../connections/activity.ts'
import { cancelReasonsOf, deliveriesOf } from '../connections/deliveries.ts'
import type { FoundHolder } from '../connections/holders.ts'
import { nameSpenders } from '../connections/names.ts'
import { countScheduled, scheduledMessages } from '../connections/scheduled.ts'
import { type Naming, wholeAccount, whoOf } from '../connections/who.ts'
import type { SpenderPage } from '../views/spender.ts'
import { PAGE_ROWS, pageOf } from '../web/paging.ts'
import { timeView } from '../web/times.ts'
import { activityKeys, activityWay } from './activity-way.ts'

/** What waits for its time, of one spender: the page of it that the query asks for. */
export async function scheduledView(
  db: Database,
  of: Parameters<typeof countScheduled>[1],
  { path, query, now }: { readonly path: string; readonly query: unknown; readonly now: Date },
): Promise<Pick<SpenderPage, 'scheduled' | 'scheduledPager'>> {
  const waiting = await countScheduled(db, of)
  const { skip, pager } = pageOf(waiting, { path, query, name: 'scheduled' })
  const scheduled = waiting === 0 ? [] : await scheduledMessages(db, of, { skip, take: PAGE_ROWS })
  return {
    scheduled: scheduled.map(({ id, scheduledAt, ...one }) => ({
      ...one,
      id: String(id),
      goesOut: timeView(scheduledAt, now),
    })),
    scheduledPager: pager,
  }
}

interface Asked {
  readonly holder: FoundHolder
  readonly of: ActivityOf
  readonly path: string
  readonly query: unknown
}

/** What was done under a spender, or by all of an account and then by whom: the page of it that the query asks for. */
export async function activityView(
  db: Database,
  { holder, of, path, query }: Asked,
  now: Date,
  naming: Naming,
): Promise<Pick<SpenderPage, 'activity' | 'activityPager'>> {
  const { accountId } = holder
  const page = await activityPage(db, of, { take: PAGE_ROWS, ...activityKeys(query) })
  const delivered = await deliveriesOf(db, accountId, page.rows)
  const cancelled = await cancelReasonsOf(db, accountId, page.rows)
  const byWhom = holder.kind === 'account' ? await whoDid(db, accountId, page.rows, naming) : () => null
  return {
    activity: page.rows.map(({ id, at, outcome, amountMicros, messageId, spenderId, ...row }) => ({
      what: row.what,
      count: row.count,
      country: row.country,
      lastDigits: row.lastDigits,
      upstream: row.upstream,
      ...readRefusalOutcome(outcome),
      at: timeView(at, now),
      who: byWhom(spenderId),
      micros: amountMicros,
      delivery: delivered.get(id)?.became ?? null,
      cancelled: (messageId !== null && row.what === 'cancel' && cancelled.get(messageId)) || null,
    })),
    activityPager: activityWay(page, path),
  }
}

async function whoDid(
  db: Database,
  accountId: string,
  rows: readonly { readonly spenderId: string }[],
  naming: Naming,
): Promise<(spenderId: string) => SpenderPage['who']> {
  const names = await nameSpenders(
    db,
    accountId,
    rows.map(({ spenderId }) => spenderId),
  )
  return (spenderId) => (spenderId === accountId ? wholeAccount(naming) : whoOf(names.get(spenderId), naming))
}

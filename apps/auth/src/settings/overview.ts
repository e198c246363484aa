import { readEurText } from '@vertexsms/contract/money'
import { PAUSE_RULES } from '@vertexsms/contract/pause-rules'
import type { Database } from '@vertexsms/db/client'
import type { FastifyInstance } from 'fastify'
import { spentByDay } from '../connections/activity.ts'
import { aliveAmong } from '../connections/holders.ts'
import { ruleWords } from '../connections/limit-words.ts'
import { nameSpenders, spenderNamed } from '../connections/names.ts'
import { nearLimits } from '../connections/near-limits.ts'
import { EVER_PAUSED, spenderIdOf } from '../connections/spenders.ts'
import { spentUnder } from '../connections/spent.ts'
import { type Naming, ownersNaming, wholeAccount, whoOf } from '../connections/who.ts'
import type { OverviewPage } from '../views/overview.ts'
import { connectPage } from '../web/connect-page.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage } from '../web/page.ts'
import { PAGE_ROWS, pageOf } from '../web/paging.ts'
import { nowOf, signedInOf, viewerOf } from '../web/require-session.ts'
import { HOME_PATH } from '../web/return-to.ts'
import { timeView } from '../web/times.ts'
import type { Words } from '../words/words.ts'
import { noticeOf } from './back.ts'
import type { SettingsDeps } from './deps.ts'
import { glance } from './glance.ts'
import { endOf, pauseView, unknownViews } from './spender-views.ts'

/** Paused spenders that are named, and limits that are nearly used up. */
const PAUSED_ROWS = 10
const NEAR_ROWS = 10

/** The longest month. */
const MONTH_DAYS = 31

/** How long the start page waits for the balance: a page that says everything else must not wait for one number. */
const BALANCE_TIMEOUT_MS = 2000

const ENDED_PATH = '/connections/ended'

/** `/`: an account at a glance, what needs its owner, and how to connect; `/connections/ended`: what is no more, and why. */
export function registerOverview(app: FastifyInstance, deps: SettingsDeps): void {
  const connect = connectPage(deps.resources)

  app.get(HOME_PATH, async (request, reply) => {
    const { account } = signedInOf(request)
    const now = nowOf(request)
    const page = await overview(deps, account.id, now, wordsFor(request))
    const notice = noticeOf(request, page.pause !== null)
    return sendPage(reply, 'overview', { ...page, viewer: viewerOf(deps, request), notice, connect })
  })

  app.get(ENDED_PATH, async (request, reply) => {
    const accountId = signedInOf(request).account.id
    const now = nowOf(request)
    const where = endedOf(accountId, now)
    const count = await deps.db.connection.count({ where })
    const { skip, pager } = pageOf(count, { path: ENDED_PATH, query: request.query, name: 'page' })
    const rows = await deps.db.connection.findMany({
      where,
      orderBy: [{ endedAt: { sort: 'desc', nulls: 'first' } }, { expiresAt: 'desc' }, { id: 'asc' }],
      skip,
      take: PAGE_ROWS,
    })
    const naming = await ownersNaming(deps, { accountId, now }, wordsFor(request))
    const spent = await spentUnder(deps.db, rows.map(spenderIdOf), now)
    const connections = rows.flatMap((row) => {
      const end = endOf(row, now)
      const own = spent.get(spenderIdOf(row))?.find((one) => one.upstream === deps.upstream)
      const totalMicros = end?.reason === 'replaced' ? null : (own?.totalMicros ?? 0n)
      const who = whoOf(spenderNamed(row), naming)
      return end
        ? [{ who, approved: timeView(row.approvedAt, now), at: timeView(end.at, now), reason: end.reason, totalMicros }]
        : []
    })
    return sendPage(reply, 'ended', { viewer: viewerOf(deps, request), upstream: deps.upstream, connections, pager })
  })
}

function endedOf(accountId: string, now: Date) {
  return { accountId, OR: [{ endedAt: { not: null } }, { expiresAt: { lte: now } }] }
}

async function overview(
  deps: SettingsDeps,
  accountId: string,
  now: Date,
  t: Words,
): Promise<Omit<OverviewPage, 'viewer' | 'notice' | 'connect'>> {
  const { db, upstream } = deps
  const naming = await ownersNaming(deps, { accountId, now }, t)
  const asked = deps.internalApi.ask('balance', { accountId }, BALANCE_TIMEOUT_MS)
  const account = await db.account.findUniqueOrThrow({ where: { id: accountId }, select: { timeZone: true } })
  const row = await db.spender.findFirst({ where: { id: accountId, accountId } })
  const own = ((await spentUnder(db, [accountId], now)).get(accountId) ?? []).find((one) => one.upstream === upstream)
  const days = await spentByDay(db, { accountId, upstream }, { now, timeZone: account.timeZone, days: MONTH_DAYS })
  const todayMicros = own?.dayMicros ?? 0n
  const used = await glance(deps, { id: accountId, todayMicros }, now, naming)
  const answer = await asked
  return {
    pause: row && pauseView(row, now),
    rules: PAUSE_RULES,
    canPause: used.connectionCount + used.tokenCount > 0,
    upstream,
    balance: answer === null ? 'unreachable' : answer.balance === null ? null : readEurText(answer.balance),
    todayMicros,
    // What is held counts as it does today, so that today has no more than its month; of a day that is over it counts again
    // once it is settled. What is scheduled is held on no day yet, and may go out in another month.
    monthMicros: monthOf(days) + (own?.dayHeldMicros ?? 0n),
    limits: row ? ruleWords(row, t) : [],
    ...(await unknownViews(db, { accountId }, now, naming)),
    paused: await pausedOf(db, accountId, now, naming),
    near: await nearOf(deps, accountId, naming),
    ...used,
    endedCount: await db.connection.count({ where: endedOf(accountId, now) }),
  }
}

/** Of the days up to today those of its month. */
function monthOf(days: readonly { readonly date: string; readonly micros: bigint }[]): bigint {
  const month = days.at(-1)?.date.slice(0, 7)
  return days.filter(({ date }) => date.startsWith(month ?? '-')).reduce((sum, { micros }) => sum + micros, 0n)
}

async function pausedOf(db: Database, accountId: string, now: Date, naming: Naming): Promise<OverviewPage['paused']> {
  const rows = await db.spender.findMany({
    where: { accountId, kind: { not: 'account' }, ...EVER_PAUSED },
    orderBy: [{ autoPausedAt: { sort: 'desc', nulls: 'last' } }, { pausedAt: 'desc' }],
    take: 10 * PAUSED_ROWS,
  })
  const names = await nameSpenders(
    db,
    accountId,
    rows.map(({ id }) => id),
  )
  // What ran out has a spender still, and nothing of it can be resumed.
  const alive = await aliveAmong(db, { accountId, ids: [...names.values()].map(({ id }) => id) }, now)
  return rows
    .flatMap((row) => {
      const named = names.get(row.id)
      const pause = pauseView(row, now)
      return pause && named && alive.has(named.id) ? [{ who: whoOf(named, naming), pause }] : []
    })
    .slice(0, PAUSED_ROWS)
}

async function nearOf(
  { db, upstream }: SettingsDeps,
  accountId: string,
  naming: Naming,
): Promise<OverviewPage['near']> {
  const near = await nearLimits(db, { accountId, upstream, take: NEAR_ROWS })
  const ids = near.map(({ spenderId }) => spenderId).filter((id) => id !== accountId)
  const names = await nameSpenders(db, accountId, ids)
  return near.map(({ spenderId, limit, max, used }) => ({
    who: spenderId === accountId ? wholeAccount(naming) : whoOf(names.get(spenderId), naming),
    limit,
    max,
    used,
  }))
}

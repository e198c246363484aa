import { liveConnection } from '@vertexsms/db/alive'
import type { Database, Prisma } from '@vertexsms/db/client'
import { pauseOf } from '@vertexsms/db/paused'
import { permissionsSpend, scopesSpend } from '../connections/binding.ts'
import { withoutKeys } from '../connections/keys.ts'
import { lastUsedOf } from '../connections/last-used.ts'
import { spenderNamed } from '../connections/names.ts'
import { spenderIdOf } from '../connections/spenders.ts'
import { type Spent, spentUnder } from '../connections/spent.ts'
import { countManualTokens, listTokens, manualTokenNames } from '../connections/tokens.ts'
import { type Naming, whoOf } from '../connections/who.ts'
import type { GlanceView, OverviewPage } from '../views/overview.ts'
import { timeView } from '../web/times.ts'
import type { SettingsDeps } from './deps.ts'

/** Of the connections and of the tokens each, shown at a glance. */
const GLANCE_ROWS = 6

type Glance = Pick<OverviewPage, 'connections' | 'connectionCount' | 'tokens' | 'tokenCount' | 'restMicros'>
type Account = { readonly id: string; readonly todayMicros: bigint }

/**
 * The newest connections and the tokens made by hand that were used last, each with what it spent today, and what the
 * account spent today besides: of others, and of what ended.
 */
export async function glance(
  { db, upstream }: SettingsDeps,
  { id: accountId, todayMicros }: Account,
  now: Date,
  naming: Naming,
): Promise<Glance> {
  const live = { accountId, ...liveConnection(now) }
  const apps = await db.connection.findMany({
    where: live,
    orderBy: [{ approvedAt: 'desc' }, { id: 'asc' }],
    take: GLANCE_ROWS,
  })
  const tokens = await usedTokens(db, accountId, now)
  const spenderIds = [...apps, ...tokens].map(spenderIdOf)
  const spent = await spentUnder(db, spenderIds, now)
  const today = (under: string) => dayOf(spent.get(under), upstream)
  const spenders = await db.spender.findMany({ where: { id: { in: spenderIds }, accountId } })
  const standing = (row: Spends) => standingOf(row, spenders, today)
  const used = await lastUsedOf(db, apps)
  const keyless = await withoutKeys(
    db,
    apps.map(({ id }) => id),
    now,
  )
  const viewOf = (lastUsed: Date | null | undefined) => (lastUsed ? timeView(lastUsed, now) : null)
  return {
    connections: apps.map((row) => ({
      ...standing(row),
      who: whoOf(spenderNamed(row), naming),
      approved: timeView(row.approvedAt, now),
      lastFour: null,
      spends: scopesSpend(row.scopes),
      lastUsed: viewOf(used.get(row.id)),
      hasNoKeys: keyless.has(row.id),
    })),
    connectionCount: await db.connection.count({ where: live }),
    tokens: tokens.map((row) => ({
      ...standing(row),
      who: whoOf({ kind: 'token', id: row.id, name: row.name, app: null }, naming),
      approved: null,
      lastFour: row.lastFour,
      spends: permissionsSpend(row.permissions),
      lastUsed: viewOf(row.lastUsedAt),
      hasNoKeys: false,
    })),
    tokenCount: await countManualTokens(db, accountId, now),
    // What took the place of another goes on with its counters: each counts once.
    restMicros: [...new Set(spenderIds)].reduce((rest, under) => rest - today(under), todayMicros),
  }
}

/** Those made by hand that were used last. */
async function usedTokens(db: Database, accountId: string, now: Date) {
  const names = await manualTokenNames(db, accountId, now, 'used', { take: GLANCE_ROWS })
  const rows = await listTokens(db, accountId, now, { ids: names.map(({ id }) => id) })
  return names.flatMap(({ id }) => rows.find((row) => row.id === id) ?? [])
}

type Spends = { readonly id: string; readonly spenderId: string | null }

function dayOf(spent: readonly Spent[] = [], upstream: string): bigint {
  return spent.find((one) => one.upstream === upstream)?.dayMicros ?? 0n
}

function standingOf(
  row: Spends,
  spenders: readonly Prisma.SpenderGetPayload<object>[],
  today: (spenderId: string) => bigint,
): Pick<GlanceView, 'todayMicros' | 'isPaused'> {
  const under = spenderIdOf(row)
  const spender = spenders.find(({ id }) => id === under)
  return { todayMicros: today(under), isPaused: spender !== undefined && pauseOf(spender) !== null }
}

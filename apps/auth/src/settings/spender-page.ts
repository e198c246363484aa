import { readRefusalOutcome } from '@vertexsms/contract/limits'
import { PAUSE_RULES } from '@vertexsms/contract/pause-rules'
import type { Database } from '@vertexsms/db/client'
import { activityPage, spentByDay } from '../connections/activity.ts'
import { permissionsBound, permissionsOfScopes, permissionsSpend, rulesThatBind } from '../connections/binding.ts'
import { cancelReasonsOf, deliveriesOf } from '../connections/deliveries.ts'
import type { FoundHolder } from '../connections/holders.ts'
import { withoutKeys } from '../connections/keys.ts'
import { lastUsedOf } from '../connections/last-used.ts'
import { accountLimits, ruleWords } from '../connections/limit-words.ts'
import { appNamed } from '../connections/named-app.ts'
import { nameSpenders } from '../connections/names.ts'
import type { TypedRules } from '../connections/rules.ts'
import { countScheduled, scheduledMessages } from '../connections/scheduled.ts'
import { ACCOUNT_PATH, pathOf } from '../connections/spender-paths.ts'
import { leastLeft, leftOf, spentOf } from '../connections/spent.ts'
import { namingFor, wholeAccount, whoOf } from '../connections/who.ts'
import type { DayView, SpenderPage } from '../views/pages.ts'
import { PAGE_ROWS, pageOf } from '../web/paging.ts'
import { timeView } from '../web/times.ts'
import type { Words } from '../words/words.ts'
import { activityKeys, activityWay } from './activity-way.ts'
import type { SettingsDeps } from './deps.ts'
import { mayOfScopes, mayWords } from './may.ts'
import { endOf, pauseView, unknownViews } from './spender-views.ts'

const DAYS = 14

/** The path of a holder's page. */
export function pagePath({ kind, id }: FoundHolder): string {
  return kind === 'account' ? ACCOUNT_PATH : pathOf({ kind, id })
}

/** Whose activity a holder's page tells: of an account all of it. */
export function activityOf({ kind, accountId, spenderId }: FoundHolder) {
  return kind === 'account' ? { accountId } : { accountId, spenderId }
}

/** What the page of a spender shows, and the values of its form. */
export async function spenderPage(
  deps: SettingsDeps,
  holder: FoundHolder,
  query: unknown,
  now: Date,
  t: Words,
): Promise<Omit<SpenderPage, 'viewer' | 'notice' | 'form'> & { readonly values: TypedRules }> {
  const { db } = deps
  const { accountId, spenderId, kind } = holder
  const naming = namingFor(deps, t)
  const path = pagePath(holder)
  const of = activityOf(holder)
  const row = await db.spender.findFirst({ where: { id: spenderId, accountId } })
  const connection =
    kind === 'connection' ? await db.connection.findFirst({ where: { id: holder.id, accountId } }) : null
  const used = connection && (await lastUsedOf(db, [connection])).get(connection.id)
  const spent = await spentOf(db, spenderId, now)
  const { timeZone } = await db.account.findUniqueOrThrow({ where: { id: accountId }, select: { timeZone: true } })
  const days = await spentByDay(db, { ...of, upstream: deps.upstream }, { now, timeZone, days: DAYS })

  const waiting = kind === 'account' ? 0 : await countScheduled(db, of)
  const later = pageOf(waiting, { path, query, name: 'scheduled' })
  const scheduled = waiting === 0 ? [] : await scheduledMessages(db, of, { skip: later.skip, take: PAGE_ROWS })
  const did = await activityPage(db, of, { take: PAGE_ROWS, ...activityKeys(query) })
  const activity = did.rows
  const delivered = await deliveriesOf(db, accountId, activity)
  const cancelled = await cancelReasonsOf(db, accountId, activity)
  const names =
    kind === 'account'
      ? await nameSpenders(
          db,
          accountId,
          activity.map((one) => one.spenderId),
        )
      : new Map()

  const { may, permissions } = await mayOf(db, holder, connection, t)
  const spends = permissions === null || permissionsSpend(permissions)

  const ended = connection
    ? endOf(connection, now)
    : row?.endedAt
      ? ({ at: row.endedAt, reason: kind === 'token' ? 'token' : 'other' } as const)
      : holder.runsOutAt && !holder.isAlive
        ? ({ at: holder.runsOutAt, reason: 'expired' } as const)
        : null
  const successor =
    connection && ended?.reason === 'replaced'
      ? await db.connection.findFirst({
          where: { accountId, spenderId, id: { not: holder.id }, approvedAt: { gte: connection.approvedAt } },
          orderBy: { approvedAt: 'desc' },
          select: { id: true },
        })
      : null
  const isDeleted = kind === 'token' && ended?.reason === 'token'
  const account = kind === 'account' ? null : await db.spender.findFirst({ where: { id: accountId, accountId } })
  const ofAccount = account ? await spentOf(db, accountId, now) : []
  return {
    path,
    who:
      kind === 'account'
        ? wholeAccount(naming)
        : whoOf(
            {
              kind: isDeleted ? 'deleted token' : kind,
              id: holder.id,
              name: holder.name,
              app: connection && appNamed(connection),
            },
            naming,
          ),
    times: connection && {
      approved: timeView(connection.approvedAt, now),
      expires: timeView(connection.expiresAt, now),
      lastUsed: used ? timeView(used, now) : null,
    },
    disconnect: connection && holder.isAlive ? `${path}/disconnect` : null,
    hasNoKeys: connection !== null && holder.isAlive && (await withoutKeys(db, [connection.id], now)).size > 0,
    isAlive: holder.isAlive && !row?.endedAt,
    ended: ended && { at: timeView(ended.at, now), reason: ended.reason },
    successor: successor && pathOf({ kind: 'connection', id: successor.id }),
    pause: row && pauseView(row, now),
    accountPause: account && pauseView(account, now),
    rules: PAUSE_RULES,
    may,
    spends,
    isBound: permissions === null || permissionsBound(permissions),
    limits: row ? ruleWords(permissions === null ? row : rulesThatBind(row, permissions), t) : [],
    accountLimits: accountLimits(account, t),
    spent: spent.map((one) => {
      const above = ofAccount.find(({ upstream }) => upstream === one.upstream)
      const left = leastLeft([
        ...(row ? [leftOf(row, one)] : []),
        ...(account && above ? [leftOf(account, above)] : []),
      ])
      return {
        ...one,
        dayLeftMicros: spends ? left.dayMicros : null,
        totalLeftMicros: spends ? left.totalMicros : null,
      }
    }),
    days: bars(days),
    upstream: deps.upstream,
    daysHeldMicros: spent.find(({ upstream }) => upstream === deps.upstream)?.heldMicros ?? 0n,
    ...(kind === 'account' ? { unknown: [], hasMoreUnknown: false } : await unknownViews(db, of, now, naming)),
    scheduled: scheduled.map(({ id, scheduledAt, ...one }) => ({
      ...one,
      id: String(id),
      goesOut: timeView(scheduledAt, now),
    })),
    scheduledPager: later.pager,
    activity: activity.map(
      ({ at, what, outcome, count, amountMicros, country, lastDigits, upstream, messageId, spenderId: by }) => ({
        ...{ what, count, country, lastDigits, upstream },
        ...readRefusalOutcome(outcome),
        at: timeView(at, now),
        who: kind === 'account' ? (by === accountId ? wholeAccount(naming) : whoOf(names.get(by), naming)) : null,
        micros: amountMicros,
        delivery: (messageId !== null && delivered.get(messageId)?.became) || null,
        cancelled: (messageId !== null && what === 'cancel' && cancelled.get(messageId)) || null,
      }),
    ),
    activityPager: activityWay(did, path),
    values: {
      max_per_send: amount(row?.maxPerSendMicros, t),
      max_per_day: amount(row?.maxPerDayMicros, t),
      max_total: amount(row?.maxTotalMicros, t),
      recipients_per_day: String(row?.recipientsPerDay ?? ''),
      countries: (row?.countries ?? []).join(', '),
      senders: (row?.senders ?? []).join(', '),
      ask_above: amount(row?.askAboveMicros, t),
      ask_new_country: row?.askNewCountry ? 'on' : 'off',
    },
  }
}

/**
 * What a holder may do, in words and by permissions; null of the account, which may do everything. A token that was deleted
 * may do nothing more, and nobody knows what it might.
 */
async function mayOf(
  db: Database,
  { kind, id, accountId }: FoundHolder,
  connection: { readonly scopes: readonly string[] } | null,
  t: Words,
): Promise<Pick<SpenderPage, 'may'> & { readonly permissions: readonly string[] | null }> {
  if (connection) return { may: mayOfScopes(connection.scopes, t), permissions: permissionsOfScopes(connection.scopes) }
  const token = kind === 'token' ? await db.apiToken.findFirst({ where: { id, accountId } }) : null
  return token
    ? { may: mayWords(token.permissions, t), permissions: token.permissions }
    : { may: null, permissions: null }
}

/** Heights of 100 for the dearest day; a day on which more was given back than spent has none. */
function bars(days: readonly Omit<DayView, 'height'>[]): DayView[] {
  const most = Math.max(...days.map(({ micros }) => Number(micros)))
  return days.map((day) => ({
    ...day,
    height: most > 0 && day.micros > 0n ? Math.max(2, Math.round((Number(day.micros) / most) * 100)) : 0,
  }))
}

function amount(micros: bigint | null | undefined, t: Words): string {
  return micros == null ? '' : t.format.typed(micros)
}

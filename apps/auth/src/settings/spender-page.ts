import { spenderPath } from '@vertexsms/contract/page-paths'
import { PAUSE_RULES } from '@vertexsms/contract/pause-rules'
import type { Database } from '@vertexsms/db/client'
import { permissionsBound, permissionsOfScopes, permissionsSpend, rulesThatBind } from '../connections/binding.ts'
import type { FoundHolder } from '../connections/holders.ts'
import { accountLimits, ruleWords } from '../connections/limit-words.ts'
import type { TypedRules } from '../connections/rules.ts'
import { ownersNaming } from '../connections/who.ts'
import type { SpenderPage } from '../views/spender.ts'
import type { Words } from '../words/words.ts'
import type { SettingsDeps } from './deps.ts'
import { mayOfScopes, mayWords } from './may.ts'
import { lifeView } from './spender-life.ts'
import { activityView, scheduledView } from './spender-lists.ts'
import { daysView, shownRules, spentViews } from './spender-money.ts'
import { pauseView, unknownViews } from './spender-views.ts'

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
  const { db, upstream } = deps
  const { accountId, spenderId, kind } = holder
  const naming = await ownersNaming(deps, { accountId, now }, t)
  const path = spenderPath(holder)
  const of = activityOf(holder)
  const row = await db.spender.findFirst({ where: { id: spenderId, accountId } })
  const account = kind === 'account' ? null : await db.spender.findFirst({ where: { id: accountId, accountId } })
  const connection =
    kind === 'connection' ? await db.connection.findFirst({ where: { id: holder.id, accountId } }) : null
  const { may, permissions } = await mayOf(db, holder, connection, t)
  const spends = permissions === null || permissionsSpend(permissions)
  const spent = await spentViews(db, { row, account, spends, spenderId, accountId }, now)
  const unknown = kind === 'account' ? NOTHING_UNKNOWN : await unknownViews(db, of, now, naming)
  return {
    path,
    ...(await lifeView(db, { holder, connection, row, path }, now, naming)),
    pause: row && pauseView(row, now),
    accountPause: account && pauseView(account, now),
    rules: PAUSE_RULES,
    may,
    spends,
    isBound: permissions === null || permissionsBound(permissions),
    limits: row ? ruleWords(permissions === null ? row : rulesThatBind(row, permissions), t) : [],
    accountLimits: accountLimits(account, t),
    spent,
    days: await daysView(db, { ...of, upstream }, now),
    upstream,
    daysHeldMicros: spent.find((one) => one.upstream === upstream)?.heldMicros ?? 0n,
    ...unknown,
    ...(kind === 'account' ? NOTHING_SCHEDULED : await scheduledView(db, of, { path, query, now })),
    ...(await activityView(db, { holder, of, path, query }, now, naming)),
    values: shownRules(row, t),
  }
}

/** On the page of the whole account, both stand with the apps and tokens they are of. */
const NOTHING_UNKNOWN = { unknown: [], hasMoreUnknown: false } as const
const NOTHING_SCHEDULED = { scheduled: [], scheduledPager: null } as const

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

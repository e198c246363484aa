import { readAllowListEntry } from '@vertexsms/contract/ip-allow-list'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { Database, Prisma } from '@vertexsms/db/client'
import { pauseOf } from '@vertexsms/db/paused'
import { rulesThatBind } from '../connections/binding.ts'
import { accountLimits, inSentence, ruleWords } from '../connections/limit-words.ts'
import { spenderIdOf } from '../connections/spenders.ts'
import { countManualTokens, listTokens, manualTokenNames, type TokenRow } from '../connections/tokens.ts'
import type { Naming } from '../connections/who.ts'
import type { ApiTokensPage, TokenView } from '../views/tokens.ts'
import { pageOf } from '../web/paging.ts'
import { timeView } from '../web/times.ts'
import type { Words } from '../words/words.ts'
import { connectionList } from './connection-list.ts'
import { askedOf, distinct, kept, loose, type Order, type Sent } from './list-query.ts'
import { mayWords } from './may.ts'
import { pauseView } from './spender-views.ts'

/** A row of a token is one line; a hundred are all that an account may have. */
const TOKEN_ROWS = 50

type List = Omit<ApiTokensPage, 'viewer' | 'notice'>

/** One page of what can use the account as Settings -> API shows it: each connection with its tokens, and the tokens made by hand. */
export async function tokenList(
  db: Database,
  accountId: string,
  query: unknown,
  now: Date,
  naming: Naming,
): Promise<List> {
  const sent = { query, asked: askedOf(query) }
  // Neither list waits for the other.
  const [apps, tokens, account] = await Promise.all([
    connectionList(db, accountId, sent, now, naming),
    manualTokens(db, accountId, sent, now, naming.t),
    db.spender.findFirst({ where: { id: accountId, accountId } }),
  ])
  const accountPause = account && pauseView(account, now)
  return { ...apps, ...tokens, accountLimits: accountLimits(account, naming.t), accountPause }
}

async function manualTokens(
  db: Database,
  accountId: string,
  { query, asked }: Sent,
  now: Date,
  t: Words,
): Promise<Pick<List, 'tokens' | 'tokenPager' | 'tokenCount' | 'find' | 'order'>> {
  const { find, order } = asked
  const paged = (rows: number) =>
    pageOf(rows, { path: PAGE_PATHS.tokens, query, name: 'tokens', size: TOKEN_ROWS, keep: kept(asked) })
  const tokenCount = await countManualTokens(db, accountId, now)

  const all = async () => {
    const rows = await manualTokenNames(db, accountId, now, order === 'name' ? 'created' : order)
    const found = rows.filter((row) => isFound(row, find))
    if (order === 'name') found.sort((one, other) => byName.compare(one.name, other.name))
    const { skip, pager } = paged(found.length)
    return { names: found.slice(skip, skip + TOKEN_ROWS), pager }
  }
  const one = async (by: Exclude<Order, 'name'>) => {
    const { skip, pager } = paged(tokenCount)
    return { names: await manualTokenNames(db, accountId, now, by, { skip, take: TOKEN_ROWS }), pager }
  }
  // What is looked for is text, and names are put into order as people do: neither is asked of the database.
  const { names, pager } = find !== '' || order === 'name' ? await all() : await one(order)

  const shown = new Map(
    (await listTokens(db, accountId, now, { ids: names.map(({ id }) => id) })).map((row) => [row.id, row]),
  )
  const spenderIds = [...shown.values()].map(spenderIdOf)
  const spenders = await db.spender.findMany({ where: { id: { in: spenderIds }, accountId } })
  const under = new Map(spenders.map((spender) => [spender.id, spender]))
  const labels = distinct(names.map(({ name, lastFour }) => (lastFour === null ? name : `${name} …${lastFour}…`)))
  return {
    tokens: names.flatMap(({ id }, at) => {
      const row = shown.get(id)
      return row ? [tokenView(row, labels[at] ?? '', under.get(spenderIdOf(row)), now, t)] : []
    }),
    tokenPager: pager,
    tokenCount,
    find,
    order,
  }
}

function isFound({ name, lastFour }: Pick<TokenRow, 'name' | 'lastFour'>, find: string): boolean {
  // A copied end counts with its dots. The characters of a value differ by their case, names do not.
  return loose(name).includes(loose(find)) || (lastFour !== null && lastFour === find.replace(/^…|…$/g, ''))
}

const byName = new Intl.Collator(['en', 'lt'], { numeric: true })

function tokenView(
  row: TokenRow,
  label: string,
  spender: Prisma.SpenderGetPayload<object> | undefined,
  now: Date,
  t: Words,
): TokenView {
  const { id, name, lastFour, permissions, ipAllowList, replaced } = row
  return {
    id,
    name,
    label,
    lastFour,
    isPaused: spender !== undefined && pauseOf(spender) !== null,
    may: mayWords(permissions, t),
    permissions,
    ipAllowList,
    deadAddresses: ipAllowList.filter((entry) => readAllowListEntry(entry) === null),
    limits: spender ? inSentence(ruleWords(rulesThatBind(spender, permissions), t)) : [],
    created: timeView(row.createdAt, now),
    lastUsed: row.lastUsedAt && timeView(row.lastUsedAt, now),
    expires: row.expiresAt && timeView(row.expiresAt, now),
    replaced: replaced && { lastFour: replaced.lastFour, ends: timeView(replaced.expiresAt, now) },
  }
}

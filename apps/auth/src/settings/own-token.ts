import type { FastifyRequest } from 'fastify'
import { permissionsSpend, rulesThatBind } from '../connections/binding.ts'
import { ruleWords } from '../connections/limit-words.ts'
import { spenderIdOf, standingOf } from '../connections/spenders.ts'
import { listTokens, type TokenRow } from '../connections/tokens.ts'
import { isUuid } from '../connections/uuid.ts'
import type { TokenFactsView } from '../views/tokens.ts'
import type { WebDeps } from '../web/deps.ts'
import { signedInOf } from '../web/require-session.ts'
import { timeView } from '../web/times.ts'
import type { Words } from '../words/words.ts'
import { mayWords } from './may.ts'

const DAY_MS = 86_400_000

/** The place of the id in a route about one token, which has {@link TokenParams}. */
export const ANY_TOKEN = ':tokenId'

/** A request about one token. */
export interface TokenParams {
  Params: { tokenId: string }
}

/** The live token of this account that a request is about; null for every other id. */
export async function ownToken(
  deps: Pick<WebDeps, 'db'>,
  request: FastifyRequest<TokenParams>,
  now: Date,
): Promise<TokenRow | null> {
  const { tokenId: id } = request.params
  if (!isUuid(id)) return null
  const [row] = await listTokens(deps.db, signedInOf(request).account.id, now, { ids: [id] })
  return row ?? null
}

/** The same for tokens made by hand alone. */
export async function ownManualToken(
  deps: Pick<WebDeps, 'db'>,
  request: FastifyRequest<TokenParams>,
  now: Date,
): Promise<TokenRow | null> {
  const row = await ownToken(deps, request, now)
  return row?.kind === 'manual' ? row : null
}

/** By what a person tells one token from another of the same name. */
export async function tokenFacts(
  deps: Pick<WebDeps, 'db'>,
  row: TokenRow,
  now: Date,
  t: Words,
): Promise<TokenFactsView> {
  const { rules } = await standingOf(deps.db, spenderIdOf(row))
  const limits = row.kind === 'manual' ? ruleWords(rulesThatBind(rules, row.permissions), t) : []
  return {
    name: row.name,
    lastFour: row.lastFour,
    may: mayWords(row.permissions, t),
    permissions: row.permissions,
    ipAllowList: row.ipAllowList,
    limits,
    spends: permissionsSpend(row.permissions),
    created: timeView(row.createdAt, now),
    lastUsed: row.lastUsedAt && timeView(row.lastUsedAt, now),
    expires: row.expiresAt && timeView(row.expiresAt, now),
    lifeDays: row.expiresAt && Math.ceil((row.expiresAt.getTime() - row.createdAt.getTime()) / DAY_MS),
    replaced: row.replaced && { lastFour: row.replaced.lastFour, ends: timeView(row.replaced.expiresAt, now) },
  }
}

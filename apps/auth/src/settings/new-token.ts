import { randomUUID } from 'node:crypto'
import { OAUTH_NAME_PREFIX } from '@vertexsms/contract/api-token'
import { readAllowListEntry } from '@vertexsms/contract/ip-allow-list'
import { toEurText } from '@vertexsms/contract/money'
import { isPermission, PERMISSIONS, type Permission } from '@vertexsms/contract/permissions'
import { isScope, permissionsOf, SCOPE_NAMES, SCOPES, type Scope } from '@vertexsms/contract/scopes'
import { NO_LIMITS } from '@vertexsms/contract/spender-limits'
import * as z from 'zod'
import { isCharged } from '../connections/binding.ts'
import {
  DAY_PRESETS_MICROS,
  NO_DAY_LIMIT,
  OTHER_AMOUNT,
  readDayLimit,
  USUAL_DAY_MICROS,
} from '../connections/day-limit.ts'
import { readRules, unknownCountry } from '../connections/rules.ts'
import { twoWaysProblem } from '../connections/typed-eur.ts'
import { SIZES } from '../service-limits.ts'
import type { TokenFormView } from '../views/tokens.ts'
import { oneText } from '../web/fields.ts'
import type { Words } from '../words/words.ts'
import { MAX_ALLOW_LIST_ENTRIES, splitAllowList } from './ip-allow-list.ts'
import type { NewToken } from './manual-tokens.ts'

/** What most scripts need; ticked in an empty form. */
const TYPICAL_SCOPES: readonly Scope[] = ['sms:send', 'sms:rates']

const DAY_SECONDS = 86_400
const EXPIRIES = {
  '1d': DAY_SECONDS,
  '7d': 7 * DAY_SECONDS,
  '30d': 30 * DAY_SECONDS,
  '90d': 90 * DAY_SECONDS,
  '1y': 365 * DAY_SECONDS,
  never: null,
} as const
type Expiry = keyof typeof EXPIRIES
const EXPIRY_NAMES = Object.keys(EXPIRIES) as readonly Expiry[]
const DEFAULT_EXPIRY: Expiry = '90d'
const USUAL_LIMIT = toEurText(USUAL_DAY_MICROS, 2)

const oneOrMany = z.union([z.string().transform((one) => [one]), z.array(z.string())]).default([])
/** One that was sent twice is no value that a field takes: it must not pass for an empty one, which may mean no bound. */
const text = (otherwise: string) =>
  z
    .union([z.string(), z.array(z.string())])
    .default(otherwise)
    .transform((sent) => oneText(sent) ?? '')
const formSchema = z.object({
  form: z.uuid().catch(() => randomUUID()),
  name: text(''),
  scope: oneOrMany.catch([]),
  permissions: oneOrMany.catch([]),
  limit: text(''),
  own_limit: text(''),
  countries: text(''),
  ip_allow_list: text(''),
  expires_in: text(DEFAULT_EXPIRY),
})
type Sent = z.infer<typeof formSchema>

const MAX_NAME_CHARS = 60
/** Fifty of the longest blocks, with room for how people separate them. */
const MAX_ALLOW_LIST_CHARS = 5_000

type TokenProblems = TokenFormView['problems']
type TokenField = NonNullable<TokenFormView['firstWrong']>
/** The fields that may be wrong, in the order in which they stand. */
const TOKEN_FIELDS: readonly TokenField[] = ['name', 'may', 'own_limit', 'countries', 'ip_allow_list', 'expires_in']

/**
 * What a name is for and how long it may be, said beforehand: a field can count only what is typed, which may be longer,
 * with blanks around it and letters in parts, than what is stored.
 */
export function tokenNameHelp(t: Words): string {
  return t.token.nameHelp(t.format.number(MAX_NAME_CHARS))
}

/** The name of a token as it may be stored, or what is wrong with it. */
export function readTokenName(typed: string, t: Words): { readonly name: string } | { readonly problem: string } {
  const { problems } = t.token
  const name = typed.trim()
  if (name === '') return { problem: problems.nameMissing }
  if (name.length > MAX_NAME_CHARS) return { problem: problems.nameLong(t.format.number(MAX_NAME_CHARS)) }
  if (/\p{C}/u.test(name)) return { problem: problems.nameControl }
  if (name.toLowerCase().startsWith(OAUTH_NAME_PREFIX)) return { problem: problems.nameReserved(OAUTH_NAME_PREFIX) }
  return { name }
}

/** The form before anything is filled in. */
export function emptyTokenForm(t: Words): TokenFormView {
  return formView(formSchema.parse({ scope: [...TYPICAL_SCOPES] }), {}, t)
}

/** Judges a posted form: the token to store, or the form to show again with what is wrong. */
export function readTokenForm(
  body: unknown,
  now: Date,
  t: Words,
): { readonly token: NewToken } | { readonly form: TokenFormView } {
  const sent = formSchema.parse(body ?? {})
  const name = readTokenName(sent.name, t)
  const permissions = readPermissions(sent)
  const limit = readDayLimit(chosenLimit(sent), sent.own_limit)
  const countries = readRules({ countries: sent.countries }, t)
  const addresses = readAddresses(sent.ip_allow_list, t)
  const expires = EXPIRY_NAMES.find((expiry) => expiry === sent.expires_in)
  const { problems: words } = t.token
  const unknown = unknownCountry(sent.countries)
  const problems: TokenProblems = {
    ...('problem' in name && { name: name.problem }),
    ...(permissions === null && { may: words.nothing }),
    ...(limit === null && { own_limit: twoWaysProblem(sent.own_limit, t) ?? words.amount }),
    ...('problems' in countries && { countries: unknown === null ? words.countries : words.country(unknown) }),
    ...('problem' in addresses && { ip_allow_list: addresses.problem }),
    ...(expires === undefined && { expires_in: words.expires }),
  }
  if (
    'problem' in name ||
    permissions === null ||
    limit === null ||
    'problems' in countries ||
    'problem' in addresses ||
    expires === undefined
  )
    return { form: formView(sent, problems, t) }
  const seconds = EXPIRIES[expires]
  return {
    token: {
      form: sent.form,
      name: name.name,
      permissions,
      ipAllowList: addresses.entries,
      expiresAt: seconds === null ? null : new Date(now.getTime() + seconds * 1000),
      limits: { ...NO_LIMITS, maxPerDayMicros: limit.micros, countries: countries.rules.countries ?? [] },
    },
  }
}

/** The form of an account that has as many tokens as it may have. */
export function refusedTokenForm(body: unknown, t: Words): TokenFormView {
  const most = t.format.number(SIZES.manualTokensOfAccount)
  return formView(formSchema.parse(body ?? {}), { form: t.token.problems.tooMany(most) }, t)
}

/** Where nothing is chosen what was typed is, else the usual amount. */
function chosenLimit(sent: Sent): string {
  return sent.limit || (sent.own_limit.trim() === '' ? USUAL_LIMIT : OTHER_AMOUNT)
}

/** Null for none at all, and for what is no scope and no route. */
function readPermissions({ scope, permissions }: Sent): readonly Permission[] | null {
  if (!scope.every(isScope) || !permissions.every(isPermission)) return null
  const held = new Set([...permissionsOf(scope.filter(isScope)), ...permissions])
  return held.size === 0 ? null : PERMISSIONS.filter((permission) => held.has(permission))
}

function readAddresses(typed: string, t: Words): { readonly entries: string[] } | { readonly problem: string } {
  const { problems } = t.token
  const tooMany = { problem: problems.addressMany(t.format.number(MAX_ALLOW_LIST_ENTRIES)) }
  if (typed.length > MAX_ALLOW_LIST_CHARS) return tooMany
  const entries = splitAllowList(typed)
  const wrong = entries.find((entry) => readAllowListEntry(entry) === null)
  if (wrong !== undefined) return { problem: problems.address(wrong.slice(0, 60)) }
  return entries.length > MAX_ALLOW_LIST_ENTRIES ? tooMany : { entries }
}

function formView(sent: Sent, problems: TokenProblems, t: Words): TokenFormView {
  const firstWrong = TOKEN_FIELDS.find((field) => problems[field] !== undefined) ?? null
  const amounts = DAY_PRESETS_MICROS.map((micros) => ({
    value: toEurText(micros, 2),
    label: t.format.eur(micros),
  }))
  const choices = [...amounts.map(({ value }) => value), NO_DAY_LIMIT]
  // Where the amount is wrong its field is what to look at.
  const chosen = problems.own_limit === undefined && choices.find((value) => value === chosenLimit(sent))
  return {
    id: sent.form,
    problems,
    firstWrong,
    name: sent.name,
    nameHelp: tokenNameHelp(t),
    scopes: SCOPE_NAMES.map((name) => ({
      name,
      description: t.scopes.may[name],
      chosen: sent.scope.includes(name),
      billable: SCOPES[name].billable,
    })),
    routes: PERMISSIONS.map((permission) => ({
      permission,
      words: t.routes.route[permission],
      chosen: sent.permissions.includes(permission),
      billable: isCharged(permission),
    })),
    amounts,
    noLimit: NO_DAY_LIMIT,
    otherLimit: OTHER_AMOUNT,
    limit: chosen || OTHER_AMOUNT,
    ownLimit: sent.own_limit,
    countries: sent.countries,
    ipAllowList: sent.ip_allow_list,
    expiries: EXPIRY_NAMES.map((value) => ({
      value,
      label: t.token.expiries[value],
      chosen: value === sent.expires_in,
    })),
  }
}

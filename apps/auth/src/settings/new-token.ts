import { randomUUID } from 'node:crypto'
import { OAUTH_NAME_PREFIX } from '@vertexsms/contract/api-token'
import { readAllowListEntry } from '@vertexsms/contract/ip-allow-list'
import { isPermission, PERMISSIONS, type Permission } from '@vertexsms/contract/permissions'
import { NO_LIMITS } from '@vertexsms/contract/spender-limits'
import { z } from 'zod'
import { SIZES } from '../limits.ts'
import type { TokenFormView } from '../views/pages.ts'
import { MAX_ALLOW_LIST_ENTRIES, splitAllowList } from './ip-allow-list.ts'
import type { NewToken } from './manual-tokens.ts'

/** What most scripts need; ticked in an empty form. */
const TYPICAL_PERMISSIONS: readonly Permission[] = ['POST /sms', 'GET /rates']

/** Routes that are charged to the account's balance; marked in the form. */
const BILLABLE_PERMISSIONS: ReadonlySet<Permission> = new Set<Permission>(['POST /sms', 'POST /hlr'])

const DAY_SECONDS = 86_400
const EXPIRIES = {
  '1d': { label: 'In a day', seconds: DAY_SECONDS },
  '7d': { label: 'In 7 days', seconds: 7 * DAY_SECONDS },
  '30d': { label: 'In 30 days', seconds: 30 * DAY_SECONDS },
  '90d': { label: 'In 90 days', seconds: 90 * DAY_SECONDS },
  '1y': { label: 'In a year', seconds: 365 * DAY_SECONDS },
  never: { label: 'Never', seconds: null },
} as const
type Expiry = keyof typeof EXPIRIES
const DEFAULT_EXPIRY: Expiry = '90d'

const oneOrMany = z.union([z.string().transform((one) => [one]), z.array(z.string())]).default([])
const formSchema = z.object({
  name: z.string().default(''),
  permissions: oneOrMany,
  ip_allow_list: z.string().default(''),
  expires_in: z.string().default(DEFAULT_EXPIRY),
})

const MAX_NAME_CHARS = 60
/** Fifty of the longest blocks, with room for how people separate them. */
const MAX_ALLOW_LIST_CHARS = 5_000

const nameSchema = z
  .string()
  .max(4 * MAX_NAME_CHARS, `The name may have ${MAX_NAME_CHARS} characters at most.`)
  .trim()
  .min(1, 'Give the token a name.')
  .max(MAX_NAME_CHARS, `The name may have ${MAX_NAME_CHARS} characters at most.`)
  .refine((name) => !/\p{C}/u.test(name), 'The name may not contain control characters.')
  .refine(
    (name) => !name.toLowerCase().startsWith(OAUTH_NAME_PREFIX),
    `Names that begin with “${OAUTH_NAME_PREFIX}” belong to connected apps.`,
  )

/** The form before anything is filled in. */
export function emptyTokenForm(): TokenFormView {
  return formView({ name: '', permissions: TYPICAL_PERMISSIONS, ip_allow_list: '', expires_in: DEFAULT_EXPIRY }, [])
}

/** Judges a posted form: the token to store, or the form to show again with what is wrong. */
export function readTokenForm(body: unknown, now: Date): { token: NewToken } | { form: TokenFormView } {
  const sent = formSchema.catch({ name: '', permissions: [], ip_allow_list: '', expires_in: '' }).parse(body ?? {})
  const errors: string[] = []

  const name = nameSchema.safeParse(sent.name)
  if (!name.success) errors.push(name.error.issues[0]?.message ?? '')
  const permissions = PERMISSIONS.filter((permission) => sent.permissions.includes(permission))
  if (permissions.length === 0 || !sent.permissions.every(isPermission))
    errors.push('Choose at least one of the routes.')
  const isTooLong = sent.ip_allow_list.length > MAX_ALLOW_LIST_CHARS
  if (isTooLong) errors.push(`List ${MAX_ALLOW_LIST_ENTRIES} addresses at most.`)
  const ipAllowList = isTooLong ? [] : splitAllowList(sent.ip_allow_list)
  const wrong = ipAllowList.find((entry) => readAllowListEntry(entry) === null)
  if (wrong !== undefined) errors.push(`“${wrong.slice(0, 60)}” is not an IP address or a CIDR block.`)
  if (ipAllowList.length > MAX_ALLOW_LIST_ENTRIES) errors.push(`List ${MAX_ALLOW_LIST_ENTRIES} addresses at most.`)
  const expiry = Object.hasOwn(EXPIRIES, sent.expires_in) ? EXPIRIES[sent.expires_in as Expiry] : undefined
  if (!expiry) errors.push('Choose when the token expires.')

  if (!name.success || !expiry || errors.length > 0) return { form: formView(sent, errors) }
  const expiresAt = expiry.seconds === null ? null : new Date(now.getTime() + expiry.seconds * 1000)
  return { token: { id: randomUUID(), name: name.data, permissions, ipAllowList, expiresAt, limits: NO_LIMITS } }
}

/** The form of an account that has as many tokens as it may have. */
export function refusedTokenForm(body: unknown): TokenFormView {
  const sent = formSchema.catch({ name: '', permissions: [], ip_allow_list: '', expires_in: '' }).parse(body ?? {})
  return formView(sent, [
    `An account may have ${SIZES.manualTokensOfAccount} tokens. Delete one that is no longer used.`,
  ])
}

function formView(
  sent: { name: string; permissions: readonly string[]; ip_allow_list: string; expires_in: string },
  errors: readonly string[],
): TokenFormView {
  return {
    errors,
    name: sent.name,
    ipAllowList: sent.ip_allow_list,
    routes: PERMISSIONS.map((permission) => ({
      permission,
      chosen: sent.permissions.includes(permission),
      billable: BILLABLE_PERMISSIONS.has(permission),
    })),
    expiries: Object.entries(EXPIRIES).map(([value, { label }]) => ({
      value,
      label,
      chosen: value === sent.expires_in,
    })),
  }
}

import { randomUUID } from 'node:crypto'
import { manualToken, OAUTH_NAME_PREFIX } from '@vertexsms/contract/api-token'
import { readAllowListEntry } from '@vertexsms/contract/ip-allow-list'
import { isPermission, PERMISSIONS, type Permission } from '@vertexsms/contract/permissions'
import { NO_LIMITS } from '@vertexsms/contract/spender-limits'
import { tokenLives } from '@vertexsms/db/alive'
import type { Database, Prisma } from '@vertexsms/db/client'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { z } from 'zod'
import { accountTransaction, lockSession } from '../accounts/account-lock.ts'
import { createSpender } from '../connections/spenders.ts'
import { SIZES } from '../limits.ts'
import type { TokenFormView } from '../views/pages.ts'
import { MAX_ALLOW_LIST_ENTRIES, splitAllowList } from './ip-allow-list.ts'

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

/** A manual token that may be stored. */
export interface NewToken {
  readonly name: string
  readonly permissions: readonly Permission[]
  readonly ipAllowList: readonly string[]
  /** Null never expires. */
  readonly expiresAt: Date | null
  /** The token that this one takes the place of: it goes on until the overlap is over, and its spender for longer. */
  readonly replaces?: { readonly tokenId: string; readonly overlapSeconds: number }
}

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
  return { token: { name: name.data, permissions, ipAllowList, expiresAt } }
}

/** The form of an account that has as many tokens as it may have. */
export function refusedTokenForm(body: unknown): TokenFormView {
  const sent = formSchema.catch({ name: '', permissions: [], ip_allow_list: '', expires_in: '' }).parse(body ?? {})
  return formView(sent, [
    `An account may have ${SIZES.manualTokensOfAccount} tokens. Delete one that is no longer used.`,
  ])
}

/** Why no token was made: the account has too many, the browser is signed in no more, or what it replaces is gone. */
export type TokenRefusal = 'too_many' | 'signed_out' | 'nothing_replaced'

/**
 * Stores a new manual token and returns its value, which exists nowhere else. `signed_out` when the session that asks
 * has ended since it was read: a token made by hand outlives a reset, so none may slip in behind one.
 */
export async function createManualToken(
  db: Database,
  by: { readonly accountId: string; readonly sessionId: string },
  token: NewToken,
  now: Date,
): Promise<{ readonly value: string } | { readonly refused: TokenRefusal }> {
  const { accountId } = by
  const value = manualToken(newSecret())
  const data = {
    id: randomUUID(),
    accountId,
    kind: 'manual' as const,
    name: token.name,
    tokenHash: hashToken(value),
    permissions: [...token.permissions],
    ipAllowList: [...token.ipAllowList],
    createdAt: now,
    expiresAt: token.expiresAt,
  }
  // Counted and stored while the account is held, so that posts at once cannot all find room for one.
  return accountTransaction(db, async (tx) => {
    if (!(await lockSession(tx, by))) return { refused: 'signed_out' }
    const has = await tx.apiToken.count({ where: { accountId, kind: 'manual' } })
    if (has >= SIZES.manualTokensOfAccount) return { refused: 'too_many' }
    const spenderId = token.replaces ? await giveWay(tx, accountId, token.replaces) : null
    if (token.replaces && spenderId === null) return { refused: 'nothing_replaced' }
    await tx.apiToken.create({ data: { ...data, spenderId } })
    if (spenderId === null) await createSpender(tx, { kind: 'token', id: data.id, accountId }, NO_LIMITS, now)
    return { value }
  })
}

/** Lets a token run out when the overlap is over, and never later than it would have; its spender, null without one. */
async function giveWay(
  tx: Prisma.TransactionClient,
  accountId: string,
  { tokenId, overlapSeconds }: { readonly tokenId: string; readonly overlapSeconds: number },
): Promise<string | null> {
  const [replaced] = await tx.$queryRaw<{ spenderId: string }[]>`
    UPDATE api_token SET expires_at = least(expires_at, database_now() + ${overlapSeconds}::int * interval '1 second')
    WHERE id = ${tokenId}::uuid AND account_id = ${accountId}::uuid AND kind = 'manual'
      AND ${tokenLives('api_token')}
    RETURNING coalesce(spender_id, id)::text AS "spenderId"`
  return replaced?.spenderId ?? null
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

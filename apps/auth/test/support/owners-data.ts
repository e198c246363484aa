import { randomBytes, randomUUID } from 'node:crypto'
import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { noonZone } from '@vertexsms/db/testing/noon'
import type { Stack } from './stack.ts'

const DAY_MS = 86_400_000
let messages = 0n

/** A message of a spender in a state, with its send. Resolves with its id. */
export async function addMessage(
  stack: Stack,
  of: { readonly accountId: string; readonly spenderId: string },
  changes: Record<string, unknown> = {},
  send: Record<string, unknown> = {},
): Promise<bigint> {
  const sendId = randomUUID()
  const id = 10n ** 17n + BigInt(Date.now()) * 1000n + messages++
  const row = { ...of, upstream: 'sandbox', createdAt: new Date() }
  const kind = { kind: 'sms' as const, generation: 0, route: 'POST /sms', sender: 'Shop', coding: 0, priority: 1 }
  await stack.db.send.create({ data: { id: sendId, ...row, ...kind, ...send } })
  await stack.db.sendMessage.create({
    data: {
      ...row,
      id,
      sendId,
      position: 0,
      recipient: '37061234567',
      country: 'LT',
      parts: 1,
      state: 'unknown',
      holdMicros: 39_000n,
      chargedMicros: 0n,
      handedAt: new Date(),
      ...changes,
    },
  })
  return id
}

/** The row of a connection of the account, alive unless `changes` end it. */
export function connectionOf(accountId: string, changes: Record<string, unknown> = {}) {
  const now = Date.now()
  return {
    id: randomUUID(),
    accountId,
    grantId: randomUUID(),
    clientId: 'client',
    clientName: 'Claude',
    redirectHost: 'claude.ai',
    scopes: ['sms:send'],
    createdAt: new Date(now),
    approvedAt: new Date(now),
    expiresAt: new Date(now + 30 * DAY_MS),
    ...changes,
  }
}

/** Adds one. Resolves with its id. */
export async function addConnection(
  stack: Stack,
  accountId: string,
  changes: Record<string, unknown> = {},
): Promise<string> {
  const { id } = await stack.db.connection.create({ data: connectionOf(accountId, changes) })
  return id
}

/** Adds a token made by hand. Resolves with its id. */
export async function addToken(
  stack: Stack,
  accountId: string,
  changes: Record<string, unknown> = {},
): Promise<string> {
  const made = { id: randomUUID(), accountId, kind: 'manual' as const, name: 'Script', createdAt: new Date() }
  const may = { permissions: ['POST /sms'], ipAllowList: [], tokenHash: new Uint8Array(randomBytes(32)) }
  return (await stack.db.apiToken.create({ data: { ...made, ...may, ...changes } })).id
}

/** What was spent today, and in all, under a spender. */
export function addCount(
  stack: Stack,
  counted: { readonly spenderId: string } & Partial<Record<string, bigint | number | string>>,
) {
  const day = { upstream: 'sandbox', day: new Date(), dayEndsAt: new Date(Date.now() + 3_600_000) }
  return stack.db.spenderCount.create({ data: { ...day, ...counted } })
}

/** The spender of a connection or a token, with what is given of its rules. */
export function addSpender(
  stack: Stack,
  of: { readonly accountId: string; readonly spenderId: string },
  rules: Record<string, unknown> = {},
) {
  const { accountId, spenderId: id } = of
  const kind = id === accountId ? ('account' as const) : ('connection' as const)
  return stack.db.spender.create({ data: { id, accountId, kind, createdAt: new Date(), ...rules } })
}

/** A connection as its approval leaves it, laid: 5.00 EUR a day. */
export async function addBoundedConnection(stack: Stack, accountId: string, clientName: string): Promise<string> {
  const id = await addConnection(stack, accountId, { clientName, redirectHost: '127.0.0.1', scopes: SCOPE_NAMES })
  await addSpender(stack, { accountId, spenderId: id }, { maxPerDayMicros: 5_000_000n })
  return id
}

/** Weeks in which a spender did something of everything; what was counted is the sum of it. */
export async function addActivity(
  stack: Stack,
  of: { readonly accountId: string; readonly spenderId: string },
): Promise<void> {
  const now = Date.now()
  await stack.db.account.update({ where: { id: of.accountId }, data: { timeZone: noonZone(new Date(now)) } })
  const row = { ...of, upstream: 'sandbox', country: 'LT', lastDigits: '567', parts: 1 }
  const sms = { ...row, what: 'sms', outcome: 'OK' }
  const minute = (ago: number, rest: Record<string, unknown>) => ({ ...row, at: new Date(now - ago * 60_000), ...rest })
  const before = Array.from({ length: 16 }, (_, ago) => ({
    ...sms,
    at: new Date(now - (ago + 1) * DAY_MS),
    amountMicros: BigInt((((ago + 1) * 7) % 11) * 130_000),
  }))
  const today = Array.from({ length: 5 }, (_, at) => minute(at + 6, { ...sms, parts: 5, amountMicros: 245_900n }))
  await stack.db.activity.createMany({
    data: [
      ...before,
      ...today,
      minute(1, { what: 'sms', outcome: 'DESTINATION_NOT_ALLOWED', country: 'GB', lastDigits: null, count: 12 }),
      minute(2, { what: 'hlr', outcome: 'OK', amountMicros: 5000n }),
      { ...row, at: new Date(now - 10 * DAY_MS), what: 'settle', outcome: 'OK', amountMicros: -39_000n },
      minute(4, { what: 'sms', outcome: 'SPEND_CAP_REACHED', count: 3 }),
      minute(5, { what: 'pause', outcome: 'CONNECTION_PAUSED', country: null, lastDigits: null }),
    ] as never,
  })
  for (const spenderId of [of.spenderId, of.accountId]) {
    const kind = spenderId === of.accountId ? ('account' as const) : ('connection' as const)
    const begins = { id: spenderId, accountId: of.accountId, kind, createdAt: new Date() }
    await stack.db.spender.upsert({ where: { id: spenderId }, create: begins, update: {} })
    await stack.db.spenderCount.create({
      data: {
        spenderId,
        upstream: 'sandbox',
        day: new Date(),
        dayEndsAt: new Date(now + 3_600_000),
        daySpentMicros: 1_234_500n,
        dayRecipients: 5,
        totalSpentMicros: 11_985_500n,
      },
    })
  }
}

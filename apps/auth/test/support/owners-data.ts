import { randomUUID } from 'node:crypto'
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

/** A connection of the account, alive unless `changes` end it. Resolves with its id. */
export async function addConnection(
  stack: Stack,
  accountId: string,
  changes: Record<string, unknown> = {},
): Promise<string> {
  const id = randomUUID()
  const now = Date.now()
  await stack.db.connection.create({
    data: {
      id,
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
    },
  })
  return id
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

/** Three weeks in which a spender did something of everything, and what it spent. */
export async function addActivity(
  stack: Stack,
  of: { readonly accountId: string; readonly spenderId: string },
): Promise<void> {
  const now = Date.now()
  const row = { ...of, upstream: 'sandbox', country: 'LT', lastDigits: '567', parts: 1 }
  const daily = Array.from({ length: 21 }, (_, ago) => ({
    ...row,
    at: new Date(now - ago * DAY_MS),
    what: 'sms',
    outcome: 'OK',
    amountMicros: BigInt(((ago * 7) % 11) * 130_000),
  }))
  const minute = (ago: number, rest: Record<string, unknown>) => ({ ...row, at: new Date(now - ago * 60_000), ...rest })
  await stack.db.activity.createMany({
    data: [
      ...daily,
      minute(1, { what: 'sms', outcome: 'DESTINATION_NOT_ALLOWED', country: 'GB', lastDigits: null, count: 12 }),
      minute(2, { what: 'hlr', outcome: 'OK', amountMicros: 5000n }),
      minute(3, { what: 'settle', outcome: 'OK', amountMicros: -39_000n }),
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
        dayRecipients: 31,
        totalSpentMicros: 98_765_400n,
      },
    })
  }
}

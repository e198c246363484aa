import { randomBytes, randomUUID } from 'node:crypto'
import type { Stack } from './stack.ts'

export const CONNECTIONS = 1200
export const MANUAL = 95
const TOKENS_EACH = 3

/** Gives the account so many connections with three tokens each, and {@link MANUAL} tokens made by hand. */
export async function crowd(stack: Stack, accountId: string, count = CONNECTIONS): Promise<void> {
  const now = Date.now()
  const connections = Array.from({ length: count }, (_, index) => ({
    id: randomUUID(),
    accountId,
    grantId: randomUUID(),
    clientId: 'client',
    clientName: `App ${index + 1}`,
    redirectHost: 'localhost',
    scopes: ['sms:rates'],
    createdAt: new Date(now),
    approvedAt: new Date(now - index * 1000),
    expiresAt: new Date(now + 86_400_000),
  }))
  const token = (name: string, connectionId: string | null, index: number, seat = 0) => ({
    id: randomUUID(),
    accountId,
    connectionId,
    kind: connectionId ? ('oauth_access' as const) : ('manual' as const),
    name,
    lastFour: connectionId ? null : (index * 7919 + 50_000).toString(36).padStart(4, 'x').slice(-4),
    tokenHash: new Uint8Array(randomBytes(32)),
    permissions: ['GET /rates'],
    ipAllowList: [],
    createdAt: new Date(now - index * 1000),
    expiresAt: connectionId ? new Date(now + (seat + 1) * 1_200_000) : null,
  })
  const issued = connections.flatMap(({ id }, index) =>
    Array.from({ length: TOKENS_EACH }, (_, seat) => token(`oauth:access:${id}`, id, index, seat)),
  )
  const manual = Array.from({ length: MANUAL }, (_, index) => token(`Script ${index + 1}`, null, index))
  await stack.db.connection.createMany({ data: connections })
  await stack.db.apiToken.createMany({ data: [...issued, ...manual] })
}

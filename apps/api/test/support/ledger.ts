import { randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { type Admission, type Admitted, admit, type NewMessage } from '../../src/ledger/admit.ts'
import type { Ledger } from '../../src/ledger/standing.ts'
import { daysAround } from '../../src/limits/days.ts'
import { newSmsId } from '../../src/upstream/ids.ts'
import { seed } from './world.ts'

/** A caller by a token made by hand, as the ledger knows it. */
export interface Payer {
  readonly accountId: string
  readonly tokenId: string
}

/** Makes an account and tokens of it. */
export async function makePayer(db: Database, accountId?: string): Promise<Payer> {
  const { makeAccount, makeToken } = seed(db)
  const account = accountId ?? (await makeAccount()).accountId
  return { accountId: account, tokenId: (await makeToken({ accountId: account })).id }
}

export async function ledgerOf(
  db: Database,
  { accountId, tokenId }: Payer,
  timeZone: string | null = null,
): Promise<Ledger> {
  return { accountId, spenderId: tokenId, upstream: 'sandbox', days: daysAround(await databaseNow(db), timeZone) }
}

/** One recipient at a price. */
export function message(holdMicros: bigint, changes: Partial<NewMessage> = {}): NewMessage {
  const id = newSmsId()
  return {
    id,
    position: 0,
    recipient: '37060000001',
    country: 'LT',
    parts: 1,
    holdMicros,
    holdTold: false,
    fingerprint: null,
    ...changes,
  }
}

/** A send of such recipients, at once where nothing else is said. */
export async function admission(
  db: Database,
  payer: Payer,
  messages: readonly NewMessage[],
  { send, ...changes }: Partial<Omit<Admission, 'send'>> & { send?: Partial<Admission['send']> } = {},
): Promise<Admission> {
  return {
    grant: { accountId: payer.accountId, connectionId: null, tokenId: payer.tokenId },
    ledger: await ledgerOf(db, payer),
    // A test may move the clock before it is admitted.
    askedAt: new Date('2999-01-01'),
    limitedSender: 'Tests',
    unpriced: false,
    how: 'at_once',
    leaseSeconds: 20,
    approval: null,
    ...changes,
    send: {
      id: randomUUID(),
      kind: 'sms',
      generation: 0,
      route: '/sms',
      keyHash: null,
      payloadDigest: null,
      repeats: [],
      sender: 'Tests',
      coding: 0,
      sealedText: null,
      priority: 1,
      testMode: null,
      dlrUrl: null,
      scheduledAt: null,
      expireInSeconds: null,
      ...send,
      messages: messages.map((one, position) => ({ ...one, position })),
    },
  }
}

/** Admits and tells what came of it. */
export async function admitted(
  db: Database,
  payer: Payer,
  messages: readonly NewMessage[],
  changes: Parameters<typeof admission>[3] = {},
): Promise<Admitted> {
  return admit(db, await admission(db, payer, messages, changes))
}

/** Sets limits of a spender, whose row is made if it is missing. */
export async function limit(db: Database, payer: Payer, id: string, limits: Record<string, unknown>): Promise<void> {
  const kind = id === payer.accountId ? 'account' : 'token'
  await db.spender.upsert({
    where: { id },
    create: { id, accountId: payer.accountId, kind, createdAt: new Date(), ...limits },
    update: limits,
  })
}

/** The counters of a spender. */
export function countOf(db: Database, spenderId: string) {
  return db.spenderCount.findUniqueOrThrow({ where: { spenderId_upstream: { spenderId, upstream: 'sandbox' } } })
}

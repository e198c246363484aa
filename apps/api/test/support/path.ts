import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { API_KEY_PURPOSES, deriveApiKeys, derivedKeysSchema } from '@vertexsms/secrets/derived-keys'
import { createLogger } from '@vertexsms/service/logger'
import type { FastifyBaseLogger } from 'fastify'
import { createRefusalLog } from '../../src/activity/record.ts'
import type { Sender, SendingDeps, Step } from '../../src/sending/deps.ts'
import { createCrowd, createPlaces } from '../../src/sending/places.ts'
import { createSending, type Sending } from '../../src/sending/send.ts'
import type { SmsCall } from '../../src/sending/sms-entry.ts'
import { LIMITS } from '../../src/service-limits.ts'
import type { SendingUpstream } from '../../src/upstream/upstream.ts'
import type { Payer } from './ledger.ts'
import { PATIENT_TIMES } from './patience.ts'

/** One process that sends, without the HTTP around it. */
export interface PathNode {
  readonly deps: SendingDeps
  readonly sending: Sending
}

/** A node over the database and this upstream. */
export function pathNode(db: Database, operator: SendingUpstream, changes: Partial<SendingDeps> = {}): PathNode {
  const deps: SendingDeps = {
    db,
    operator,
    registerNumber: async () => '1',
    keys: derivedKeysSchema(API_KEY_PURPOSES).parse(deriveApiKeys(Buffer.alloc(32, 7))),
    issuer: 'http://localhost:4000',
    checkCallbackUrl: (url) => url,
    times: PATIENT_TIMES,
    places: createPlaces(),
    turns: createPlaces(),
    lists: createCrowd(LIMITS.lists.perAccount),
    refusals: createRefusalLog(db),
    watch: { note: () => {} },
    log: createLogger({ service: 'api', level: 'silent', destination: { write: () => {} } }) as FastifyBaseLogger,
    wakeIn: () => {},
    at: () => {},
    ...changes,
  }
  return { deps, sending: createSending(deps) }
}

/** A caller by a token made by hand. */
export function senderOf({ accountId, tokenId }: Payer, now: () => Date = () => new Date()): Sender {
  const requestId = randomUUID()
  return { id: tokenId, requestId, accountId, connectionId: null, spenderId: tokenId, timeZone: null, now }
}

/** A call, of one recipient or many. */
export function smsCall(
  payer: Payer,
  to: readonly string[],
  { now, body, ...changes }: Partial<Omit<SmsCall, 'body'>> & { body?: Record<string, unknown>; now?: () => Date } = {},
): SmsCall {
  return {
    sender: senderOf(payer, now),
    route: to.length === 1 ? '/sms' : '/sms/batch',
    body: { to: [...to], from: 'Tests', message: 'Hello', ...body },
    idempotencyKey: null,
    throughMcp: false,
    allowRepeat: false,
    ...changes,
  }
}

/** A process that dies in the middle of a call: whatever it awaits next never comes. */
export class Died extends Error {
  override name = 'Died'
}

const calls = new AsyncLocalStorage<(step: Step) => Promise<void> | void>()

/** The `at` of a node whose calls die where {@link mortally} says. */
export const dying: SendingDeps['at'] = (step) => calls.getStore()?.(step)

/** Runs a call that dies at the steps for which `dies` is true, and everything of it that runs on. Throws Died then. */
export async function mortally<Result>(dies: (step: Step) => boolean, call: () => Promise<Result>): Promise<Result> {
  let die = () => {}
  const death = new Promise<never>((_resolve, reject) => {
    die = () => reject(new Died('the process died'))
  })
  death.catch(() => {})
  const at = (step: Step) => {
    if (!dies(step)) return
    die()
    return new Promise<void>(() => {})
  }
  return await Promise.race([calls.run(at, call), death])
}

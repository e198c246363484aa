import { randomBytes, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { checkedTokenContext, INTERNAL_PATHS, type InternalRoute, internalAnswers } from '@vertexsms/contract/internal'
import { API_KEY_PURPOSES, deriveApiKeys, derivedKeysSchema } from '@vertexsms/secrets/derived-keys'
import { seal } from '@vertexsms/secrets/seal'
import { createLogger } from '@vertexsms/service/logger'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createInternalListener, internalRoutes } from '../src/routes/internal.ts'
import { createOperator } from '../src/upstream/sandbox/operator.ts'
import { rateCard } from '../src/upstream/sandbox/prices.ts'
import { startWorld, type World } from './support/world.ts'

const KEYS = derivedKeysSchema(API_KEY_PURPOSES).parse(deriveApiKeys(Buffer.alloc(32, 7)))
const PROOF = `Bearer ${Buffer.from(KEYS.internal).toString('base64url')}`
const TOKEN = 'a-token-that-nobody-may-read-0001'

let world: World
let internal: FastifyInstance
let url: string
const lines: string[] = []
let asked: string[] = []

beforeAll(async () => {
  world = await startWorld()
  const logger = createLogger({
    service: 'api',
    level: 'debug',
    destination: { write: (line: string) => void lines.push(line) },
  })
  internal = createInternalListener(logger)
  const operator = createOperator({
    db: world.db,
    times: { deliveryMs: 1_000, hlrMs: 1_000, reviewMs: 1_000 },
    wakeIn: () => {},
    door: { delivery: async () => {}, lookup: async () => {} },
  })
  internalRoutes(internal, {
    deps: { db: world.db, operator },
    upstream: { rates: async () => ({ rows: rateCard(), ageSeconds: 0 }) },
    keys: KEYS,
    checkToken: async (token) => {
      asked.push(token)
      return token === TOKEN ? 'accepted' : 'refused'
    },
  })
  await internal.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${(internal.server.address() as AddressInfo).port}`
})
afterAll(async () => {
  await internal?.close()
  await world?.close()
})
beforeEach(() => {
  asked = []
})

async function ask(route: InternalRoute, body: unknown, proof: string | null = PROOF) {
  const response = await fetch(url + INTERNAL_PATHS[route], {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(proof === null ? {} : { authorization: proof }) },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

function sealed(token: string, accountId: string, key: Uint8Array = KEYS['upstream-token']): string {
  return Buffer.from(seal(key, token, checkedTokenContext(accountId))).toString('base64url')
}

describe('the internal listener', () => {
  test.each(Object.keys(INTERNAL_PATHS) as InternalRoute[])('answers %s to nobody without the proof', async (route) => {
    const { accountId } = world
    const body = { accountId, sealedToken: sealed(TOKEN, accountId), messageId: '1' }
    const wrong = [null, '', 'Bearer ', `Bearer ${randomBytes(32).toString('base64url')}`, PROOF.slice(0, -1)]
    for (const proof of [...wrong, `${PROOF}x`, world.token]) expect((await ask(route, body, proof)).status).toBe(401)
    expect(asked).toEqual([])
  })

  test.each(Object.values(INTERNAL_PATHS))('is the only one that has %s', async (path) => {
    const { status } = await world.node.call(`POST ${path}`, { token: world.token, headers: { authorization: PROOF } })
    // Two credentials that differ are refused before there is an address.
    expect([400, 404]).toContain(status)
    expect((await world.node.call(`POST ${path}`, { token: world.token, body: {} })).status).toBe(404)
  })

  test('asks the upstream about a token, which crosses sealed and stands in no log', async () => {
    const { accountId } = world
    const check = async (sealedToken: string) => (await ask('checkToken', { accountId, sealedToken })).body.verdict
    expect(await check(sealed(TOKEN, accountId))).toBe('accepted')
    expect(await check(sealed('another-token-0002', accountId))).toBe('refused')
    expect(asked).toEqual([TOKEN, 'another-token-0002'])
    expect(lines.join('\n')).not.toContain(TOKEN)
    expect(lines.join('\n')).not.toContain(PROOF.slice(7))
  })

  test.each([
    ['of another account', (accountId: string) => ({ accountId, sealedToken: sealed(TOKEN, randomUUID()) })],
    [
      'under another key',
      (accountId: string) => ({ accountId, sealedToken: sealed(TOKEN, accountId, randomBytes(32)) }),
    ],
    ['that is not sealed', (accountId: string) => ({ accountId, sealedToken: TOKEN })],
    ['of nobody', () => ({ sealedToken: sealed(TOKEN, randomUUID()) })],
  ])('asks nobody about a token %s', async (_what, bodyOf) => {
    expect((await ask('checkToken', bodyOf(world.accountId))).status).toBe(400)
    expect(asked).toEqual([])
  })

  test('tells rates and balance of the account that is named', async () => {
    const { accountId } = await world.makeAccount(1_234_567n)
    const rates = internalAnswers.rates.parse((await ask('rates', { accountId })).body)
    expect(rates.rates).toHaveLength(rateCard().length)
    expect((await ask('balance', { accountId })).body).toEqual({ balance: '1.234567', currency: 'EUR' })
  })

  test('cancels what waits, once, and only of the account that is named', async () => {
    const { accountId, token } = await world.makeAccount()
    const scheduled = new Date(Date.now() + 3_600_000).toISOString()
    const sent = await world.node.call<string[]>('POST /sms', {
      token,
      body: { to: '37060000001', from: 'Tests', message: 'Hello', scheduled },
    })
    const [messageId = ''] = sent.body
    const cancelled = async (whose: string) => (await ask('cancel', { accountId: whose, messageId })).body.cancelled
    expect(await cancelled(world.accountId)).toBe(false)
    expect(await cancelled(accountId)).toBe(true)
    expect(await cancelled(accountId)).toBe(false)
    expect((await world.db.sendMessage.findUniqueOrThrow({ where: { id: BigInt(messageId) } })).state).toBe('released')
  })
})

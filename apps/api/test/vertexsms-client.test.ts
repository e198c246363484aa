// The client of the real API: what one account's calls come to is nothing to another's.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '@vertexsms/db/client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createUpstreamClient, type UpstreamClient } from '../src/upstream/vertexsms/client.ts'
import { createVertexAccess } from '../src/upstream/vertexsms/operator.ts'
import { createReportAddresses } from '../src/upstream/vertexsms/report-address.ts'
import { eventually } from './support/eventually.ts'
import { standStill } from './support/stand-still.ts'

const SLOW = 'token-of-a-full-queue'
const SOUND = 'token-of-another-account'
const read = { method: 'GET', path: '/rates' } as const
const limits = { timeoutMs: 60, maxBytes: 1_000 }
const patient = { ...limits, timeoutMs: 60_000 }
const NOT_CALLED = { kind: 'silence', handedOver: false }

let close: () => Promise<void>
let url: string
let client: UpstreamClient
/** Calls of {@link SLOW}, and of tokens that begin so, that were not answered yet. */
let held: ServerResponse[]
let calls: string[]
/** Connections that were made. */
let connections: number
/** To the sound token. */
let answer: { status: number; body: string }

beforeEach(async () => {
  held = []
  calls = []
  connections = 0
  answer = { status: 200, body: '[]' }
  const server = createServer((request: IncomingMessage, response) => {
    calls.push(request.url ?? '')
    if (String(request.headers['x-vertexsms-token']).startsWith(SLOW)) held.push(response)
    else response.writeHead(answer.status, { location: '/elsewhere' }).end(answer.body)
  })
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  client = createUpstreamClient(`${url}/v1/`)
  close = async () => {
    await client.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
afterEach(() => close())

/**
 * A call that is handed over and is not answered in its time. A busy machine may not be connected in it: then another has
 * twice as much. One that is refused sooner fails the test.
 */
async function unanswered(): Promise<void> {
  for (let { timeoutMs } = limits; ; timeoutMs *= 2) {
    const before = calls.length
    const startedAt = performance.now()
    const answer = await client.call(SLOW, read, { ...limits, timeoutMs })
    const tookMs = performance.now() - startedAt
    if (answer.kind === 'silence' && !answer.handedOver && tookMs >= timeoutMs - 1) continue
    expect(answer).toEqual({ kind: 'silence', handedOver: true })
    await eventually(async () => calls.length > before)
    return
  }
}

test('a token whose calls are not answered is not called for a moment; other tokens are', async () => {
  for (let at = 0; at < 3; at++) await unanswered()
  // But for a probe every half second, which a busy machine may be late enough for.
  await eventually(async () => {
    const before = calls.length
    const answer = await client.call(SLOW, read, limits)
    return answer.kind === 'silence' && !answer.handedOver && calls.length === before
  })
  expect(await client.call(SOUND, read, patient)).toMatchObject({ kind: 'answer', status: 200 })
})

test('the probe of such a token, which waits for long, holds up no other', async () => {
  for (let at = 0; at < 3; at++) await unanswered()
  const probe = await eventually(async () => {
    const answer = client.call(SLOW, read, patient)
    return (await Promise.race([answer, new Promise((resolve) => setImmediate(resolve))])) === undefined && { answer }
  })
  expect(await client.call(SOUND, read, patient)).toMatchObject({ kind: 'answer' })
  for (const response of await eventually(async () => held.length > 3 && held)) response.end('[]')
  expect(await probe.answer).toMatchObject({ kind: 'answer' })
  // Its answer ends the pause of its token: not the next call alone is made.
  for (let at = 0; at < 2; at++) await unanswered()
})

test('a token has some calls on the way at one time; the others wait their turn, and another token waits for none', async () => {
  const many = Array.from({ length: 400 }, () => client.call(SLOW, read, patient))
  await eventually(async () => held.length > 0)
  expect(await client.call(SOUND, read, patient)).toMatchObject({ kind: 'answer' })
  let answered = 0
  for (; answered < many.length; ) {
    const now = await eventually(async () => held.length > 0 && held.splice(0))
    expect(now.length).toBeLessThanOrEqual(16)
    answered += now.length
    for (const response of now) response.end('[]')
  }
  expect((await Promise.all(many)).every(({ kind }) => kind === 'answer')).toBe(true)
})

test('a call whose time is over while it waits its turn was certainly not made', async () => {
  const first = Array.from({ length: 16 }, () => client.call(SLOW, read, patient))
  await eventually(async () => held.length === 16)
  expect(await client.call(SLOW, read, limits)).toEqual(NOT_CALLED)
  for (const response of held) response.end('[]')
  await Promise.all(first)
  expect(calls.length).toBe(16)
})

test('a call whose time ended while this process stood still before it was written was certainly not made, and tells nothing of its token', async () => {
  for (let at = 0; at < 3; at++) {
    const call = client.call(SOUND, read, limits)
    standStill(2 * limits.timeoutMs)
    expect(await call).toEqual(NOT_CALLED)
  }
  expect(calls).toEqual([])
  expect(await client.call(SOUND, read, patient)).toMatchObject({ kind: 'answer' })
})

test('nor was one for which a connection was there, and which was about to be written when the process stood still', async () => {
  await client.call(SOUND, read, patient)
  // Its connection is free now, and looked at once more before something is written to it.
  await new Promise((resolve) => setImmediate(resolve))
  setImmediate(standStill, 2 * limits.timeoutMs)
  expect(await client.call(SOUND, read, limits)).toEqual(NOT_CALLED)
  expect(await client.call(SOUND, read, patient)).toMatchObject({ kind: 'answer' })
  expect(calls.length).toBe(2)
})

test('a call that waits its turn is not made once its token’s calls are found to be unanswered', async () => {
  const first = Array.from({ length: 16 }, () => client.call(SLOW, read, patient))
  await eventually(async () => held.length === 16)
  const waiting = Array.from({ length: 4 }, () => client.call(SLOW, read, patient))
  for (const response of held.splice(0)) response.destroy()
  for (const answer of await Promise.all(first)) expect(answer).toEqual({ kind: 'silence', handedOver: true })
  // The third that was not answered is one too many.
  expect(await Promise.all(waiting.slice(2))).toEqual([NOT_CALLED, NOT_CALLED])
  for (const response of await eventually(async () => held.length === 2 && held)) response.end('[]')
  for (const answer of await Promise.all(waiting.slice(0, 2))) expect(answer).toMatchObject({ kind: 'answer' })
  expect(calls.length).toBe(18)
})

test('nor does another call of such a token wait for its turn, while as many as may be are on the way', async () => {
  const many = Array.from({ length: 18 }, () => client.call(SLOW, read, patient))
  await eventually(async () => held.length === 16)
  for (const response of held.splice(0, 3)) response.destroy()
  // Both that waited are made, and the probe.
  await eventually(async () => {
    if (held.length === 15) many.push(client.call(SLOW, read, patient))
    return held.length === 16
  })
  expect(await client.call(SLOW, read, patient)).toEqual(NOT_CALLED)
  for (const response of held) response.end('[]')
  await Promise.all(many)
})

describe('while as many calls as there are connections are not answered', () => {
  const busy = async () => {
    const many = Array.from({ length: 256 }, (_, at) => client.call(`${SLOW}-${at % 128}`, read, patient))
    await eventually(async () => held.length === 256)
    return many
  }
  const release = (some: ServerResponse[]) => {
    for (const response of some) response.end('[]')
  }

  test('one more ends, certainly not made, with time left, and costs nobody a connection', async () => {
    const many = await busy()
    const timeoutMs = 1_000
    const call = client.call(SOUND, read, { ...limits, timeoutMs })
    // Timers of one process end in their order, however late.
    const late = delay(0.875 * timeoutMs, 'late', { ref: false })
    expect(await Promise.race([call, late])).toEqual(NOT_CALLED)
    release(held)
    await Promise.all(many)
    expect(await client.call(SOUND, read, patient)).toMatchObject({ kind: 'answer' })
    expect([calls.length, connections]).toEqual([257, 256])
  })

  test('one more is made once, as soon as one of them is answered', async () => {
    const many = await busy()
    const more = client.call(SOUND, read, patient)
    release(held.splice(0, 1))
    expect(await more).toMatchObject({ kind: 'answer' })
    expect([calls.length, connections]).toEqual([257, 256])
    release(held)
    await Promise.all(many)
  })
})

test('the path of the API’s address comes before that of the route', async () => {
  await client.call(SOUND, read, patient)
  expect(calls).toEqual(['/v1/rates'])
})

test.each([
  ['a rate card', 200, JSON.stringify([{ CountryCode: 'LT', MCC: '246', MNC: null, Rate: '0.04' }]), 'accepted'],
  ['401', 401, '{"message":"Authentication failed"}', 'refused'],
  ['403, with which nothing could be sent', 403, '{"message":"Not from this address"}', 'refused'],
  ['the page of a proxy', 200, '<html>Sign in to the network</html>', 'not_asked'],
  ['an empty list', 200, '[]', 'not_asked'],
  ['a redirect', 302, '', 'not_asked'],
  ['a failure', 500, '{}', 'not_asked'],
])('a token that is answered with %s is told so', async (_what, status, body, verdict) => {
  answer = { status, body }
  const access = createVertexAccess({
    // A token that is stored nowhere is looked for nowhere.
    db: {} as Database,
    client,
    addresses: createReportAddresses(Buffer.alloc(32), undefined),
    tokenKey: Buffer.alloc(32),
    issuer: 'http://localhost:4000',
    sendTimeoutMs: 1_000,
    readTimeoutMs: 60_000,
  })
  expect(await access.checkToken(SOUND)).toBe(verdict)
  expect(calls).toHaveLength(1)
})

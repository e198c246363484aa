// An API that is slow: whom it holds up, and for how long.
import { once } from 'node:events'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { ApiTimes } from '../src/api/client.ts'
import { READ_TIMEOUT_MS } from '../src/api/timeouts.ts'
import { envelopeOf, failureOf, resultOf } from './support/read.ts'
import { modern, post, type Stack, startStack } from './support/stack.ts'
import { HALT_MS } from './support/upstream.ts'

let stack: Stack
afterEach(() => stack.close())

const OPERATOR = modern('tools/call', { name: 'get_operator', arguments: { operatorId: 7 } })
const asked = (at: string) => stack.upstream.seen.filter(({ path }) => path === at).length

// Answers nobody at an address until the test lets it.
function hold(held: string): () => void {
  let release = () => {}
  const released = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined)
  })
  stack.upstream.override = ({ path }) => (path === held ? released : undefined)
  return release
}

it.each([
  ['that it was issued', () => stack.accessToken({ payload: { sub: 'greedy' } })],
  ['made by hand', async () => stack.manualToken('greedy')],
])(
  'for one account, by whichever of its tokens %s, leaves connections to every other, and its own calls take turns',
  async (_kind, make) => {
    stack = await startStack()
    const release = hold('/operators/7')
    const tokens = await Promise.all(Array.from({ length: 5 }, make))
    for (const token of tokens) expect((await post(stack.url, token, modern('tools/list'))).status).toBe(200)
    const greedy = Array.from({ length: 300 }, (_, index) => post(stack.url, tokens[index % 5] ?? '', OPERATOR))
    await expect.poll(() => asked('/operators/7')).toBe(64)

    const modest = await stack.accessToken({ payload: { sub: 'modest' } })
    expect((await post(stack.url, modest, modern('tools/list'))).status).toBe(200)
    expect(asked('/operators/7')).toBe(64)

    release()
    for (const { status } of await Promise.all(greedy)) expect(status).toBe(200)
    expect(asked('/operators/7')).toBe(300)
  },
  60_000,
)

it.each(['drip', 'halting'] as const)(
  'that tells its answer by bits is not listened to for longer than a call may take: %s',
  async (how) => {
    // Longer than either half of the answer that halts, and not than both.
    stack = await startStack({ apiTimes: { answerMaxMs: HALT_MS * 1.2 } })
    stack.upstream.override = ({ path }) => (path === '/operators/7' ? how : undefined)
    const answer = await post(stack.url, await stack.accessToken(), OPERATOR)
    expect(failureOf(await resultOf(answer)).code).toBe('UPSTREAM_TIMEOUT')
  },
  10_000,
)

it('that begins its answer after its time is not listened to', async () => {
  stack = await startStack({ apiTimes: { answerMaxMs: 0 } })
  stack.upstream.override = ({ path }) => (path === '/operators/7' ? 'halting' : undefined)
  const answer = await post(stack.url, await stack.accessToken(), OPERATOR)
  expect(failureOf(await resultOf(answer)).code).toBe('UPSTREAM_TIMEOUT')
})

it('whose answer waits to be read is listened to, though the server itself stood still until after its time', async () => {
  stack = await startStack({ apiTimes: { answerMaxMs: 1_000 } })
  const token = await stack.acceptedToken()
  stack.upstream.override = ({ path }) => {
    // Both ends stand still together: once they go on, the end of the time and the answer come in one turn.
    if (path === '/sms/batch') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_100)
    return undefined
  }
  const args = { to: '+37069555555', from: 'Shop', message: 'Hi' }
  const answer = await post(stack.url, token, modern('tools/call', { name: 'send_sms', arguments: args }))
  expect((await resultOf(answer)).isError).toBeUndefined()
  expect(asked('/sms/batch')).toBe(1)
})

it('for one account is not asked by it again and again, and is asked by every other', async () => {
  stack = await startStack({ apiTimes: { answerMaxMs: 300 } })
  const greedy = await stack.accessToken({ payload: { sub: 'greedy' } })
  const modest = await stack.accessToken({ payload: { sub: 'modest' } })
  stack.upstream.override = ({ path }) => (path === '/operators/7' ? 'hang' : undefined)
  const codes = await Promise.all(
    Array.from({ length: 5 }, async () => failureOf(await resultOf(await post(stack.url, greedy, OPERATOR))).code),
  )
  expect(codes).toEqual(Array(5).fill('UPSTREAM_TIMEOUT'))
  // A probe of the account that is under way holds up nobody either.
  const probing = Promise.all(Array.from({ length: 20 }, () => post(stack.url, greedy, OPERATOR)))
  for (let calls = 0; calls < 5; calls++) {
    expect((await post(stack.url, modest, modern('tools/list'))).status).toBe(200)
  }
  const refused = (await probing).filter(({ status }) => status === 503)
  // But for a probe each half second.
  expect(refused.length).toBeGreaterThanOrEqual(10)
  expect(asked('/operators/7')).toBeLessThanOrEqual(15)
})

it('for one account is asked by its other calls again, though a lookup that waits asked first', async () => {
  stack = await startStack()
  const token = await stack.accessToken({ payload: { sub: 'patient' } })
  const status = async () => (await post(stack.url, token, modern('tools/list'))).status
  stack.upstream.override = () => 'cut'
  for (const _ of [1, 2, 3]) expect(await status()).toBe(503)
  stack.upstream.override = undefined
  const lookup = modern('tools/call', { name: 'lookup_hlr', arguments: { lookupId: '7' } })
  const looks: Promise<Response>[] = []
  const look = () => {
    looks.push(post(stack.url, token, lookup))
    return asked('/hlr/7?wait=20')
  }
  await expect.poll(look).toBeGreaterThan(0)
  await expect.poll(status).toBe(200)
  const network = { imsi: null, country: 'LT', operatorId: 7, operator: 'BITE', mcc: '246', mnc: '02', ported: [] }
  stack.upstream.hlrResults.set('7', { id: '7', error: '0', ...network })
  await Promise.all(looks)
})

it('for three accounts is not asked by anybody until it answers again', async () => {
  stack = await startStack({ apiTimes: { answerMaxMs: 300 } })
  const tokens = await Promise.all(['a', 'b', 'c', 'd'].map((sub) => stack.accessToken({ payload: { sub } })))
  stack.upstream.override = () => 'hang'
  const ask = async (token = '') => (await post(stack.url, token, modern('tools/list'))).status
  expect(await Promise.all(tokens.slice(0, 3).map(ask))).toEqual([503, 503, 503])
  const before = asked('/token')
  expect(await ask(tokens[3])).toBe(503)
  expect(asked('/token')).toBe(before)
  stack.upstream.override = undefined
  await expect.poll(() => ask(tokens[3])).toBe(200)
  expect(await Promise.all(tokens.map(ask))).toEqual([200, 200, 200, 200])
})

it('is not waited for by a call whose turn does not come in time, nor asked for it any more', async () => {
  stack = await startStack({ apiTimes: { turnMaxMs: 300 } })
  const release = hold('/sms/batch')
  const token = await stack.accessToken({ payload: { sub: 'greedy' } })
  const args = { to: '+37069555555', from: 'Shop', message: 'Hi' }
  const send = modern('tools/call', { name: 'send_sms', arguments: args })
  const sends = Array.from({ length: 64 }, () => post(stack.url, token, send))
  await expect.poll(() => asked('/sms/batch')).toBe(64)
  expect((await post(stack.url, token, modern('tools/list'))).status).toBe(503)
  release()
  for (const response of await Promise.all(sends)) expect((await resultOf(response)).isError).toBeUndefined()
  expect(asked('/token')).toBe(0)
}, 60_000)

describe('that answers nothing on any connection', () => {
  const SEND = modern('tools/call', {
    name: 'send_sms',
    arguments: { to: '+37069555555', from: 'Shop', message: 'Hi' },
  })
  const sends = () => asked('/sms/batch')
  const tokenOf = (sub: string) => stack.accessToken({ payload: { sub } })
  /** What lets the sends that are held be answered, each with its token. */
  let held: { readonly token: string; readonly release: () => void }[]
  /** Of an account that has no send there; verified before, which takes a moment, so that what it sends is in line at once. */
  let modest: string
  const release = (some: typeof held) => {
    for (const one of some) one.release()
  }

  /** A server whose sends none is answered of before it is released, but for those after so many. */
  async function begin(heldMax: number, apiTimes?: ApiTimes): Promise<void> {
    stack = await startStack(apiTimes && { apiTimes })
    held = []
    modest = await tokenOf('modest')
    expect((await post(stack.url, modest, modern('tools/list'))).status).toBe(200)
    stack.upstream.override = ({ path, token }) => {
      if (path !== '/sms/batch' || sends() > heldMax) return undefined
      return new Promise((resolve) => {
        held.push({ token, release: () => resolve(undefined) })
      })
    }
  }

  const sendOften = (token: string, often: number) => Array.from({ length: often }, () => post(stack.url, token, SEND))

  const untilHeld = (count: number) => expect.poll(() => held.length, { timeout: 20_000 }).toBe(count)

  /** Has every connection to the API busy with a send, of as many accounts as it takes. */
  async function busy(apiTimes?: ApiTimes): Promise<Promise<Response>[]> {
    await begin(256, apiTimes)
    const tokens = await Promise.all(Array.from({ length: 32 }, (_, at) => tokenOf(`slow ${at}`)))
    const sent = tokens.flatMap((token) => sendOften(token, 8))
    await untilHeld(256)
    return sent
  }

  /** Returns once what the server was given before has been seen by it. */
  const seen = async () => expect((await post(stack.url, null, 'nothing')).status).toBe(401)

  it('is not given a send that found none in time, which was surely not made', async () => {
    const sent = await busy({ turnMaxMs: 300 })
    const late = await post(stack.url, await tokenOf('e'), SEND)
    expect(late.status).toBe(503)
    expect(await envelopeOf(late)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true })
    release(held)
    for (const response of await Promise.all(sent)) expect((await resultOf(response)).isError).toBeUndefined()
    // It has left the line: the next one is the only one that is made.
    const next = await post(stack.url, await tokenOf('f'), SEND)
    expect((await resultOf(next)).isError).toBeUndefined()
    expect(sends()).toBe(257)
  }, 60_000)

  it('is given the send that waits as soon as one is free, once, and not that of whoever has many', async () => {
    const sent = await busy()
    const most = held.shift()
    const more = post(stack.url, most?.token ?? '', SEND)
    await seen()
    const waiting = post(stack.url, modest, SEND)
    await seen()
    expect(sends()).toBe(256)
    const other = held.findIndex(({ token }) => token !== most?.token)
    release(held.splice(other, 1))
    expect((await resultOf(await waiting)).isError).toBeUndefined()
    expect(sends()).toBe(257)
    most?.release()
    release(held)
    for (const response of await Promise.all([...sent, more]))
      expect((await resultOf(response)).isError).toBeUndefined()
    expect(sends()).toBe(258)
  }, 60_000)

  it('has connections left for whoever has few sends there, however many some accounts make', async () => {
    await begin(Number.POSITIVE_INFINITY)
    const sent: Promise<Response>[] = []
    // Three take all that is for anybody; of what is kept, others have as many as are few.
    for (const count of [64, 128, 192, 200, 208]) {
      sent.push(...sendOften(await tokenOf(`most ${count}`), 64))
      await untilHeld(count)
    }
    const few = sendOften(modest, 8)
    await untilHeld(216)
    const ofModest = held.splice(-8)
    expect(new Set(ofModest.map(({ token }) => token))).toEqual(new Set([modest]))
    release(ofModest)
    for (const response of await Promise.all(few)) expect((await resultOf(response)).isError).toBeUndefined()
    stack.upstream.override = undefined
    release(held)
    for (const response of await Promise.all(sent)) expect((await resultOf(response)).isError).toBeUndefined()
    expect(sends()).toBe(5 * 64 + 8)
  }, 60_000)

  it('is given a send of whoever has few from now on at once, though somebody else waits longer for the place', async () => {
    await begin(Number.POSITIVE_INFINITY)
    const sent: Promise<Response>[] = []
    const [few, most] = [await tokenOf('few'), await tokenOf('most')]
    for (const token of [await tokenOf('more'), await tokenOf('other')]) sent.push(...sendOften(token, 64))
    sent.push(...sendOften(most, 56), ...sendOften(few, 8))
    await untilHeld(192)
    sent.push(...sendOften(most, 1))
    await seen()
    sent.push(...sendOften(few, 1))
    await seen()
    expect(held).toHaveLength(192)
    const own = held.findIndex(({ token }) => token === few)
    release(held.splice(own, 1))
    // Both: one has the place of that, the other one of those that are kept.
    await untilHeld(193)
    expect(held.slice(-2).map(({ token }) => token)).toEqual([most, few])
    stack.upstream.override = undefined
    release(held)
    for (const response of await Promise.all(sent)) expect((await resultOf(response)).isError).toBeUndefined()
    expect(sends()).toBe(194)
  }, 60_000)

  it('is waited for by nobody once calls of three accounts were cut off', async () => {
    const sent = await busy()
    // Lookups that wait have connections of their own.
    stack.upstream.override = ({ path }) => (path.startsWith('/hlr/') ? 'cut' : undefined)
    const lookup = modern('tools/call', { name: 'lookup_hlr', arguments: { lookupId: '7' } })
    for (const sub of ['e', 'f', 'g']) expect((await post(stack.url, await tokenOf(sub), lookup)).status).toBe(503)
    const startedAt = performance.now()
    expect((await post(stack.url, modest, SEND)).status).toBe(503)
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    release(held)
    for (const response of await Promise.all(sent)) expect((await resultOf(response)).isError).toBeUndefined()
    expect((await resultOf(await post(stack.url, modest, SEND))).isError).toBeUndefined()
    expect(sends()).toBe(257)
  }, 60_000)

  it('is not waited for once the process is to end: what waits is told that it was not made, what was made is answered', async () => {
    const sent = await busy()
    const waiting = post(stack.url, modest, SEND)
    await seen()
    const startedAt = performance.now()
    const closing = stack.app.close()
    expect(await envelopeOf(await waiting)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true })
    // The process is gone before a turn would be given up.
    expect(performance.now() - startedAt).toBeLessThan(4_500)
    release(held)
    for (const response of await Promise.all(sent)) expect((await resultOf(response)).isError).toBeUndefined()
    await closing
    expect(sends()).toBe(256)
  }, 60_000)

  it('is waited for by a stopping process only while the caller can still be told that the outcome is not known', async () => {
    await begin(Number.POSITIVE_INFINITY)
    const send = post(stack.url, modest, SEND)
    await untilHeld(1)
    stack.upstream.override = ({ path }) => (path === '/operators/7' ? 'hang' : undefined)
    const read = post(stack.url, modest, OPERATOR)
    await expect.poll(() => asked('/operators/7')).toBe(1)
    const startedAt = performance.now()
    const closing = stack.app.close()
    expect(failureOf(await resultOf(await send))).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN', retryable: false })
    expect(await envelopeOf(await read)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true })
    // Sooner than either would be given up by itself.
    expect(performance.now() - startedAt).toBeLessThan(READ_TIMEOUT_MS)
    await closing
    expect([sends(), asked('/operators/7')]).toEqual([1, 1])
  }, 60_000)

  it('is not given a send whose client has gone before one was free', async () => {
    const sent = await busy()
    const connected = once(stack.app.server, 'connection') as Promise<[Socket]>
    const leaving = request(stack.url, {
      method: 'POST',
      agent: false,
      headers: {
        authorization: `Bearer ${modest}`,
        'content-type': 'application/json',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'send_sms',
      },
    })
    leaving.on('error', () => {})
    leaving.end(JSON.stringify(SEND))
    const [socket] = await connected
    await seen()
    leaving.destroy()
    await once(socket, 'close')
    const staying = post(stack.url, await tokenOf('f'), SEND)
    await seen()
    release(held)
    expect((await resultOf(await staying)).isError).toBeUndefined()
    for (const response of await Promise.all(sent)) expect((await resultOf(response)).isError).toBeUndefined()
    expect(sends()).toBe(257)
  }, 60_000)
})

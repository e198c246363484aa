// One tool from its submission to its result, with everything that may happen in between.
import type { HlrResult } from '@vertexsms/contract/rest'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { failureOf, resultOf } from './support/read.ts'
import { modern, post, type Stack, startStack } from './support/stack.ts'
import { errorAnswer } from './support/upstream.ts'

let stack: Stack
let token: string
beforeAll(async () => {
  stack = await startStack()
  token = await stack.acceptedToken()
})
afterAll(() => stack.close())
beforeEach(() => {
  stack.upstream.seen.length = 0
  stack.upstream.override = undefined
})

const FOUND: HlrResult = {
  id: '1',
  error: '0',
  imsi: '246020000000001',
  country: 'LT',
  operatorId: 7,
  operator: 'BITE',
  mcc: '246',
  mnc: '02',
  ported: [{ operatorId: 8, operator: 'Tele2', country: 'LT' }],
}
const look = (args: Record<string, unknown>, on = stack, by = on === stack ? token : on.manualToken()) =>
  post(on.url, by, modern('tools/call', { name: 'lookup_hlr', arguments: args }))
const waits = (on: Stack) => on.upstream.seen.filter(({ path }) => path.endsWith('?wait=20')).length
const NUMBER = { msisdn: '+370 695 55555' }

// The home network answers as soon as it is asked.
function answerAtOnce(result: Partial<HlrResult>): void {
  stack.upstream.override = ({ path }) => {
    const id = /^\/hlr\/(\d+)\?/.exec(path)?.[1]
    if (id !== undefined) stack.upstream.hlrResults.set(id, { ...FOUND, ...result, id })
    return undefined
  }
}

describe('lookup_hlr', () => {
  it('submits once, waits, and tells operator, country, codes and porting', async () => {
    answerAtOnce({})
    // Whose share a wait takes was told where its token was first looked up, and is asked no more.
    const accepted = await stack.acceptedToken()
    const { structuredContent, content } = await resultOf(await look(NUMBER, stack, accepted))
    expect(structuredContent).toEqual({
      status: 'done',
      lookup_id: expect.stringMatching(/^\d+$/),
      msisdn: '+37069555555',
      error_code: 0,
      error: null,
      operator: 'BITE',
      operator_id: 7,
      country: 'LT',
      mcc: '246',
      mnc: '02',
      ported: [{ operator_id: 8, operator: 'Tele2', country: 'LT' }],
    })
    expect(content[0]?.text).toBe(
      '+37069555555: in service with BITE, LT (operator id 7, MCC 246, MNC 02), ported; other operators: Tele2, LT.',
    )
    expect(stack.upstream.seen.map(({ method, path }) => `${method} ${path.replace(/\d{4,}/, 'ID')}`)).toEqual([
      'POST /hlr',
      'GET /hlr/ID?wait=20',
    ])
    expect(stack.upstream.seen[0]?.body).toEqual({ msisdn: '37069555555' })
  })

  it('tells what a numeric error means', async () => {
    answerAtOnce({ error: '43', operator: null, operatorId: null, country: null, mcc: null, mnc: null, ported: [] })
    const { structuredContent, content } = await resultOf(await look(NUMBER))
    expect(structuredContent).toMatchObject({
      status: 'done',
      error_code: 43,
      error: 'HLR: the subscriber is absent.',
    })
    expect(content[0]?.text).toBe('+37069555555: HLR: the subscriber is absent. (code 43)')
  })

  it('says what it knows of a subscriber whose network told little', async () => {
    answerAtOnce({ operator: null, operatorId: null, country: null, mcc: null, mnc: null, ported: [] })
    expect((await resultOf(await look(NUMBER))).content[0]?.text).toBe(
      '+37069555555: in service with unknown operator, unknown country.',
    )
  })

  it.each(['', 'x', '1.5', '-1', '1e3', '99999999999999999999'])(
    'tells of a code that is none, %j, that the error is not known, and never that the number is in service',
    async (error) => {
      answerAtOnce({ error })
      const { structuredContent, content } = await resultOf(await look(NUMBER))
      expect(structuredContent).toMatchObject({ status: 'done', error_code: 999, error: 'Unknown error.' })
      expect(content[0]?.text).toBe('+37069555555: Unknown error. (code 999)')
    },
  )

  it('is pending when the network takes longer, and is finished by its id without a new charge', async () => {
    stack.upstream.override = ({ path }) =>
      path.startsWith('/hlr/')
        ? { status: 200, body: { id: '5', status: 'pending', msisdn: '37069555555', result: null } }
        : undefined
    const { structuredContent, content } = await resultOf(await look(NUMBER))
    expect(structuredContent).toMatchObject({ status: 'pending', error_code: null, operator: null })
    const lookupId = structuredContent?.lookup_id
    expect(content[0]?.text).toContain(String(lookupId))
    answerAtOnce({})
    stack.upstream.seen.length = 0
    expect((await resultOf(await look({ lookupId }))).structuredContent).toMatchObject({
      status: 'done',
      lookup_id: lookupId,
    })
    expect(stack.upstream.seen.map(({ method }) => method)).toEqual(['GET'])
  })

  it.each([
    ['the connection breaks', 'cut' as const],
    ['the API cannot answer', errorAnswer('UNAVAILABLE')],
    ['the token may not read it', errorAnswer('PERMISSION_MISSING')],
    ['the token was just deleted', errorAnswer('TOKEN_INVALID')],
  ])('keeps the id of a paid lookup when %s while waiting', async (_name, answer) => {
    stack.upstream.override = ({ path }) => (path.startsWith('/hlr/') ? answer : undefined)
    expect((await resultOf(await look(NUMBER))).structuredContent).toMatchObject({
      status: 'pending',
      lookup_id: expect.stringMatching(/^\d+$/),
    })
  })

  it.each([
    [0, 20],
    [25, 20],
    [38, 12],
    [52, 0],
  ])('whose submission took %i s waits %i s at most, so that its client is still there', async (tookSeconds, most) => {
    const clock = performance.now.bind(performance)
    let tookMs = 0
    const now = vi.spyOn(performance, 'now').mockImplementation(() => clock() + tookMs)
    onTestFinished(() => now.mockRestore())
    stack.upstream.override = ({ path }) => {
      if (path === '/hlr') tookMs = tookSeconds * 1_000
      return path.startsWith('/hlr/')
        ? { status: 200, body: { id: '5', status: 'pending', msisdn: '37069555555', result: null } }
        : undefined
    }
    expect((await resultOf(await look(NUMBER))).structuredContent).toMatchObject({
      status: 'pending',
      lookup_id: expect.stringMatching(/^\d+$/),
    })
    const waited = stack.upstream.seen.flatMap(({ path }) => /^\/hlr\/\d+\?wait=(\d+)$/.exec(path)?.[1] ?? [])
    expect(waited).toHaveLength(most === 0 ? 0 : 1)
    for (const seconds of waited.map(Number)) {
      expect(seconds).toBeLessThanOrEqual(most)
      expect(seconds).toBeGreaterThan(most - 5)
    }
  })

  it('tells nothing of a lookup of another account', async () => {
    stack.upstream.override = ({ path }) => (path.startsWith('/hlr/') ? errorAnswer('NOT_FOUND') : undefined)
    expect(failureOf(await resultOf(await look({ lookupId: 99 }))).code).toBe('NOT_FOUND')
    expect(stack.upstream.seen.map(({ method, path }) => `${method} ${path}`)).toContain('GET /hlr/99?wait=20')
  })

  it('takes a number or an id, never both and never neither', async () => {
    for (const args of [{}, { ...NUMBER, lookupId: 5 }]) {
      expect(failureOf(await resultOf(await look(args)))).toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringContaining('lookupId'),
      })
    }
  })

  it('that is refused tells why', async () => {
    stack.upstream.override = () => ({ status: 400, body: { message: 'x', code: 'LOOKUP_REFUSED', error_code: 24 } })
    expect(failureOf(await resultOf(await look(NUMBER)))).toMatchObject({
      code: 'VERTEX_SEND_FAILED',
      vertex_error_code: 24,
    })
  })

  it('whose answer to the submission is lost is of unknown outcome, and is not submitted again', async () => {
    stack.upstream.override = () => 'cut'
    expect(failureOf(await resultOf(await look(NUMBER))).code).toBe('SEND_OUTCOME_UNKNOWN')
    expect(stack.upstream.seen).toHaveLength(1)
  })

  it('whose submission a gateway answers for the API is of unknown outcome too', async () => {
    for (const status of [302, 409, 503]) {
      stack.upstream.override = ({ path }) => (path === '/hlr' ? { status, body: '<html>' } : undefined)
      expect(failureOf(await resultOf(await look(NUMBER))), String(status)).toMatchObject({
        code: 'SEND_OUTCOME_UNKNOWN',
        retryable: false,
      })
    }
  })

  it('answers pending at once when the server is told to stop, and the server is gone soon after', async () => {
    const other = await startStack()
    const waiting = look(NUMBER, other)
    await expect.poll(() => waits(other)).toBe(1)
    const started = performance.now()
    const closing = other.app.close()
    const { structuredContent } = await resultOf(await waiting)
    expect(structuredContent).toMatchObject({ status: 'pending', lookup_id: expect.any(String) })
    await closing
    expect(performance.now() - started).toBeLessThan(10_000)
    await Promise.all([other.issuer.stop(), other.upstream.stop()])
  })

  it('stops asking when a modern client has gone', async () => {
    const leaving = new AbortController()
    let ended = false
    stack.upstream.override = async ({ path }) => {
      if (!path.startsWith('/hlr/')) return undefined
      await expect.poll(() => ended, { timeout: 5_000 }).toBe(true)
      return 'cut'
    }
    const gone = fetch(stack.url, {
      method: 'POST',
      signal: leaving.signal,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'lookup_hlr',
      },
      body: JSON.stringify(modern('tools/call', { name: 'lookup_hlr', arguments: NUMBER })),
    }).catch(() => 'gone')
    await expect.poll(() => waits(stack)).toBe(1)
    leaving.abort()
    expect(await gone).toBe('gone')
    ended = true
    expect(
      (
        await resultOf(
          await post(stack.url, token, modern('tools/call', { name: 'get_operator', arguments: { operatorId: 7 } })),
        )
      ).isError,
    ).toBeUndefined()
  })
})

describe('lookups that are waited for', () => {
  const list = (on: Stack, bearer: string) => post(on.url, bearer, modern('tools/list'))

  /** A network that answers nobody who waits until it is let, and then has nothing to say. */
  function hold(on: Stack): () => void {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    on.upstream.override = async ({ path }) => {
      if (!path.endsWith('?wait=20')) return undefined
      await released
      return { status: 200, body: { id: '5', status: 'pending', msisdn: '37069555555', result: null } }
    }
    return release
  }

  it('of one account leave room for every other call, and for the waits of another account', async () => {
    const other = await startStack()
    const release = hold(other)
    // Tokens of one account share: made by hand or not.
    const tokens = [
      other.manualToken('greedy'),
      other.manualToken('greedy'),
      await other.accessToken({ payload: { sub: 'greedy' } }),
    ]
    const lookups = Array.from({ length: 320 }, (_, index) =>
      post(other.url, tokens[index % 3] ?? '', modern('tools/call', { name: 'lookup_hlr', arguments: NUMBER })),
    )
    let answered = 0
    for (const lookup of lookups) void lookup.then(() => answered++)
    await expect.poll(() => answered, { timeout: 60_000 }).toBe(320 - 16)
    expect(waits(other)).toBe(16)

    expect((await list(other, other.manualToken('modest'))).status).toBe(200)
    const modest = post(
      other.url,
      other.manualToken('modest'),
      modern('tools/call', { name: 'lookup_hlr', arguments: NUMBER }),
    )
    await expect.poll(() => waits(other)).toBe(17)

    release()
    const results = await Promise.all([...lookups, modest].map(async (lookup) => resultOf(await lookup)))
    for (const { structuredContent } of results) {
      expect(structuredContent).toMatchObject({ status: 'pending', lookup_id: expect.stringMatching(/^\d+$/) })
    }
    const told = results.filter(({ content }) =>
      /^Not waited for: 16 lookups .* lookupId \d+; that is free\.$/.test(content[0]?.text ?? ''),
    )
    expect(told).toHaveLength(320 - 16)
    await other.close()
  }, 120_000)

  it('give their place back, so that the next one is waited for', async () => {
    for (let round = 0; round < 20; round++) {
      answerAtOnce({})
      expect((await resultOf(await look(NUMBER))).structuredContent?.status).toBe('done')
    }
  })

  it('above the share still tell a result that is there', async () => {
    const other = await startStack()
    const release = hold(other)
    const bearer = other.manualToken('greedy')
    const call = (args: object) =>
      post(other.url, bearer, modern('tools/call', { name: 'lookup_hlr', arguments: args }))
    const waiting = Array.from({ length: 16 }, () => call(NUMBER))
    await expect.poll(() => waits(other)).toBe(16)
    other.upstream.hlrResults.set('77', { ...FOUND, id: '77' })
    expect((await resultOf(await call({ lookupId: 77 }))).structuredContent?.status).toBe('done')
    release()
    await Promise.all(waiting)
    await other.close()
  })

  it('that the API will not hold are pending with their id', async () => {
    stack.upstream.override = ({ path }) => (path.endsWith('?wait=20') ? errorAnswer('RATE_LIMITED') : undefined)
    for (const args of [NUMBER, { lookupId: 78 }]) {
      const { structuredContent } = await resultOf(await look(args))
      expect(structuredContent).toMatchObject({ status: 'pending', lookup_id: expect.any(String) })
    }
  })
})

describe('a lookup with an idempotency key', () => {
  const submitted = () => stack.upstream.seen.filter(({ path }) => path === '/hlr')

  it('carries the key, and the leave to repeat, to the API', async () => {
    answerAtOnce({})
    await look({ ...NUMBER, idempotencyKey: 'l1', allowRepeat: true })
    expect(submitted()).toMatchObject([{ idempotencyKey: '"l1"', body: { msisdn: '37069555555', allowRepeat: true } }])
    stack.upstream.seen.length = 0
    await look(NUMBER)
    expect(submitted()).toMatchObject([{ idempotencyKey: undefined, body: { msisdn: '37069555555' } }])
  })

  it('says of the answer of an earlier call that nothing is charged again', async () => {
    stack.upstream.override = ({ path }) => {
      const id = /^\/hlr\/(\d+)\?/.exec(path)?.[1]
      if (id !== undefined) stack.upstream.hlrResults.set(id, { ...FOUND, id })
      return path === '/hlr' ? { status: 200, body: [77], headers: { 'idempotency-replayed': 'true' } } : undefined
    }
    const { content, structuredContent } = await resultOf(await look({ ...NUMBER, idempotencyKey: 'l2' }))
    expect(structuredContent).toMatchObject({ status: 'done', lookup_id: '77', replayed: true })
    expect(content[0]?.text).toMatch(/^This lookup was made by an earlier call and is not charged again/)
  })

  it('needs a key to allow a repeat', async () => {
    const failure = failureOf(await resultOf(await look({ ...NUMBER, allowRepeat: true })))
    expect(failure).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('idempotencyKey') })
    expect(submitted()).toEqual([])
  })

  it('whose outcome the API does not know names the id to ask with, and that the key makes it safe', async () => {
    const details = { sendId: 's1', ids: ['7700'] }
    stack.upstream.override = ({ path }) =>
      path === '/hlr' ? errorAnswer('SEND_OUTCOME_UNKNOWN', null, details) : undefined
    const failure = failureOf(await resultOf(await look({ ...NUMBER, idempotencyKey: 'l3' })))
    expect(failure).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN', details })
    expect(failure.message).toContain('lookup_hlr with lookupId 7700')
    expect(failure.message).toContain('same idempotencyKey')
  })
})

describe('register_msisdn_sender with an idempotency key', () => {
  const register = (args: object) =>
    post(stack.url, token, modern('tools/call', { name: 'register_msisdn_sender', arguments: args }))

  it('carries it to the API, and says to which number the PIN was sent, and when no second one was', async () => {
    const first = await resultOf(await register({ ...NUMBER, idempotencyKey: 'r1' }))
    expect(stack.upstream.seen.at(-1)).toMatchObject({ path: '/senderId', idempotencyKey: '"r1"' })
    expect(first.content[0]?.text).toMatch(/^A PIN was sent by SMS to \+37069555555\./)
    stack.upstream.override = () => ({ status: 200, body: '123', headers: { 'idempotency-replayed': 'true' } })
    const again = await resultOf(await register({ ...NUMBER, idempotencyKey: 'r1' }))
    expect(again.content[0]?.text).toMatch(
      /^An earlier call with this idempotencyKey sent the PIN to \+37069555555; no other was sent\./,
    )
    expect(again.structuredContent).toEqual(first.structuredContent)
  })

  it('whose outcome is not known says that the same key makes it safe to ask again', async () => {
    for (const answer of [errorAnswer('SEND_OUTCOME_UNKNOWN', null, { sendId: 's1', ids: ['7'] }), 'cut'] as const) {
      stack.upstream.override = ({ path }) => (path === '/senderId' ? answer : undefined)
      const failure = failureOf(await resultOf(await register({ ...NUMBER, idempotencyKey: 'r2' })))
      expect(failure).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN', retryable: false })
      expect(failure.message).toContain('same idempotencyKey')
      expect(failureOf(await resultOf(await register(NUMBER))).message).not.toContain('idempotencyKey')
    }
  })
})

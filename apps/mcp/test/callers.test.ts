import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { answerOf, eventsOf, resultOf } from './support/read.ts'
import { legacy, modern, post, type Stack, startStack } from './support/stack.ts'

// Clients choose ids freely, and one process serves them all at once. These tests are the proof that nothing of one caller
// reaches another.

let stack: Stack
let release: (() => void)[]
beforeAll(async () => {
  stack = await startStack({ env: { DELIVERY_WAIT_MS: '60' } })
})
afterAll(() => stack.close())
beforeEach(() => {
  release = []
  stack.upstream.seen.length = 0
  stack.upstream.override = undefined
})

const OPERATOR = { name: 'get_operator', arguments: { operatorId: 7 } }

// Holds every get_operator call until the test lets it go, and answers it with the caller's own account.
function holdCalls(): void {
  stack.upstream.override = async ({ path, token }) => {
    if (!path.startsWith('/operators/')) return undefined
    await new Promise<void>((resolve) => release.push(resolve))
    return {
      status: 200,
      body: { name: stack.upstream.tokens.get(token)?.account, country: 'LT', mcc: '246', mnc: [] },
    }
  }
}
const held = (count: number) => expect.poll(() => release.length).toBe(count)
const nameIn = async (response: Response | Promise<Response>) =>
  (await resultOf(await response)).structuredContent?.name

describe('two accounts that use the same ids at the same time', () => {
  it.each([
    ['both modern', modern, modern],
    ['one modern, one of the handshake era', modern, legacy],
    ['both of the handshake era', legacy, legacy],
  ])('get their own answers: %s', async (_name, first, second) => {
    holdCalls()
    const [a, b] = [stack.manualToken('account-a'), stack.manualToken('account-b')]
    const ofA = post(stack.url, a, first('tools/call', OPERATOR, 1))
    await held(1)
    const ofB = post(stack.url, b, second('tools/call', OPERATOR, 1))
    await held(2)
    release[1]?.()
    expect(await nameIn(ofB)).toBe('account-b')
    release[0]?.()
    expect(await nameIn(ofA)).toBe('account-a')
  })

  it('get back the very ids they sent, whatever their type', async () => {
    for (const id of [0, 1, -5, Number.MAX_SAFE_INTEGER, '1', '', 'x'.repeat(1000), '__proto__']) {
      expect((await answerOf(await post(stack.url, stack.manualToken(), modern('tools/list', {}, id)))).id).toBe(id)
    }
  })

  it('do not end each other by a cancellation of the same id (2026-07-28, cancellation)', async () => {
    holdCalls()
    const [a, b] = [stack.manualToken('account-a'), stack.manualToken('account-b')]
    const ofA = [modern('tools/call', OPERATOR, 1), legacy('tools/call', OPERATOR, 1)].map((body) =>
      post(stack.url, a, body),
    )
    await held(2)
    await post(stack.url, b, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
    const envelope = modern('x').params._meta
    await post(
      stack.url,
      b,
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, _meta: envelope } },
      { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'notifications/cancelled' },
    )
    for (const go of release) go()
    expect(await Promise.all(ofA.map(nameIn))).toEqual(['account-a', 'account-a'])
  })

  it('do not end each other by breaking their connection', async () => {
    holdCalls()
    const [a, b] = [stack.manualToken('account-a'), stack.manualToken('account-b')]
    const ofA = post(stack.url, a, modern('tools/call', OPERATOR, 1))
    await held(1)
    const broken = new AbortController()
    const body = JSON.stringify(modern('tools/call', OPERATOR, 1))
    const ofB = fetch(stack.url, {
      method: 'POST',
      signal: broken.signal,
      headers: {
        authorization: `Bearer ${b}`,
        'content-type': 'application/json',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'get_operator',
      },
      body,
    }).catch((error: Error) => error.name)
    await held(2)
    broken.abort()
    expect(await ofB).toBe('AbortError')
    for (const go of release) go()
    expect(await nameIn(ofA)).toBe('account-a')
  })

  it('get only their own progress, under the same token', async () => {
    const send = (to: string[], account: string) =>
      post(
        stack.url,
        stack.manualToken(account),
        modern('tools/call', {
          name: 'send_sms',
          arguments: { to, from: 'Shop', message: 'Hi', waitForDelivery: true },
          _meta: { progressToken: 'same' },
        }),
      )
    // Account A hears to the end of the wait, B once: its message has arrived when it is first asked about.
    stack.upstream.override = ({ token, path }) => {
      const id = /^\/sms\/status\/(\d+)$/.exec(path)?.[1]
      const isOfB = stack.upstream.tokens.get(token)?.account === 'account-b'
      if (id !== undefined && isOfB) stack.upstream.states.set(id, { state: 'delivered', status: 1, error: 0 })
      return undefined
    }
    const [ofA, ofB] = await Promise.all([
      send(['+37069555551', '+37069555552'], 'account-a'),
      send(['+37069555553'], 'account-b'),
    ])
    const progress = async (response: Response) =>
      (await eventsOf(response)).filter(({ method }) => method === 'notifications/progress').map(({ params }) => params)
    const [inA, inB] = [await progress(ofA), await progress(ofB)]
    expect(inA).toHaveLength(7)
    expect(inB).toHaveLength(1)
  })
})

describe('a handshake', () => {
  const hello = (protocolVersion: string, capabilities: object) =>
    legacy('initialize', { protocolVersion, capabilities, clientInfo: { name: 'c', version: '1' } })

  it('changes nothing for others: revisions and eras cross without an effect', async () => {
    const [a, b] = [stack.manualToken('account-a'), stack.manualToken('account-b')]
    for (const [token, version] of [
      [a, '2024-11-05'],
      [b, '2025-11-25'],
      [a, '2025-03-26'],
      [b, '2099-01-01'],
    ] as const) {
      const { result } = await answerOf(await post(stack.url, token, hello(version, { sampling: {}, elicitation: {} })))
      expect(result.protocolVersion).toBe(version === '2099-01-01' ? '2025-11-25' : version)
      const other = token === a ? b : a
      expect(
        (await answerOf(await post(stack.url, other, modern('server/discover')))).result.supportedVersions,
      ).toEqual(['2026-07-28'])
      const list = (await answerOf(await post(stack.url, other, legacy('tools/list')))).result
      expect([list.tools.length, list.resultType]).toEqual([10, undefined])
    }
  })

  it('under way for fifty clients at once gives each the revision it asked for', async () => {
    const versions = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']
    const token = stack.manualToken()
    const asked = Array.from({ length: 50 }, (_, index) => versions[index % 4] ?? '')
    const given = await Promise.all(
      asked.map(
        async (version) => (await answerOf(await post(stack.url, token, hello(version, {})))).result.protocolVersion,
      ),
    )
    expect(given).toEqual(asked)
  })
})

it('two hundred calls of both eras under one id, in any order, never mix', async () => {
  stack.upstream.override = async ({ path, token }) => {
    if (!path.startsWith('/operators/')) return undefined
    await new Promise((resolve) => setTimeout(resolve, path.length + (token.charCodeAt(47) % 7)))
    return {
      status: 200,
      body: { name: `${stack.upstream.tokens.get(token)?.account} ${path}`, country: 'LT', mcc: '246', mnc: [] },
    }
  }
  const calls = Array.from({ length: 200 }, (_, index) => ({
    account: `account-${index}`,
    operatorId: 1 + (index % 11),
  }))
  const names = await Promise.all(
    calls.map(({ account, operatorId }, index) => {
      const params = { name: 'get_operator', arguments: { operatorId } }
      return nameIn(
        post(stack.url, stack.manualToken(account), (index % 2 === 0 ? modern : legacy)('tools/call', params, 7)),
      )
    }),
  )
  expect(names).toEqual(calls.map(({ account, operatorId }) => `${account} /operators/${operatorId}`))
})

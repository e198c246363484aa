// Clients that are known by a document, as an attacker writes one: where it lies, how its host behaves, how many
// there are.
import type { LookupAddress } from 'node:dns'
import { createOutbound, type Outbound } from '@vertexsms/service/outbound'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { LIMITS } from '../../src/service-limits.ts'
import { post, start } from '../support/client.ts'
import { later } from '../support/clock.ts'
import { Outside, startHost } from '../support/documents.ts'
import { type Stack, startStack } from '../support/stack.ts'

// Documents are fetched from addresses that strangers choose. Whatever they choose, the browser stays on an error page
// of ours, and nothing on a private network is asked.

const NAMES: Record<string, LookupAddress[]> = {
  'loopback.example': [{ address: '127.0.0.1', family: 4 }],
  'private.example': [{ address: '10.1.2.3', family: 4 }],
  'mixed.example': [
    { address: '93.184.216.34', family: 4 },
    { address: '192.168.0.1', family: 4 },
  ],
  'metadata.example': [{ address: '169.254.169.254', family: 4 }],
  'mapped.example': [{ address: '::ffff:10.0.0.1', family: 6 }],
  'unique-local.example': [{ address: 'fd00::1', family: 6 }],
  'link-local.example': [{ address: 'fe80::1', family: 6 }],
  'nat64.example': [{ address: '64:ff9b::a00:1', family: 6 }],
  'carrier.example': [{ address: '100.64.0.1', family: 4 }],
  'nothing.example': [],
}

let guarded: Stack
let hosted: Stack
let inside: Awaited<ReturnType<typeof startHost>>
const guard = createOutbound({ allowLocalhost: false, lookup: async (host) => NAMES[host] ?? [] })
const local = createOutbound({ allowLocalhost: true })
/** The times that were given to fetches; the tests let a tenth of each pass. */
const given: number[] = []
const hasty: Outbound = {
  ...local,
  fetch: (url, init, { timeoutMs, ...limits }) => {
    given.push(timeoutMs)
    return local.fetch(url, init, { ...limits, timeoutMs: timeoutMs / 10 })
  },
}
beforeAll(async () => {
  guarded = await startStack({ outbound: guard })
  hosted = await startStack({ outbound: hasty, settings: { OUTBOUND_ALLOW_LOCALHOST: 'on' } })
  inside = await startHost((request, response) => {
    const behave = behaviours[request.url ?? '']
    if (behave) behave(response)
    else response.writeHead(404).end()
  })
})
afterAll(async () => {
  await guarded?.close()
  await hosted?.close()
  await inside?.close()
  await guard.close()
  await local.close()
})
afterEach(() => void vi.useRealTimers())

const behaviours: Record<string, (response: import('node:http').ServerResponse) => unknown> = {
  '/redirect.json': (response) => response.writeHead(302, { location: `http://localhost:${inside.port}/secret` }).end(),
  '/secret': (response) => response.end('{}'),
  '/huge.json': (response) => response.end(`{"x":"${'x'.repeat(200_000)}"}`),
  '/endless.json': (response) => {
    const feed = () => response.write('x'.repeat(1000), () => !response.destroyed && setImmediate(feed))
    feed()
  },
  '/silent.json': () => true,
  '/drip.json': (response) => {
    const timer = setInterval(() => response.write(' '), 200)
    response.on('close', () => clearInterval(timer))
    return true
  },
  '/error.json': (response) => response.writeHead(500).end('{}'),
  '/html.json': (response) => response.end('<html>not a document</html>'),
}

async function authorizeAs(stack: Stack, clientId: string) {
  const server = { authorization_endpoint: `${stack.issuer}/oauth/authorize`, issuer: stack.issuer }
  const flow = await start({ server, client: { client_id: clientId }, redirectUri: 'https://x.example/cb' })
  return (await stack.person()).open(flow.url)
}

describe('a client id that points into a private network', () => {
  it.each([
    'https://127.0.0.1/client',
    'https://127.1/client',
    'https://2130706433/client',
    'https://0x7f000001/client',
    'https://0177.0.0.1/client',
    'https://[::1]/client',
    'https://[::ffff:127.0.0.1]/client',
    'https://[::ffff:7f00:1]/client',
    'https://10.0.0.1/client',
    'https://172.16.0.1/client',
    'https://192.168.1.1/client',
    'https://169.254.169.254/latest/meta-data',
    'https://100.64.0.1/client',
    'https://0.0.0.0/client',
    'https://[fd00::1]/client',
    'https://[fe80::1]/client',
    'https://localhost/client',
    'https://localhost./client',
    'https://printer.local/client',
    'https://intranet/client',
  ])('%s is refused with a page of ours (MCP security best practices: SSRF, CIMD §6.5)', async (clientId) => {
    const view = await authorizeAs(guarded, clientId)
    expect([view.url.origin, view.status]).toEqual([guarded.issuer, 400])
    expect(view.html).not.toMatch(/ECONN|ENOTFOUND|127\.0\.0\.1:|stack/)
  })

  it.each(Object.keys(NAMES).map((host) => `https://${host}/client`))(
    '%s cannot be had, which a resolver may change (MCP security best practices: SSRF, CIMD §6.5)',
    async (clientId) => {
      const view = await authorizeAs(guarded, clientId)
      expect([view.url.origin, view.status]).toEqual([guarded.issuer, 503])
      expect(view.html).not.toMatch(/ECONN|ENOTFOUND|127\.0\.0\.1:|stack/)
    },
  )

  it.each([
    'http://x.example/client',
    'https://x.example',
    'https://x.example/',
    'https://x.example/a/../b',
    'https://x.example/%2e%2e/b',
    'https://user@x.example/client',
    'https://u:p@x.example/client',
    'https://x.example/client#f',
    'https://x.example\\@y.example/c',
    'https://x.example/cli ent',
    'ftp://x.example/client',
    'file:///etc/passwd',
    'https:x.example/client',
    'HTTPS://x.example/client',
    `https://x.example/${'a'.repeat(3000)}`,
  ])('%s is not even a document URL (CIMD §3)', async (clientId) => {
    const view = await authorizeAs(guarded, clientId)
    expect([view.url.origin, view.status]).toEqual([guarded.issuer, 400])
  })

  it('http://localhost is refused outside the development setting (CIMD §6.5)', async () => {
    const view = await authorizeAs(guarded, `http://localhost:${inside.port}/secret`)
    expect([view.status, inside.requests.includes('/secret')]).toEqual([400, false])
  })
})

describe('a document host that misbehaves', () => {
  it.each([
    ['redirects', '/redirect.json'],
    ['answers far too much', '/huge.json'],
    ['never stops', '/endless.json'],
    ['fails', '/error.json'],
    ['answers with a page', '/html.json'],
    ['has nothing there', '/missing.json', 400],
  ])('and %s gets nothing but an error page (MCP security best practices: SSRF)', async (_name, path, status = 503) => {
    const view = await authorizeAs(hosted, `http://localhost:${inside.port}${path}`)
    expect([view.url.origin, view.status]).toEqual([hosted.issuer, status])
    expect(inside.requests).not.toContain('/secret')
  })

  it.each([
    ['never answers', '/silent.json'],
    ['drips', '/drip.json'],
  ])('and %s holds a request for seconds, not for ever (MCP security best practices: SSRF)', async (_name, path) => {
    given.length = 0
    const view = await authorizeAs(hosted, `http://localhost:${inside.port}${path}`)
    expect(view.status).toBe(503)
    expect(given).toHaveLength(1)
    expect(given[0]).toBeLessThanOrEqual(5_000)
  })
})

describe('many client ids', () => {
  /** A node with limits on, at the beginning of a minute that lasts. */
  async function withPaced(use: (paced: Stack, outside: Outside) => Promise<void>) {
    const outside = new Outside()
    const paced = await startStack({ outbound: outside, settings: { RATE_LIMITS: 'on', TRUST_PROXY: '1' } })
    try {
      vi.useFakeTimers({ toFake: ['Date'], now: Math.ceil(Date.now() / 60_000) * 60_000 })
      await paced.followDate()
      await use(paced, outside)
    } finally {
      await paced.close()
    }
  }

  /** A program at an address, which names a client. */
  const askFrom = (address: string, { issuer }: Stack, client: string) =>
    post(
      `${issuer}/oauth/token`,
      { grant_type: 'refresh_token', client_id: client, refresh_token: 'x' },
      { 'x-forwarded-for': address },
    )

  const REAL = 'https://victim.example/client.json'
  const serveReal = (outside: Outside) =>
    outside.serve(REAL, {
      client_id: REAL,
      client_name: 'Real',
      redirect_uris: ['https://x.example/cb'],
      token_endpoint_auth_method: 'none',
    })

  it.each([
    ['never seen before', false],
    ['seen before', true],
  ])(
    'with made-up paths of a host do not block its real document, %s (MCP security best practices: SSRF)',
    async (_name, seen) => {
      await withPaced(async (paced, outside) => {
        serveReal(outside)
        if (seen) {
          expect((await authorizeAs(paced, REAL)).url.pathname).toBe('/sign-in')
          await later(120, paced)
        }
        const share = LIMITS.documentClientHost.hits
        outside.asked.length = 0
        // Other ports and another spelling of a host are the same machine.
        const hosts = ['victim.example', 'victim.example:8443', 'victim.example.']
        for (let index = 0; index < share + 5; index += 1) {
          const status = (await askFrom('192.0.2.1', paced, `https://${hosts[index % 3]}/${index}`)).status
          expect(status).toBe(index < share ? 503 : 429)
        }
        expect(outside.asked).toHaveLength(share)
        expect((await askFrom('192.0.2.1', paced, 'https://another.example/1')).status).toBe(503)
        outside.asked.length = 0
        // Whoever had its share of the host goes on with what was seen.
        const from = seen ? '192.0.2.1' : '192.0.2.2'
        expect((await askFrom(from, paced, REAL)).body.error).toBe('invalid_grant')
        expect(outside.asked).toEqual([REAL])
      })
    },
  )

  it('of a host count together whatever its ports, and however many addresses ask (MCP security best practices: SSRF)', async () => {
    await withPaced(async (paced, outside) => {
      expect((await askFrom('192.0.2.1', paced, 'https://victim.example/first')).status).toBe(503)
      const counted = { where: { key: { startsWith: 'documentHost:' } }, data: { hits: LIMITS.documentHost.hits } }
      await paced.db.rateCounter.updateMany(counted)
      outside.asked.length = 0
      for (const host of ['victim.example', 'victim.example:8443', 'victim.example.']) {
        expect((await askFrom('192.0.2.2', paced, `https://${host}/second`)).status).toBe(503)
      }
      expect(outside.asked).toEqual([])
    })
  })

  it('of a host that many addresses ask for are fetched at a measured pace, and those that were seen beside it (MCP security best practices: SSRF)', async () => {
    await withPaced(async (paced, outside) => {
      serveReal(outside)
      expect((await authorizeAs(paced, REAL)).url.pathname).toBe('/sign-in')
      await later(120, paced)
      outside.asked.length = 0
      expect((await authorizeAs(paced, 'https://victim.example/first')).status).toBe(503)
      // As if many addresses had asked: one alone is stopped long before.
      const counted = { where: { key: { startsWith: 'documentHost:' } }, data: { hits: LIMITS.documentHost.hits } }
      await paced.db.rateCounter.updateMany(counted)
      expect((await authorizeAs(paced, 'https://victim.example/second')).status).toBe(503)
      expect((await authorizeAs(paced, 'https://another.example/first')).status).toBe(503)
      expect(outside.asked).toEqual(['https://victim.example/first', 'https://another.example/first'])
      expect((await authorizeAs(paced, REAL)).url.pathname).toBe('/sign-in')
      expect(outside.asked.at(-1)).toBe(REAL)
    })
  })

  it('from one address are answered with 429 after a while (MCP security best practices: SSRF)', async () => {
    const paced = await startStack({ outbound: new Outside(), settings: { RATE_LIMITS: 'on' } })
    try {
      vi.useFakeTimers({ toFake: ['Date'], now: Math.ceil(Date.now() / 60_000) * 60_000 })
      await paced.followDate()
      const statuses: number[] = []
      const ask = async () => statuses.push((await authorizeAs(paced, `https://h${statuses.length}.example/c`)).status)
      await ask()
      // As if it had asked for all but two of those that it may.
      const counted = {
        where: { key: { startsWith: 'documentClient:' } },
        data: { hits: LIMITS.documentClient.hits - 2 },
      }
      await paced.db.rateCounter.updateMany(counted)
      for (let more = 0; more < 4; more += 1) await ask()
      expect(statuses).toEqual([503, 503, 503, 429, 429])
    } finally {
      await paced.close()
    }
  })

  it.each(['/oauth/token', '/oauth/revoke', '/oauth/introspect', '/oauth/par'])(
    'from one address at %s are fetched at its own pace, which leaves their host to everybody else (MCP security best practices: SSRF)',
    async (path) => {
      await withPaced(async (paced, outside) => {
        const ask = (client: string) =>
          post(`${paced.issuer}${path}`, {
            grant_type: 'refresh_token',
            client_id: client,
            refresh_token: 'x',
            token: 'x',
          })
        expect((await ask('https://victim.example/0')).status).toBe(503)
        // As if it had asked for all but one of those that it may.
        const counted = {
          where: { key: { startsWith: 'documentClient:' } },
          data: { hits: LIMITS.documentClient.hits - 1 },
        }
        expect((await paced.db.rateCounter.updateMany(counted)).count).toBe(1)
        outside.asked.length = 0
        const answers = await Promise.all([1, 2, 3].map((index) => ask(`https://victim.example/${index}`)))
        expect(answers.map(({ status }) => status).sort()).toEqual([429, 429, 503])
        for (const { headers } of answers) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
        expect(outside.asked).toHaveLength(1)
      })
    },
  )

  it('from an address that had its share leave it the clients that people connected, however long ago', async () => {
    await withPaced(async (paced, outside) => {
      serveReal(outside)
      const ask = (client: string) =>
        post(`${paced.issuer}/oauth/token`, { grant_type: 'refresh_token', client_id: client, refresh_token: 'x' })
      expect((await ask('https://another.example/0')).status).toBe(503)
      const counted = { where: { key: { startsWith: 'documentClient:' } }, data: { hits: LIMITS.documentClient.hits } }
      expect((await paced.db.rateCounter.updateMany(counted)).count).toBe(1)
      expect((await ask(REAL)).status).toBe(429)
      const longAgo = new Date(Date.now() - 30 * 86_400_000)
      await paced.db.oidcClient.create({
        data: { id: REAL, payload: {}, createdAt: longAgo, lastUsedAt: longAgo, freshUntil: longAgo },
      })
      expect((await ask(REAL)).body.error).toBe('invalid_grant')
    })
  })
})

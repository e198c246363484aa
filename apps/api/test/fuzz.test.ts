// Hostile requests through the door: whatever comes in, the answer is a refusal of the catalogue and the node lives on.
// FUZZ_REQUESTS=10000 runs the full count.
import { type RequestOptions, request as send } from 'node:http'
import { API_ERRORS } from '@vertexsms/contract/api-errors'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessClaims, makeIssuer, startWorld, type World } from './support.ts'

const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 1_000)
const SEED = Number(process.env.FUZZ_SEED ?? 20261122)
const PARALLEL = 16

let world: World
beforeAll(async () => {
  world = await startWorld({ SANDBOX_DELIVERY_MS: '3600000' })
})
afterAll(() => world.close())

/** A small seeded generator (mulberry32): the same requests in every run. */
function generator(seed: number) {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number) => Math.floor(next() * limit)
  const pick = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value
  return { next, below, pick }
}

const random = generator(SEED)
const { below, pick } = random

const NASTY = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '😀'.repeat(50),
  "' OR 1=1 --",
  '"; DROP TABLE message; --',
  '<%= 7*7 %>',
  '{{constructor}}',
  '../../etc/passwd',
  '%00%0d%0aSet-Cookie:x',
  '\r\nX-Injected: 1',
  'A'.repeat(5_000),
  '9'.repeat(400),
  '+',
  '+370',
  '37060000001',
  '447700900024',
  '٣٧٠٦٠٠٠٠٠٠١',
  'NaN',
  'Infinity',
  '-0',
  '1e309',
  '__proto__',
  'constructor',
  'toString',
  '2026-13-45T99:99:99Z',
  '+275760-09-13T00:00:00.001Z',
  '9999-12-31T23:59:59+23:59',
  'http://[::1',
  'https://[::ffff:7f00:1]/',
  'https://0x7f.1/',
  'https://example.com:99999/',
  'javascript:alert(1)',
]
const NUMBERS = [0, -0, -1, 1, 2, 1.5, 1e21, -1e21, 2 ** 31, 2 ** 53, 2 ** 63, 360, 432_000]

function value(depth = 0): unknown {
  switch (below(depth > 3 ? 5 : 8)) {
    case 0:
      return pick(NASTY)
    case 1:
      return pick(NUMBERS)
    case 2:
      return null
    case 3:
      return random.next() < 0.5
    case 4:
      return String.fromCharCode(...Array.from({ length: below(40) }, () => below(0xffff)))
    case 5:
      return Array.from({ length: below(6) }, () => value(depth + 1))
    case 6:
      return Object.fromEntries(
        Array.from({ length: below(6) }, () => [pick([...NASTY, 'to', 'from']), value(depth + 1)]),
      )
    default: {
      let nested: unknown = 1
      for (let level = 0; level < 200; level++) nested = level % 2 ? [nested] : { a: nested }
      return nested
    }
  }
}

const SOUND: Record<string, Record<string, unknown>> = {
  '/sms': {
    to: '37060000001',
    from: 'Tests',
    message: 'Hello',
    dlrUrl: 'https://example.com/',
    priority: 'low',
    scheduled: '2027-01-01T00:00:00+02:00',
    udh: '050003CC0201',
    coding: 0,
    correctBy: 'LT',
    expireIn: 360,
    testMode: 1,
  },
  '/sms/cost': { to: '37060000001', from: 'Tests', message: 'Hello' },
  '/hlr': { msisdn: '37061234567', callBackUrl: 'https://example.com/' },
  '/senderId': {
    type: 'AlphaNumeric',
    name: 'Shop',
    category: 'Brand',
    categoryDescription: 'x',
    notificationUrl: 'https://example.com/',
  },
  '/senderId/confirm/1': { code: '12345' },
  '/numbers/correct': {},
}

function body(path: string): string | Buffer {
  const kind = below(10)
  if (kind === 0) return pick(['', '{', '[[[[', '{"to":', 'null', '"', '\ufeff{}', '{"a":1,"a":2}', '['.repeat(30_000)])
  if (kind === 1) return Buffer.from(Array.from({ length: below(300) }, () => below(256)))
  if (kind === 2) return JSON.stringify(value())
  const sound = { ...(SOUND[path] ?? SOUND['/sms']) }
  for (const field of Object.keys(sound)) {
    const change = below(10)
    if (change < 3) delete sound[field]
    else if (change < 5) sound[field] = value()
  }
  if (path === '/numbers/correct') {
    const rows = Array.from({ length: below(110) }, () => ({
      number: pick(NASTY),
      country: pick(['LT', 'US', 'ZZ', 'lt', pick(NASTY)]),
    }))
    return JSON.stringify(rows)
  }
  return JSON.stringify(sound)
}

function hostilePath(): string {
  const id = encodeURIComponent(pick(NASTY.filter((text) => !/[\ud800-\udfff]/.test(text) || text.startsWith('😀'))))
  return pick([
    `/operators/${id}`,
    `/mccmnc/${id}`,
    `/prefixes/${id}?Page=${id}`,
    `/mccmnc/LT?Page=${id}&Page=2`,
    `/hlr/${id}?wait=0`,
    `/hlr/1?wait=${id}`,
    `/rates/?format=${id}`,
    `/token?at=${id}`,
    `/${id}`,
    `//${id}`,
    '/%',
    '/%ff',
    '/sms/',
    '/SMS',
    '/hlr/-1',
    '/senderId/confirm/',
    `/token${';x=1'.repeat(below(3))}`,
  ])
}

async function hostileHeaders(jwts: string[]): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  const kind = below(10)
  if (kind < 6) headers['x-vertexsms-token'] = world.token
  else if (kind === 6) headers['x-vertexsms-token'] = pick(jwts)
  else if (kind === 7)
    headers['x-vertexsms-token'] = pick(['.', '..', 'a.b.c', 'eyJ.eyJ.x', `${'e'.repeat(8000)}.a.b`, 'x'.repeat(9000)])
  if (below(4) > 0)
    headers['content-type'] = pick([
      'application/json',
      'application/json',
      'application/json; charset=utf-8',
      'application/json; charset=utf-16',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      '*/*',
      'application/json;;;',
      'x',
    ])
  if (below(8) === 0) headers['x-vertexsms-client-address'] = pick(['::', '1', 'x'.repeat(500), '127.0.0.1'])
  if (below(8) === 0) headers['x-vertexsms-edge-secret'] = pick(['', 'x', 'x'.repeat(4000)])
  if (below(8) === 0) headers['content-encoding'] = pick(['gzip', 'br', 'x'])
  if (below(8) === 0) headers['x-request-id'] = pick(['1', 'x'.repeat(300), '37060000001'])
  if (below(16) === 0) headers.expect = '100-continue'
  return headers
}

interface Seen {
  status: number
  body: string
  type: string
}

function perform(
  options: RequestOptions & { headers: Record<string, string> },
  payload: string | Buffer | undefined,
): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(world.node.url)
    // Node frames the body of some methods only when it is told the length.
    const length = payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) }
    const request = send(
      { ...options, headers: { ...options.headers, ...length }, hostname, port, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            type: response.headers['content-type'] ?? '',
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(payload)
  })
}

test('no hostile request brings a 5xx, a crash or another error body', async () => {
  const issuer = await makeIssuer(world.db, 'fuzz')
  const jwts = [
    await issuer.sign(accessClaims(world.accountId)),
    await issuer.sign(accessClaims(world.accountId, { jti: pick(NASTY) || 'x' })),
    await issuer.sign(accessClaims("' OR 1=1")),
  ]
  const statuses = new Map<number, number>()
  let left = REQUESTS
  async function worker(): Promise<void> {
    while (left-- > 0) {
      const path = random.next() < 0.65 ? pick(Object.keys(SOUND)) : hostilePath()
      const method =
        random.next() < 0.8
          ? path in SOUND
            ? 'POST'
            : 'GET'
          : pick(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND'])
      const payload = method === 'GET' || method === 'HEAD' ? undefined : body(path)
      const headers = await hostileHeaders(jwts)
      const seen = await perform({ method, path, headers }, payload).catch((error: NodeJS.ErrnoException) => error.code)
      const request = () =>
        JSON.stringify({ method, path, headers: Object.keys(headers), payload: String(payload).slice(0, 400) })
      if (typeof seen !== 'object') {
        // A body that is refused before it was read may end the connection while it is still being sent.
        expect(['ECONNRESET', 'EPIPE'], request()).toContain(seen)
        statuses.set(0, (statuses.get(0) ?? 0) + 1)
        continue
      }
      statuses.set(seen.status, (statuses.get(seen.status) ?? 0) + 1)
      expect(seen.status, request()).toBeLessThan(500)
      if (seen.status >= 400 && method !== 'HEAD') {
        expect(seen.type, request()).toContain('application/json')
        const { code, error_code, message, ...rest } = JSON.parse(seen.body)
        expect(Object.keys(API_ERRORS), request()).toContain(code)
        expect(error_code === null || Number.isInteger(error_code)).toBe(true)
        expect([typeof message, rest]).toEqual(['string', {}])
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  process.stdout.write(`${REQUESTS} requests: ${JSON.stringify(Object.fromEntries([...statuses].sort()))}\n`)
  expect(await world.node.call('GET /token', { token: world.token })).toMatchObject({ status: 200 })
  expect(world.node.lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
}, 600_000)

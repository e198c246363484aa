/** One request that no client of good will would send. */
export interface HostileRequest {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly payload: string | Buffer | undefined
}

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

/** Makes hostile requests, the same ones in the same order for the same seed. */
export function createHostile(seed: number, token: string, jwts: readonly string[]): () => HostileRequest {
  const { next, below, pick } = generator(seed)

  function value(depth = 0): unknown {
    switch (below(depth > 3 ? 5 : 8)) {
      case 0:
        return pick(NASTY)
      case 1:
        return pick(NUMBERS)
      case 2:
        return null
      case 3:
        return next() < 0.5
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

  function body(path: string): string | Buffer {
    const kind = below(10)
    if (kind === 0)
      return pick(['', '{', '[[[[', '{"to":', 'null', '"', '\ufeff{}', '{"a":1,"a":2}', '['.repeat(30_000)])
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

  function hostileHeaders(): Record<string, string> {
    const headers: Record<string, string> = {}
    const kind = below(10)
    if (kind < 6) headers['x-vertexsms-token'] = token
    else if (kind === 6) headers['x-vertexsms-token'] = pick(jwts)
    else if (kind === 7)
      headers['x-vertexsms-token'] = pick([
        '.',
        '..',
        'a.b.c',
        'eyJ.eyJ.x',
        `${'e'.repeat(8000)}.a.b`,
        'x'.repeat(9000),
      ])
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

  return () => {
    const path = next() < 0.65 ? pick(Object.keys(SOUND)) : hostilePath()
    const usual = path in SOUND ? 'POST' : 'GET'
    const method =
      next() < 0.8 ? usual : pick(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND'])
    const payload = method === 'GET' || method === 'HEAD' ? undefined : body(path)
    return { method, path, headers: hostileHeaders(), payload }
  }
}

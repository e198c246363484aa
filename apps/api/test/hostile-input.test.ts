import { MESSAGE_MAX_CHARACTERS } from '@vertexsms/contract/rest'
import { JSON_DEPTH_MAX } from '@vertexsms/service/json'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const SMS = { to: '37060000001', from: 'Tests', message: 'Hi' }
const headers = { 'content-type': 'application/json' }
const post = (path: string, raw: string, token: string | null = world.token) =>
  world.node.call(`POST ${path}`, { token, raw, headers })
const refusal = (message: string | RegExp) => ({
  status: 400,
  body: { message: expect.stringMatching(message), code: 'INVALID_INPUT', error_code: null },
})
const ROUTES: [string, object][] = [
  ['/sms', SMS],
  ['/sms/cost', SMS],
  ['/hlr', { msisdn: '37060000001' }],
  ['/senderId', { name: '37060000001', type: 'MSISDN' }],
  ['/senderId/confirm/1', { code: '12345' }],
  ['/numbers/correct', [{ number: '860000001', country: 'LT' }]],
]

test.each(ROUTES)('a body of %s that is nested too deeply or holds too much is refused', async (route, body) => {
  const deep = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
  for (const levels of [JSON_DEPTH_MAX + 1, 7_000, 30_000]) {
    expect(await post(route, deep(levels))).toMatchObject(refusal('nested too deeply'))
  }
  expect(await post(route, JSON.stringify(Array(10_000).fill(body)).slice(0, 60_000))).toMatchObject(refusal(''))
  expect(await post(route, `[${'0,'.repeat(20_000)}0]`)).toMatchObject(refusal('too many values'))
  expect((await post(route, deep(JSON_DEPTH_MAX))).body).not.toMatchObject({
    message: expect.stringContaining('nested'),
  })
})

test('a batch at its limit is not too much', async () => {
  const numbers = JSON.stringify(Array(100).fill({ number: '860000001', country: 'LT' }))
  expect((await post('/numbers/correct', numbers)).status).toBe(200)
})

test('a member that stands twice is refused by name, in one spelling or two, at any depth', async () => {
  const rest = JSON.stringify(SMS).slice(1)
  for (const member of ['"to":"37060000002"', '"t\\u006f":"37060000001"']) {
    expect(await post('/sms', `{${member},${rest}`)).toMatchObject(refusal(/^Invalid value for field 'to': .*once/))
  }
  const nested = '[{"number":"860000001","country":"LT"},{"number":"1","country":"LT","number":"2"}]'
  expect(await post('/numbers/correct', nested)).toMatchObject(refusal("field '1.number'"))
  expect(await post('/sms', `{"a b 37060000001":1,"a b 37060000001":2,${rest}`)).toMatchObject(
    refusal(/^Invalid value for a field: /),
  )
  expect((await post('/sms', `{${rest}`)).status).toBe(200)
})

test('text with a null character or half of a surrogate pair is refused by field, and whole pairs pass', async () => {
  for (const bad of ['\\u0000', 'a\\ud800', '\\udc00\\ud800']) {
    for (const field of Object.keys(SMS)) {
      const raw = JSON.stringify({ ...SMS, [field]: 'BAD' }).replace('BAD', bad)
      expect(await post('/sms', raw)).toMatchObject(refusal(`field '${field}': it holds characters`))
    }
  }
  expect((await post('/sms', JSON.stringify({ ...SMS, message: '😀 \\u0000 e\u0301' }))).status).toBe(200)
})

test.each([
  '/operators/%00',
  '/operators/1%ff',
  '/mccmnc/L%00',
  '/mccmnc/LT?Page=%00',
  '/mccmnc/LT?Page=%ED%A0%80',
  '/prefixes/LT?Page=1&x=%zz',
  '/rates?format=%00',
  '/hlr/1?wait=%00',
  '/hlr/%00',
])('%s is refused as not valid with a token, as not authenticated without one', async (path) => {
  const { status, body } = await world.node.call(`GET ${path}`, { token: world.token })
  expect([400, 404]).toContain(status)
  expect(body).toEqual({
    message: expect.any(String),
    code: expect.stringMatching(/^(INVALID_INPUT|NOT_FOUND)$/),
    error_code: null,
  })
  const [path1, query] = path.split('?')
  if (query !== undefined) expect((await world.node.call(`GET ${path1}?${query}`)).status).toBe(401)
})

test('a query in any language is read, and what the route does not take is refused in words', async () => {
  const ask = (query: string) => world.node.call(`GET /mccmnc/LT?${query}`, { token: world.token })
  const note = await ask('Page=1&note=%C4%85%20%F0%9F%98%80+x')
  expect([note.status, note.body.message]).toEqual([
    400,
    "This route takes no query parameter 'note'. It takes 'Page'.",
  ])
  const page = await ask('Page=%C4%85%20%F0%9F%98%80+x')
  expect([page.status, page.body.message]).toEqual([
    400,
    "Invalid value for field 'Page': a positive integer expected.",
  ])
})

test('text beyond its length is refused before anything is done with it, and a text at the limit is not', async () => {
  const long = (field: string, length: number, pump = ' ') =>
    post('/sms', JSON.stringify({ ...SMS, [field]: pump.repeat(length) }))
  for (const [field, max] of [
    ['to', 64],
    ['from', 64],
    ['message', MESSAGE_MAX_CHARACTERS],
    ['dlrUrl', 2048],
    ['scheduled', 40],
    ['udh', 280],
  ] as const) {
    expect(await long(field, max + 1)).toMatchObject(
      refusal(new RegExp(`field '${field}': at most ${max} char|expected`)),
    )
  }
  const started = performance.now()
  for (const pump of [' ', '\u0301', '0', '-', '.', '+', '\u00a0', '%', 'ff']) {
    for (const field of ['to', 'from', 'dlrUrl', 'scheduled', 'udh', 'correctBy', 'priority']) {
      expect((await long(field, Math.floor(30_000 / Buffer.byteLength(pump)), pump)).status).toBe(400)
    }
  }
  expect(performance.now() - started).toBeLessThan(20_000)
  expect(
    (await post('/sms/cost', JSON.stringify({ ...SMS, message: 'x'.repeat(MESSAGE_MAX_CHARACTERS) }))).status,
  ).toBe(200)
})

test.each(['x', 'a'.repeat(15_000), `vsms_${'a'.repeat(65)}`, `${'a'.repeat(4096)}.b.c`, 'a.b'])(
  'a token that cannot be one of ours is 401 (%#)',
  async (token) => {
    expect(await world.node.call('GET /token', { token })).toMatchObject({
      status: 401,
      body: { code: 'TOKEN_INVALID' },
    })
  },
)

test('a token whose JSON is nested as deep as its length lets it is 401', async () => {
  const part = (text: string) => Buffer.from(text).toString('base64url')
  const deep = '['.repeat(1_200) + ']'.repeat(1_200)
  for (const [header, payload] of [
    [`{"alg":"ES256","kid":${deep.slice(400, -400)}}`, '{}'],
    ['{"alg":"ES256","typ":"at+jwt","kid":"x"}', `{"sub":${deep.slice(400, -400)}}`],
    ['{"alg":"ES256","kid":"\\u0000"}', '{"sub":"\\u0000"}'],
  ] as const) {
    const token = `${part(header)}.${part(payload)}.AAAA`
    expect(token.length).toBeLessThan(4096)
    expect(await world.node.call('GET /token', { token })).toMatchObject({
      status: 401,
      body: { code: 'TOKEN_INVALID' },
    })
  }
})

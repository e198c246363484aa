import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorld, type World } from './support/world.ts'

let world: World
let other: string
beforeAll(async () => {
  world = await startWorld()
  other = (await world.makeAccount()).token
})
afterAll(() => world.close())

interface Seen {
  status: number | undefined
  challenge: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on the members it expects
  body: any
}

/** Sends headers exactly as they are listed, twice where they stand twice: fetch would join them. */
function send(headers: readonly (readonly [string, string])[], path = '/token'): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const sent = request(world.node.url + path, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          challenge: response.headers['www-authenticate'],
          body: JSON.parse(Buffer.concat(chunks).toString()),
        }),
      )
    })
    const values = new Map<string, string[]>()
    for (const [name, value] of headers) values.set(name, [...(values.get(name) ?? []), value])
    for (const [name, list] of values) sent.setHeader(name, list)
    sent.on('error', reject).end()
  })
}

const OWN = 'x-vertexsms-token'
const BEARER = 'authorization'

describe('the token of a request', () => {
  test.each([
    ['the header of the API', () => [[OWN, world.token]]],
    ['a bearer token', () => [[BEARER, `Bearer ${world.token}`]]],
    ['a bearer token of any case and spacing', () => [[BEARER, `bEARER   ${world.token} `]]],
    [
      'both, when they say the same',
      () => [
        [OWN, world.token],
        [BEARER, `Bearer ${world.token}`],
      ],
    ],
    [
      'a bearer token beside an empty header',
      () => [
        [OWN, ''],
        [BEARER, `Bearer ${world.token}`],
      ],
    ],
    [
      'the header of the API beside a scheme that is not ours',
      () => [
        [OWN, world.token],
        [BEARER, 'Basic dXNlcjpwYXNz'],
      ],
    ],
  ] as [string, () => [string, string][]][])('is read from %s (RFC 6750 section 2.1)', async (_name, headers) => {
    const { status, body } = await send(headers())
    expect([status, body.account]).toEqual([200, world.accountId])
  })

  test.each([
    [
      'two headers that differ',
      () => [
        [OWN, world.token],
        [BEARER, `Bearer ${other}`],
      ],
    ],
    [
      'an unknown token beside a sound one',
      () => [
        [OWN, 'x'],
        [BEARER, `Bearer ${world.token}`],
      ],
    ],
    [
      'two bearer headers',
      () => [
        [BEARER, `Bearer ${world.token}`],
        [BEARER, `Bearer ${other}`],
      ],
    ],
    [
      'two bearer headers alike',
      () => [
        [BEARER, `Bearer ${world.token}`],
        [BEARER, `Bearer ${world.token}`],
      ],
    ],
    [
      'two headers of the API',
      () => [
        [OWN, world.token],
        [OWN, other],
      ],
    ],
    ['a bearer scheme without a token', () => [[BEARER, 'Bearer']]],
    ['two tokens in one bearer header', () => [[BEARER, `Bearer ${world.token} ${other}`]]],
    ['two credentials in one header', () => [[BEARER, `Bearer ${world.token}, Bearer ${other}`]]],
    [
      'a malformed bearer header beside a sound token',
      () => [
        [OWN, world.token],
        [BEARER, 'Bearer a b'],
      ],
    ],
    ['characters that no bearer token has', () => [[BEARER, 'Bearer "quoted"']]],
  ] as [string, () => [string, string][]][])(
    'is refused as 400 from %s (RFC 6750 section 3.1)',
    async (_name, headers) => {
      const { status, body, challenge } = await send(headers())
      expect([status, body.code]).toEqual([400, 'INVALID_INPUT'])
      expect(body.message).toMatch(/Authorization|X-VertexSMS-Token/)
      expect(challenge).toBe('Bearer realm="VertexSMS API", error="invalid_request"')
      expect(JSON.stringify(body)).not.toContain(world.token)
    },
  )

  test('is challenged without an error code where there was none, and as invalid where it was refused (RFC 6750 section 3)', async () => {
    const missing = await send([])
    expect([missing.status, missing.body.code, missing.challenge]).toEqual([
      401,
      'TOKEN_MISSING',
      'Bearer realm="VertexSMS API"',
    ])
    for (const headers of [
      [OWN, 'x'],
      [BEARER, 'Bearer x'],
      [BEARER, 'Bearer a.b.c'],
    ] as [string, string][]) {
      const { status, body, challenge } = await send([headers])
      expect([status, body.code, challenge]).toEqual([
        401,
        'TOKEN_INVALID',
        'Bearer realm="VertexSMS API", error="invalid_token"',
      ])
    }
  })

  test.each(['at', 'access_token', 'token'])('is never read from the query: %s', async (name) => {
    const alone = await send([], `/token?${name}=${world.token}`)
    expect([alone.status, alone.body.code]).toEqual([401, 'TOKEN_MISSING'])
    const beside = await send([[BEARER, 'Bearer x']], `/token?${name}=${world.token}`)
    expect([beside.status, beside.body.code]).toEqual([401, 'TOKEN_INVALID'])
  })
})

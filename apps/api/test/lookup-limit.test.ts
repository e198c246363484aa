import { CLIENT_ADDRESS_HEADER, EDGE_SECRET_HEADER } from '@vertexsms/contract/headers'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { accessClaims, makeConnection, makeIssuer } from './support/issuer.ts'
import { EDGE_SECRET, type Node, startWorld, type World } from './support/world.ts'

let world: World
let node: Node
let issuer: Awaited<ReturnType<typeof makeIssuer>>
beforeAll(async () => {
  world = await startWorld()
  // Of keys that are not known it asks now and then, and no time passes here.
  issuer = await makeIssuer(world.db, 'key-of-limits')
  node = await world.startNode({ RATE_LIMITS: 'on', FAILURES_PER_MINUTE: '10' })
  // Nothing is refilled while a test counts, however slow the machine.
  vi.spyOn(performance, 'now').mockReturnValue(performance.now())
})
afterAll(async () => {
  vi.restoreAllMocks()
  await world.close()
})

let last = 0
const newAddress = () => `198.51.100.${++last}`

/** Asks as the MCP server does for a caller of this address. */
const ask = (token: string | null, address: string) =>
  node.call('GET /token', {
    token,
    headers: { [EDGE_SECRET_HEADER]: EDGE_SECRET, [CLIENT_ADDRESS_HEADER]: address },
  })

/** The answers to so many in a row. */
async function inARow(count: number, one: () => ReturnType<typeof ask>): Promise<number[]> {
  const given: number[] = []
  for (let round = 0; round < count; round++) given.push((await one()).status)
  return given
}

let guess = 0
const guesses = (count: number, addressOf: () => string) =>
  inARow(count, () => ask(`vsms_${`guess${++guess}`.padEnd(43, 'x')}`, addressOf()))

describe('failed look-ups of tokens made by hand', () => {
  test('end in 429 with Retry-After for an unknown token, for one address and no other', async () => {
    const address = newAddress()
    expect(await guesses(10, () => address)).toEqual(Array(10).fill(401))
    const refused = await ask(world.token, address)
    expect([refused.status, refused.body.code]).toEqual([429, 'RATE_LIMITED'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect((await ask(world.token, newAddress())).status).toBe(200)
  })

  test('hold up neither a token that was accepted lately nor an access token that verifies', async () => {
    const address = newAddress()
    const { token } = await world.makeToken()
    expect((await ask(token, address)).status).toBe(200)
    await guesses(11, () => address)
    expect((await ask(token, address)).status).toBe(200)
    const claims = accessClaims(world.accountId)
    await makeConnection(world.db, world.accountId, claims.jti)
    expect((await ask(await issuer.sign(claims), address)).status).toBe(200)
  })

  test('leave a request without a token, or with an access token that is not good, at 401', async () => {
    const address = newAddress()
    await guesses(11, () => address)
    expect((await ask(null, address)).status).toBe(401)
    const stranger = await makeIssuer(world.db, 'key-of-a-stranger')
    await world.db.signingKey.deleteMany({ where: { kid: 'key-of-a-stranger' } })
    expect((await ask(await stranger.sign(accessClaims(world.accountId)), address)).status).toBe(401)
  })

  test('are counted for an IPv6 /64 together', async () => {
    let host = 0
    const given = await guesses(11, () => `2001:db8:1:1::${++host}`)
    expect(given).toEqual([...Array(10).fill(401), 429])
    expect(await guesses(1, () => '2001:db8:1:2::1')).toEqual([401])
  })

  test('are counted together where no address can be read', async () => {
    let odd = 0
    const given = await guesses(11, () => `nowhere-${++odd}`)
    expect(given).toEqual([...Array(10).fill(401), 429])
  })

  test('of one token are counted wherever they come from', async () => {
    const given = await inARow(11, () => ask('vsms_deadxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', newAddress()))
    expect(given).toEqual([...Array(10).fill(401), 429])
  })

  test('do not include a token that may not be used from there', async () => {
    const address = newAddress()
    const { token } = await world.makeToken({ ipAllowList: ['192.0.2.1'] })
    for (let round = 0; round < 12; round++) expect((await ask(token, address)).body.code).toBe('IP_NOT_ALLOWED')
    expect(await guesses(1, () => address)).toEqual([401])
  })

  test('hold until the very second in which the next may come', async () => {
    const address = newAddress()
    expect(await guesses(10, () => address)).toEqual(Array(10).fill(401))
    const { token } = await world.makeToken()
    const now = performance.now()
    // One comes back every six seconds; a second is left of them.
    vi.mocked(performance.now).mockReturnValue(now + 5_500)
    const early = await ask(token, address).finally(() => vi.mocked(performance.now).mockReturnValue(now))
    expect([early.status, early.headers.get('retry-after')]).toEqual([429, '1'])
  })

  test('count a token that was accepted lately once it has been refused, as any stranger', async () => {
    const address = newAddress()
    const { id, token } = await world.makeToken()
    expect((await ask(token, address)).status).toBe(200)
    await world.db.apiToken.delete({ where: { id } })
    const given = await inARow(12, () => ask(token, address))
    expect(given).toEqual([...Array(11).fill(401), 429])
  })

  test('count what is too long for an access token, whatever its shape', async () => {
    const address = newAddress()
    const long = `${'a'.repeat(4_096)}.b.c`
    const given = await inARow(11, () => ask(long, address))
    expect(given).toEqual([...Array(10).fill(401), 429])
  })

  test('do not include a look that came to nothing, which is told as unavailable and logged', async () => {
    const address = newAddress()
    const logged = () => node.lines.filter((line) => line.includes('token check failed')).length
    const before = logged()
    await world.db.$executeRawUnsafe('ALTER TABLE api_token RENAME TO api_token_away')
    try {
      for (let round = 0; round < 12; round++) {
        const { status, body } = await ask(`vsms_${'A'.repeat(43)}`, address)
        expect([status, body.code]).toEqual([503, 'UNAVAILABLE'])
      }
    } finally {
      await world.db.$executeRawUnsafe('ALTER TABLE api_token_away RENAME TO api_token')
    }
    expect(logged() - before).toBe(12)
    expect(await guesses(1, () => address)).toEqual([401])
    expect(logged() - before).toBe(12)
  })
})

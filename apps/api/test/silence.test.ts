import { type Door, doorTo } from '@vertexsms/db/testing/door'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { accessClaims, makeConnection, makeIssuer } from './support/issuer.ts'
import { type Node, startWorld, type World } from './support/world.ts'

// Short limits, and an upper bound with room for a busy machine: without limits the same calls hang for minutes.
const LIMITS = {
  DATABASE_CONNECT_TIMEOUT_MS: '1000',
  DATABASE_STATEMENT_TIMEOUT_MS: '1000',
  DATABASE_LOCK_TIMEOUT_MS: '700',
}
const WITHIN_MS = 60_000

let world: World
let door: Door
let node: Node
let jwt: string
beforeAll(async () => {
  world = await startWorld()
  const issuer = await makeIssuer(world.db, 'key-1')
  const claims = accessClaims(world.accountId)
  await makeConnection(world.db, world.accountId, claims.jti)
  jwt = await issuer.sign(claims)
  door = await doorTo(world.databaseUrl)
  node = await world.startNode({ DATABASE_URL: door.url, ...LIMITS })
})
afterAll(async () => {
  door?.open()
  await world.close()
  await door?.close()
})

test('a database that goes silent without closing makes every call 503 in seconds and the node not ready, until it speaks', async () => {
  const calls = [
    ['GET /token', {}],
    ['GET /rates', {}],
    ['GET /hlr/1', {}],
    ['POST /sms', { body: { to: '37060000001', from: 'Tests', message: 'Hello' } }],
  ] as const
  const all = () =>
    Promise.all(
      calls.flatMap(([called, options]) =>
        [world.token, jwt].map(async (token) => {
          const { status, headers, body } = await node.call(called, { token, ...options })
          return { called, status, retryAfter: Number(headers.get('retry-after')), code: body.code }
        }),
      ),
    )
  const works = async () => (await all()).every(({ status }) => status !== 503)
  await eventually(works, 50_000)
  expect((await node.call('GET /readyz')).status).toBe(200)

  for (let round = 0; round < 2; round++) {
    door.silence()
    const from = performance.now()
    // Far more than the pool has connections: whoever waits for one is answered too.
    const answers = (await Promise.all(Array.from({ length: 6 }, all))).flat()
    expect(performance.now() - from).toBeLessThan(WITHIN_MS)
    for (const { status, code, retryAfter, called } of answers) {
      expect([status, code], called).toEqual([503, 'UNAVAILABLE'])
      expect(retryAfter).toBeGreaterThan(0)
    }
    const [ready, healthy] = [await node.call('GET /readyz'), await node.call('GET /healthz')]
    expect([ready.status, healthy.status]).toEqual([503, 200])

    door.open()
    await eventually(async () => (await node.call('GET /readyz')).status === 200)
    await eventually(works, 50_000)
  }
}, 240_000)

// What a send asks of the database: admit and settle, and one more for a remote price or a chunk of a list.
import { randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createPauseWatch } from '../src/limits/watch.ts'
import { type ScriptedUpstream, scriptedUpstream, withUpstream } from './support/upstream.ts'
import { type Node, startWorld, type World } from './support/world.ts'

let world: World
let scripted: ScriptedUpstream
let node: Node
let statements: string[] = []
beforeAll(async () => {
  world = await startWorld()
  scripted = scriptedUpstream(world.db)
  scripted.answer = async ({ messageId }) => ({
    kind: 'accepted',
    reference: `${messageId}`,
    parts: 1,
    priceMicros: 1n,
  })
  const counting = world.db.$extends({
    query: {
      $queryRaw({ args, query }) {
        statements.push(String(args.sql).trim().slice(0, 60))
        return query(args)
      },
      $executeRaw({ args, query }) {
        statements.push(String(args.sql).trim().slice(0, 60))
        return query(args)
      },
    },
  })
  // The jobs of the node look once, at its start.
  node = await world.startNode(
    { SANDBOX_POLL_MS: '60000' },
    {
      ...withUpstream(scripted),
      db: counting as unknown as Database,
      // Looks are taken behind answers, and are not what a send asks.
      watch: createPauseWatch(world.db, world.node.app.log, 0),
    },
  )
  const limits = { maxPerDayMicros: 10n ** 12n, maxTotalMicros: 10n ** 12n, recipientsPerDay: 1_000, countries: ['LT'] }
  const { id, token } = await world.makeToken()
  world.token = token
  await world.db.spender.create({
    data: { id, accountId: world.accountId, kind: 'token', createdAt: new Date(), ...limits },
  })
  // The rows of counters are made at first use.
  await send({})
})
afterAll(() => world.close())
beforeEach(() => {
  statements = []
})

const send = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
  node.call('POST /sms', {
    token: world.token,
    body: { to: '37060000001', from: 'Tests', message: 'Hello', ...body },
    headers,
  })
test('a send under limits is two statements, with a key too', async () => {
  expect((await send({})).status).toBe(200)
  expect(statements.length, statements.join('\n')).toBe(2)
  statements = []
  expect((await send({}, { 'idempotency-key': randomUUID() })).status).toBe(200)
  expect(statements.length, statements.join('\n')).toBe(2)
})

test('a send whose very price is asked for is three', async () => {
  expect((await send({ maxPrice: '1' })).status).toBe(200)
  expect(statements.length, statements.join('\n')).toBe(3)
})

// A pooler answers in the server's place where it lost it in the middle of a statement, and where it has none.
import { type Door, doorTo } from '@vertexsms/db/testing/door'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Node, startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.close())

const calls = [
  ['POST /sms', 'INSERT INTO message', { to: '37060000001', from: 'Tests', message: 'Hello' }],
  ['POST /hlr', 'INSERT INTO hlr_lookup', { msisdn: '37061234567' }],
] as const

const statesOf = async (accountId: string) =>
  (await world.db.sendMessage.findMany({ where: { accountId } })).map(({ id, state }) => [String(id), state])

describe.each([
  ['PgBouncer', '08P01'],
  ['Pgpool-II', 'XX000'],
])('behind %s', (_pooler, code) => {
  let pooler: Door
  let node: Node
  beforeAll(async () => {
    pooler = await doorTo(world.databaseUrl, 'pooler', { severity: 'FATAL', code })
    node = await world.startNode({ DATABASE_URL: pooler.url, DATABASE_NAMED_STATEMENTS: 'off' })
  })
  afterAll(() => pooler?.close())

  test.each(calls)(
    '%s that was let in by a statement whose server was lost is carried out once',
    async (route, _, body) => {
      const { accountId, token } = await world.makeAccount()
      pooler.loseAnswerTo('INSERT INTO send_message')
      const { status, body: answer } = await node.call(route, { token, body })
      expect(await statesOf(accountId)).toEqual([[String(answer[0]), 'accepted']])
      expect(status).toBe(200)
    },
  )

  test.each(calls)('%s whose outcome was lost is called neither done nor undone', async (route, statement, body) => {
    const { accountId, token } = await world.makeAccount()
    pooler.loseAnswerTo(statement)
    const { status, body: answer } = await node.call(route, { token, body })
    expect([status, answer.code]).toEqual([500, 'SEND_OUTCOME_UNKNOWN'])
    expect((await statesOf(accountId)).map(([id]) => id)).toEqual(answer.details.ids)
  })

  test.each(calls)('%s for which there is no server is called undone, and is', async (route, _, body) => {
    const { accountId, token } = await world.makeAccount()
    pooler.shut()
    const { status, body: answer } = await node.call(route, { token, body })
    pooler.open()
    expect([status, answer.code]).toEqual([503, 'UNAVAILABLE'])
    expect(await statesOf(accountId)).toEqual([])
  })
})

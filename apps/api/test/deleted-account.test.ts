// What becomes of messages whose account is removed while they are under way.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ScriptedUpstream, scriptedUpstream, withUpstream } from './support/upstream.ts'
import { type Node, RACING, startWorld, type World } from './support/world.ts'

let world: World
let scripted: ScriptedUpstream
let node: Node
let handedOver: number
let meanwhile: (accountId: string) => Promise<unknown>
beforeAll(async () => {
  world = await startWorld({}, { poolSize: RACING })
  scripted = scriptedUpstream(world.db)
  scripted.answer = async ({ messageId, accountId }) => {
    handedOver += 1
    await meanwhile(accountId)
    return { kind: 'accepted', reference: `${messageId}`, parts: 1, priceMicros: 1n }
  }
  node = await world.startNode({}, withUpstream(scripted))
})
afterAll(() => world?.close())
beforeEach(() => {
  handedOver = 0
  meanwhile = async () => {}
})

/** As the operator's command leaves nothing of it. */
const remove = (id: string) => world.db.account.deleteMany({ where: { id } })

async function rowsOf(accountId: string): Promise<number[]> {
  const where = { accountId }
  const { db } = world
  return [
    await db.account.count({ where: { id: accountId } }),
    await db.spender.count({ where }),
    await db.send.count({ where }),
    await db.sendMessage.count({ where }),
    await db.activity.count({ where }),
    await db.notice.count({ where }),
    await db.approval.count({ where }),
  ]
}

test('a message that is with the operator when its account is deleted is answered, and leaves nothing behind', async () => {
  const { accountId, token } = await world.makeAccount()
  meanwhile = remove
  const body = { to: '37060000001', from: 'Tests', message: 'Hello' }
  const { status } = await node.call('POST /sms', { token, body })
  expect([status, handedOver]).toEqual([200, 1])
  expect((await node.call('POST /sms', { token, body })).status).toBe(401)
  expect(handedOver).toBe(1)
  expect(await rowsOf(accountId)).toEqual([0, 0, 0, 0, 0, 0, 0])
})

test('the rest of a list is not sent once its account is deleted', async () => {
  const { accountId, token } = await world.makeAccount()
  meanwhile = async (id) => {
    if (handedOver === 4) await remove(id)
  }
  const to = Array.from({ length: 40 }, (_, at) => `370600010${String(at).padStart(2, '0')}`)
  await node.call('POST /sms/batch', { token, body: { to, from: 'Tests', message: 'Hello' } })
  // The chunk that was out when it went, and no other.
  expect(handedOver).toBeLessThanOrEqual(8)
  expect(await rowsOf(accountId)).toEqual([0, 0, 0, 0, 0, 0, 0])
})

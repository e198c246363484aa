import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { startReceiver } from './support/receiver.ts'
import { startWorld, type World } from './support/world.ts'

let world: World
let receiver: Awaited<ReturnType<typeof startReceiver>>
beforeAll(async () => {
  receiver = await startReceiver()
  world = await startWorld()
})
afterAll(async () => {
  await world.close()
  await receiver.close()
})

const sms = { to: '37060000001', from: 'Tests', message: 'Hello' }

function send(body: Record<string, unknown>, token = world.token) {
  return world.node.call('POST /sms', { token, body: { ...sms, ...body } })
}

async function balance(accountId = world.accountId): Promise<bigint> {
  return (await world.db.account.findUniqueOrThrow({ where: { id: accountId } })).balanceMicros
}

function ended(id: string) {
  return eventually(async () => {
    const row = await world.db.message.findFirstOrThrow({ where: { orderId: BigInt(id) } })
    return row.status === 'delivered' || row.status === 'failed' ? row : undefined
  })
}

describe('a magic number', () => {
  test.each([20, 21, 22, 23, 24, 53])('+44 7700 900 %i is refused at once with that code', async (code) => {
    const to = `447700900${String(code).padStart(3, '0')}`
    const before = await balance()
    const { status, body } = await send({ to })
    expect([status, body.code, body.error_code]).toEqual([400, 'SEND_REFUSED', code])
    expect(await balance()).toBe(before)
  })

  test.each([1, 2, 40, 41, 43, 51, 999])('+44 7700 900 %i is reported undelivered with that code', async (code) => {
    const to = `+447700900${String(code).padStart(3, '0')}`
    const [id] = (await send({ to, dlrUrl: `${receiver.url}/magic` })).body
    const report = await eventually(async () => receiver.posts.find(({ body }) => body.id === id))
    expect(report.body).toMatchObject({ status: 2, error: code, mcc: '234' })
    expect(await ended(id)).toMatchObject({ status: 'failed', errorCode: code })
  })

  test('with no code of its own is delivered', async () => {
    const [id] = (await send({ to: '447700900123' })).body
    expect(await ended(id)).toMatchObject({ status: 'delivered', errorCode: 0 })
  })
})

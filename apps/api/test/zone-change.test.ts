// The owner may change the time zone at any moment; a day that is spent stays spent until it would have ended.
import { databaseNow } from '@vertexsms/db/clock'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.close())
beforeEach(() => world.followDate())

/** Ahead of and behind every other zone: somewhere there it is another day now, whenever now is. */
const ZONES = ['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Europe/Vilnius', null]

test('a spent day is reopened by no change of the time zone, and ends when it would have', async () => {
  const { accountId, token } = await world.makeAccount()
  const send = async () => {
    const body = { to: '37060000001', from: 'Tests', message: 'Hello' }
    const { status, body: answer } = await world.node.call('POST /sms', { token, body })
    return status === 200 ? 'sent' : answer.code
  }
  expect(await send()).toBe('sent')
  const id = { spenderId: accountId, upstream: 'sandbox' }
  const count = () => world.db.spenderCount.findUniqueOrThrow({ where: { spenderId_upstream: id } })
  const { daySpentMicros, dayHeldMicros, dayEndsAt } = await count()
  const maxPerDayMicros = daySpentMicros + dayHeldMicros
  await world.db.spender.update({ where: { id: accountId }, data: { maxPerDayMicros } })
  expect(await send()).toBe('SPEND_CAP_REACHED')
  for (const timeZone of [...ZONES, ...ZONES.toReversed()]) {
    await world.db.account.update({ where: { id: accountId }, data: { timeZone } })
    expect([timeZone, await send()]).toEqual([timeZone, 'SPEND_CAP_REACHED'])
    expect((await count()).dayEndsAt).toEqual(dayEndsAt)
  }
  // Room for a send at the price that is held.
  await world.db.spender.update({ where: { id: accountId }, data: { maxPerDayMicros: 2n * maxPerDayMicros } })
  await world.db.spenderCount.update({
    where: { spenderId_upstream: id },
    data: { daySpentMicros: 2n * maxPerDayMicros },
  })
  expect(await send()).toBe('SPEND_CAP_REACHED')
  await world.followDate(dayEndsAt.getTime() - Date.now() + 60_000)
  expect(await send()).toBe('sent')
})

test.each(['Pacific/Kiritimati', 'Pacific/Pago_Pago'])(
  'a day that is over leaves its room to the next one, which ends at the midnight of %s',
  async (timeZone) => {
    const { accountId, token } = await world.makeAccount()
    const send = async () => {
      const body = { to: '37060000001', from: 'Tests', message: 'Hello' }
      return (await world.node.call('POST /sms', { token, body })).body
    }
    const standing = async () => (await world.node.call('GET /token', { token })).body
    await send()
    // Room for one a day.
    await world.db.spender.update({ where: { id: accountId }, data: { maxPerDayMicros: 100_000n } })
    await world.db.account.update({ where: { id: accountId }, data: { timeZone } })
    for (let turn = 1; turn <= 3; turn++) {
      const refused = await send()
      expect(refused.code).toBe('SPEND_CAP_REACHED')
      // It says when there is room again, and then there is.
      const resetsAt = new Date(refused.details.resetsAt).getTime()
      const now = await databaseNow(world.db)
      expect(resetsAt).toBeGreaterThan(now.getTime())
      expect(refused.details.resetsAt).toBe((await standing()).spent.resetsAt)
      if (turn > 1) expect(clockIn(timeZone, resetsAt)).toBe('00:00')
      await world.followDate(resetsAt - Date.now() - 60_000)
      expect((await send()).code).toBe('SPEND_CAP_REACHED')
      await world.followDate(resetsAt - Date.now() + 60_000)
      expect([(await standing()).spent.day, (await standing()).left.day]).toEqual(['0', '0.1'])
      expect((await send()).code).toBeUndefined()
    }
  },
)

function clockIn(timeZone: string, ms: number): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(ms)
}

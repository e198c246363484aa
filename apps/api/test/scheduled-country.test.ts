// Before which country an owner wants to be asked binds what waits, too: they may have said so since.
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { idle } from '../src/sending/hand-over.ts'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { limit, makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { turn } from './support/turn.ts'

const HOUR_MS = 3_600_000
const LATVIAN = '37120000001'

let database: ServiceDatabase
let owner: Database
let payer: Payer
beforeAll(async () => {
  database = await serviceDatabase()
  owner = database.owner
})
afterAll(() => database?.close())
beforeEach(async () => {
  await database.followDate()
  await owner.send.deleteMany()
  payer = await makePayer(owner)
})

const send = (to: string, body: Record<string, unknown> = {}) => {
  const { sending } = pathNode(database.db, fakeOperator())
  return sending.sendOne(smsCall(payer, [to], { body }))
}
const schedule = () => send(LATVIAN, { scheduled: new Date(Date.now() + HOUR_MS).toISOString() })
const asks = (id = payer.tokenId) => limit(owner, payer, id, { askNewCountry: true })

/** What became at its time of what waited. */
async function atItsTime(): Promise<string[]> {
  const operator = fakeOperator()
  const { deps, sending } = pathNode(database.db, operator)
  await database.followDate(HOUR_MS + 60_000)
  await turn(createScheduleJob(deps, sending, 1_000))
  await idle(deps)
  const where = { accountId: payer.accountId, send: { scheduledAt: { not: null } } }
  const rows = await owner.sendMessage.findMany({ where })
  return rows.map(({ id, state, failure }) => `${state} ${failure} ${operator.handOvers.get(id) ?? 0}`)
}

describe('a scheduled send to a country that is new at its time', () => {
  test.each([
    ['token', () => payer.tokenId],
    ['account', () => payer.accountId],
  ])('does not go out where its owner wants to be asked since, by the limits of the %s', async (_whose, id) => {
    await schedule()
    await asks(id())
    expect(await atItsTime()).toEqual(['released APPROVAL_REQUIRED 0'])
  })

  test('goes out where its owner was asked and approved it', async () => {
    await asks()
    await expect(schedule()).rejects.toMatchObject({ code: 'APPROVAL_REQUIRED' })
    const data = { state: 'approved' as const, decidedAt: new Date(), sealedText: null }
    await owner.approval.updateMany({ where: { accountId: payer.accountId }, data })
    const { scheduledAt } = await owner.approval.findFirstOrThrow({ where: { accountId: payer.accountId } })
    await send(LATVIAN, { scheduled: scheduledAt?.toISOString() })
    expect(await atItsTime()).toEqual(['accepted null 1'])
  })

  test('goes out where nobody wants to be asked', async () => {
    await schedule()
    expect(await atItsTime()).toEqual(['accepted null 1'])
  })
})

test('a scheduled send to a country that something was sent to meanwhile goes out', async () => {
  await schedule()
  await send('37120000002')
  await asks()
  expect(await atItsTime()).toEqual(['accepted null 1'])
})

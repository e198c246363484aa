// A list that leads to one person is answered in the time of every list.
import { within } from '@vertexsms/service/within'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { AT_ONCE_MAX } from '../src/ledger/standing.ts'
import type { Step } from '../src/sending/deps.ts'
import { idle } from '../src/sending/hand-over.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { type Fate, fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { countOf, makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { PATIENT_TIMES } from './support/patience.ts'

const TO = ['37060000001']
const UNHURRIED = { ...PATIENT_TIMES, handOverMs: 300_000, leaseSlackMs: 300_000 }

let database: ServiceDatabase
let payer: Payer
beforeAll(async () => {
  database = await serviceDatabase()
})
afterAll(() => database?.close())
beforeEach(async () => {
  payer = await makePayer(database.owner)
})

/** A node that answers lists so soon, whose upstream answers once it is let. */
function closedNode(answerMs: number, fate: Fate = 'accepted') {
  const { passed, open } = makeGate()
  const operator = fakeOperator(
    () => fate,
    () => passed,
  )
  const { deps, sending } = pathNode(database.db, operator, { times: { ...UNHURRIED, answerMs } })
  const placesFree = async (count: number) => {
    const giveBack = await deps.places.take(payer.accountId, 1, count)
    giveBack?.()
    return giveBack !== null
  }
  return { deps, sending, operator, open, placesFree }
}

const rowOf = () => database.owner.sendMessage.findFirstOrThrow({ where: { accountId: payer.accountId } })

test.each([
  ['accepted', { state: 'accepted', failure: null, chargedMicros: 39_000n }, 1],
  ['refused', { state: 'released', failure: 'SEND_REFUSED', chargedMicros: 0n }, 0],
] as const)(
  'it is answered as queued when the upstream takes longer, and keeps its place until it is %s there',
  async (fate, end, recipients) => {
    const { deps, sending, operator, open, placesFree } = closedNode(50, fate)
    const { answer } = await sending.sendList(smsCall(payer, TO))
    const { id } = await rowOf()
    expect(answer.messages).toMatchObject([{ id: String(id), status: 'queued', price: '0.039', error: null }])
    expect([await placesFree(AT_ONCE_MAX), await placesFree(AT_ONCE_MAX - 1)]).toEqual([false, true])
    open()
    await idle(deps)
    expect(await rowOf()).toMatchObject(end)
    expect([await placesFree(AT_ONCE_MAX), operator.handOvers.get(id)]).toEqual([true, 1])
    const { totalHeldMicros, dayRecipients } = await countOf(database.owner, payer.tokenId)
    expect([totalHeldMicros, dayRecipients]).toEqual([0n, recipients])
  },
)

test('what refused it in time refuses all of it, also where that is written only after it', async () => {
  const { passed: written, open: write } = makeGate()
  const { passed: settled, open: isSettled } = makeGate()
  const at = (step: Step) => {
    if (step !== 'settled') return
    isSettled()
    return written
  }
  const operator = fakeOperator(() => 'refused')
  const { sending } = pathNode(database.db, operator, { at, times: { ...UNHURRIED, answerMs: 1_000 } })
  const asking = sending.sendList(smsCall(payer, TO))
  const outcome = asking.then(
    ({ answer }) => answer.messages[0]?.status,
    (error: { code: string }) => error.code,
  )
  await settled
  await within(outcome, 1_500)
  write()
  expect(await outcome).toBe('SEND_REFUSED')
})

test('what refuses it in time still refuses all of it', async () => {
  const { sending, open, placesFree } = closedNode(60_000, 'refused')
  open()
  await expect(sending.sendList(smsCall(payer, TO))).rejects.toMatchObject({ code: 'SEND_REFUSED', errorCode: 21 })
  expect(await placesFree(AT_ONCE_MAX)).toBe(true)
})

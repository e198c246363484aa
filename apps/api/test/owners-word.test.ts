// What an operator says late of a message of which its owner has said already what became of it.
import { setImmediate } from 'node:timers/promises'
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { statusAnswer } from '../src/sending/answers.ts'
import { idle } from '../src/sending/hand-over.ts'
import { sendOther } from '../src/sending/other.ts'
import { messageOf, readLookup } from '../src/sending/rows.ts'
import { createRetentionJob, createSweepJob } from '../src/sending/sweep.ts'
import type { HandOver } from '../src/upstream/upstream.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { countOf, makePayer, type Payer } from './support/ledger.ts'
import { pathNode, senderOf, smsCall } from './support/path.ts'
import { PATIENT_TIMES } from './support/patience.ts'
import { turn } from './support/turn.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const PRICE = 39_000n

let database: ServiceDatabase
let owner: Database
let db: Database
let payer: Payer
beforeAll(async () => {
  database = await serviceDatabase()
  owner = database.owner
  db = database.db
})
afterAll(() => database?.close())
beforeEach(async () => {
  await database.followDate()
  payer = await makePayer(owner)
})

const KINDS = ['sms', 'hlr', 'msisdn'] as const
type Kind = (typeof KINDS)[number]

/** A call under one key, whose operator answers after the time for it, when it is told to. */
function lateCall(kind: Kind) {
  const asked = { times: 0 }
  let give: (answer: HandOver) => void = () => {}
  const given = new Promise<HandOver>((resolve) => {
    give = resolve
  })
  const answer = async (): Promise<HandOver> => {
    asked.times += 1
    return given
  }
  const { deps, sending } = pathNode(
    db,
    { ...fakeOperator(), send: answer, hlr: answer },
    {
      times: { ...PATIENT_TIMES, handOverMs: 500 },
      async registerNumber() {
        const told = await answer()
        if (told.kind === 'accepted') return told.reference
        throw new Error('connection reset')
      },
    },
  )
  const call = async (): Promise<string> => {
    const one = smsCall(payer, ['37060000123'], { idempotencyKey: 'one' })
    if (kind === 'sms') return String((await sending.sendOne(one)).id)
    const { sender, idempotencyKey } = one
    const other = { sender, kind, route: '/other', number: '+37060000123', idempotencyKey }
    return (await sendOther(deps, { ...other, throughMcp: false, allowRepeat: false })).id
  }
  const told = () => call().catch((error: { code: string }) => error.code)
  const answerLate = async (answer: HandOver) => {
    give(answer)
    await setImmediate()
    await idle(deps)
  }
  return { told, answerLate, asked }
}

const ACCEPTED = { kind: 'accepted', reference: '7', parts: 1, priceMicros: null } as const
const rowOf = () => owner.sendMessage.findFirstOrThrow({ where: { accountId: payer.accountId } })
const spent = async () => {
  const { totalSpentMicros, totalHeldMicros } = await countOf(owner, payer.accountId)
  return [totalSpentMicros, totalHeldMicros]
}

async function keep(aheadMs: number): Promise<void> {
  await database.followDate(aheadMs)
  while ((await turn(createRetentionJob(db))) > 0);
}

async function say(word: 'notSentAt' | 'wasSentAt'): Promise<void> {
  await owner.sendMessage.updateMany({ where: { accountId: payer.accountId }, data: { [word]: new Date() } })
  await turn(createSweepJob(db, 'sandbox', 1_000))
}

describe.each(KINDS)('of a call of kind %s', (kind) => {
  const price = { sms: PRICE, hlr: 5_000n, msisdn: 0n }[kind]

  test('that its owner said was not sent, a late acceptance charges, stands open again and takes the key back', async () => {
    const { told, answerLate, asked } = lateCall(kind)
    expect(await told()).toBe('SEND_OUTCOME_UNKNOWN')
    await say('notSentAt')
    expect(await rowOf()).toMatchObject({ state: 'released', failureReason: 'not_sent', chargedMicros: 0n })
    await answerLate(ACCEPTED)
    const { id, finalAt, ...row } = await rowOf()
    expect(row).toMatchObject({ state: 'accepted', chargedMicros: price, failureReason: null })
    // What is registered is over; of the others something follows.
    expect(finalAt === null).toBe(kind !== 'msisdn')
    expect(await spent()).toEqual([price, 0n])
    expect([await told(), asked]).toEqual([kind === 'msisdn' ? '7' : String(id), { times: 1 }])
    await database.followDate(HOUR_MS)
    if (kind === 'hlr') {
      expect((await readLookup(db, senderOf(payer), id))?.status).toMatchObject({ status: 'pending' })
    }
    if (kind === 'sms') {
      const found = await messageOf(db, payer.tokenId, id)
      expect(found && statusAnswer(found)).toMatchObject({ status: null, state: 'sent' })
    }
  })

  test('that its owner said was sent, a late acceptance opens again and charges no more', async () => {
    const { told, answerLate, asked } = lateCall(kind)
    expect(await told()).toBe('SEND_OUTCOME_UNKNOWN')
    await say('wasSentAt')
    await answerLate(ACCEPTED)
    const { id, finalAt } = await rowOf()
    expect(finalAt === null).toBe(kind !== 'msisdn')
    expect([await told(), asked]).toEqual([kind === 'msisdn' ? '7' : String(id), { times: 1 }])
    expect(await spent()).toEqual([price, 0n])
  })

  test('whose number is shortened already, a late acceptance does not open again, so that it goes with its send', async () => {
    const { told, answerLate } = lateCall(kind)
    expect(await told()).toBe('SEND_OUTCOME_UNKNOWN')
    await say('wasSentAt')
    await keep(31 * DAY_MS)
    expect((await rowOf()).recipient).toBe('123')
    await answerLate(ACCEPTED)
    expect(await rowOf()).toMatchObject({ state: 'accepted', reference: '7', chargedMicros: price })
    await keep(400 * DAY_MS)
    expect(await owner.send.count({ where: { accountId: payer.accountId } })).toBe(0)
  })
})

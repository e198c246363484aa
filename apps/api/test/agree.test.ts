// What lets a send in is a statement, what explains a refusal is limits/judge.ts: neither may say anything that the other
// does not. Small numbers, so that limits are met exactly as often as they are passed.
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readSpenders, type Standings } from '../src/ledger/spenders.ts'
import { toSpenders } from '../src/ledger/standing.ts'
import { dayAt, daysAround } from '../src/limits/days.ts'
import {
  approvalReasons,
  judgeCaps,
  judgeCountry,
  judgePause,
  judgeSender,
  judgeUnknownPrice,
} from '../src/limits/judge.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { admitted, makePayer, message } from './support/ledger.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 40)
const SEED = Number(process.env.PROPERTY_SEED ?? 20261126)
const ISSUER = 'http://localhost:4000'
const HOUR_MS = 3_600_000

let database: ServiceDatabase
let owner: Database
let db: Database
beforeAll(async () => {
  database = await serviceDatabase(2)
  owner = database.owner
  db = database.db
})
afterAll(() => database?.close())

const few = fc.bigInt({ min: 0n, max: 4n })
const most = fc.option(fc.bigInt({ min: 0n, max: 9n }), { freq: 1 })
/** Minutes ago. */
const moment = fc.option(fc.integer({ min: 1, max: 3 }), { freq: 1 })
const spender = fc.record({
  limits: fc.record({
    maxPerSendMicros: most,
    maxPerDayMicros: most,
    maxTotalMicros: most,
    recipientsPerDay: fc.option(fc.integer({ min: 0, max: 6 }), { freq: 1 }),
    countries: fc.constantFrom<string[]>([], [], [], ['LT'], ['LT', 'LV'], ['EE']),
    senders: fc.constantFrom<string[]>(
      [],
      [],
      [],
      [' Tests'],
      ['tests'],
      ['Other', '+370 600-00001'],
      ['37060000001x'],
      [''],
    ),
    askAboveMicros: fc.option(few, { freq: 1 }),
    askNewCountry: fc.boolean(),
  }),
  paused: fc.constantFrom(null, null, null, 'owner' as const, 'automatic' as const),
  autoPaused: moment,
  resumed: moment,
  /**
   * Of its counters: yesterday's, of which the end is past or still to come; today's; those of a clock that was ahead, or
   * of a zone where tomorrow is over already.
   */
  day: fc.constantFrom('over', 'lasts', 'today', 'today', 'later', 'farther'),
  counters: fc.record({
    daySpentMicros: few,
    dayHeldMicros: few,
    dayRecipients: fc.integer({ min: 0, max: 4 }),
    totalSpentMicros: few,
    totalHeldMicros: few,
  }),
})
const send = fc.record({
  messages: fc.array(fc.record({ hold: few, country: fc.constantFrom('LT', 'LV') }), { minLength: 1, maxLength: 3 }),
  from: fc.constantFrom('Tests', '37060000001', null),
  unpriced: fc.boolean(),
  how: fc.constantFrom('at_once' as const, 'held' as const, 'scheduled' as const),
})
type Spender = typeof spender extends fc.Arbitrary<infer One> ? One : never
type Send = typeof send extends fc.Arbitrary<infer One> ? One : never

/** Writes the rows of a spender anew. */
async function write(id: string, now: Date, { limits, paused, autoPaused, resumed, day, counters }: Spender) {
  const days = daysAround(now, null)
  const today = days.indexOf(dayAt(days, now))
  const counted = days[today + { over: -1, lasts: -1, today: 0, later: 1, farther: 1 }[day]]
  if (counted === undefined) throw new Error('the day has no neighbour')
  const inAnHour = new Date(now.getTime() + HOUR_MS)
  const ago = (minutes: number | null) => (minutes === null ? null : new Date(now.getTime() - minutes * 60_000))
  await owner.spender.update({
    where: { id },
    data: {
      ...limits,
      pausedAt: paused === 'owner' ? now : null,
      autoPausedAt: paused === 'automatic' ? ago(autoPaused) : null,
      resumedAt: ago(resumed),
    },
  })
  await owner.spenderCount.updateMany({
    where: { spenderId: id },
    data: {
      ...counters,
      day: new Date(`${counted.date}T00:00:00Z`),
      dayEndsAt: { lasts: inAnHour, farther: now }[day as string] ?? counted.endsAt,
      handedOver: 0,
      scheduled: 0,
    },
  })
}

/** What limits/judge.ts says of a send, with these standings. */
function judged({ spenders, today }: Standings, { messages, from, unpriced, how }: Send): string {
  const limits = spenders.map((one) => one.limits)
  const priceMicros = messages.reduce((sum, { hold }) => sum + hold, 0n)
  const countries = messages.map(({ country }) => country)
  const asked = { priceMicros, recipients: messages.length, scheduled: how === 'scheduled' }
  const refusal =
    judgePause(limits, ISSUER) ??
    (from === null ? null : judgeSender(limits, from, ISSUER)) ??
    countries.map((country) => judgeCountry(limits, country, ISSUER)).find((one) => one !== null) ??
    (unpriced ? judgeUnknownPrice(limits, 'LT', ISSUER) : null) ??
    judgeCaps(spenders, asked, today, ISSUER)
  if (refusal) return `refused: ${JSON.stringify(refusal)}`
  return approvalReasons(limits, { priceMicros, newCountries: countries }).length > 0 ? 'asks' : 'admitted'
}

test('a send is let in, asked about and refused as its limits are explained, from what is read before and what is told after', async () => {
  const payer = await makePayer(owner)
  const { accountId, tokenId } = payer
  // Its first send makes the rows.
  await admitted(db, payer, [message(0n)])
  const of = { accountId, spenderId: tokenId, connectionId: null, timeZone: null }
  await fc.assert(
    fc.asyncProperty(spender, spender, send, async (own, account, asked) => {
      const now = await databaseNow(owner)
      await owner.send.deleteMany({ where: { accountId } })
      await write(tokenId, now, own)
      await write(accountId, now, account)
      const expected = judged(await readSpenders(db, of, 'sandbox', now), asked)

      const { from, unpriced, how } = asked
      const messages = asked.messages.map(({ hold, country }) => message(hold, { country }))
      const outcome = await admitted(db, payer, messages, { limitedSender: from, unpriced, how })
      expect(outcome.kind).toBe(expected.split(':')[0])
      if (outcome.kind !== 'refused') return
      const { spenders, today } = toSpenders(outcome.stands, null)
      if (today === null) throw new Error('a refusal without its day')
      expect(judged({ spenders, today }, asked)).toBe(expected)
    }),
    { numRuns: RUNS, seed: SEED },
  )
}, 180_000)

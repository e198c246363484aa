// Whatever 64 senders do at once, whatever dies and whenever the sweep comes: no limit is passed, nothing is handed over
// twice, and in the end every sum is the same sum.
import { randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiError } from '../src/http/api-error.ts'
import { settle } from '../src/ledger/settle.ts'
import { createReportDoor } from '../src/sending/reports.ts'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { createSweepJob } from '../src/sending/sweep.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { type Fate, fakeOperator } from './support/fake-operator.ts'
import { limit, makePayer, type Payer } from './support/ledger.ts'
import { Died, dying, mortally, pathNode, smsCall } from './support/path.ts'
import { turn } from './support/turn.ts'
import { type CountedOperator, vertexOperator } from './support/vertex-operator.ts'

/** A sample; `test:money` takes two hundred. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 3)
/** The same against the stand-in of the real operator, over real connections. */
const VERTEX_RUNS = Number(process.env.VERTEX_RUNS ?? 1)
const SEED = Number(process.env.PROPERTY_SEED ?? 20261126)
const SENDERS = 64

let database: ServiceDatabase
let owner: Database
let db: Database
beforeAll(async () => {
  database = await serviceDatabase()
  owner = database.owner
  db = database.db
})
afterAll(() => database?.close())

/** The same numbers for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const PREFIXES = ['3706000', '3712000', '3725000'] as const

const CASES = (['sandbox', 'vertexsms'] as const).flatMap((upstream) =>
  Array.from({ length: upstream === 'sandbox' ? RUNS : VERTEX_RUNS }, (_, at) => [upstream, SEED + at] as const),
)

test.each(CASES)(
  'with %s no limit is passed and every sum agrees, seed %i',
  async (upstream, seed) => {
    const random = randomOf(seed)
    const below = (most: number) => Math.floor(random() * most)
    const pick = <One>(from: readonly One[]): One => from[below(from.length)] as One
    await database.followDate()
    let aheadMs = 0
    const now = () => new Date(Date.now() + aheadMs)

    const payers: Payer[] = []
    for (let account = 0; account < 2; account++) {
      const first = await makePayer(owner)
      payers.push(first, await makePayer(owner, first.accountId), await makePayer(owner, first.accountId))
      if (random() < 0.7)
        await limit(owner, first, first.accountId, { maxTotalMicros: BigInt(500_000 + below(4_000_000)) })
    }
    for (const payer of payers) {
      await limit(owner, payer, payer.tokenId, {
        ...(random() < 0.5 ? { maxPerDayMicros: BigInt(200_000 + below(2_000_000)) } : {}),
        ...(random() < 0.5 ? { maxTotalMicros: BigInt(200_000 + below(3_000_000)) } : {}),
        ...(random() < 0.3 ? { recipientsPerDay: 5 + below(40) } : {}),
        ...(random() < 0.3 ? { maxPerSendMicros: BigInt(60_000 + below(600_000)) } : {}),
      })
    }

    const fate = () => pick<Fate>(['accepted', 'accepted', 'accepted', 'accepted', 'refused', 'lost_charged', 'lost'])
    const counted = await (upstream === 'sandbox'
      ? simulated(fate, () => new Promise((resolve) => setTimeout(resolve, below(8))))
      : vertexOperator(owner, db, [...new Set(payers.map(({ accountId }) => accountId))], fate))
    const { operator } = counted
    const places = { take: async () => () => {} }
    const times = {
      handOverMs: 2_000,
      pricesMs: 2_000,
      leaseSlackMs: 3_000,
      runnerMs: 5_000,
      answerMs: 500,
      placeMs: 0,
      repeatMs: 50,
      turnMs: 5_000,
    }
    // What died gives no place and no turn back; a process that dies takes them with it.
    const nodes = [0, 1].map(() => pathNode(db, operator, { at: dying, places, turns: places, times }))
    const sweep = createSweepJob(db, upstream, 1_000)
    const first = nodes[0]
    if (first === undefined) throw new Error('there is no node')
    const schedule = createScheduleJob(first.deps, first.sending, 1_000)
    const door = createReportDoor(
      db,
      () => operator,
      () => {},
    )

    let over = false
    const watched = (async () => {
      while (!over) {
        await expectWithinLimits(owner, payers)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })()
    const sweeping = (async () => {
      while (!over) {
        await new Promise((resolve) => setTimeout(resolve, 30 + below(60)))
        if (random() < 0.3) {
          aheadMs += 4_000 + below(8_000)
          await database.followDate(aheadMs)
        }
        await turn(sweep)
      }
    })()

    await Promise.all(
      Array.from({ length: SENDERS }, async () => {
        const payer = pick(payers)
        const count = random() < 0.4 ? 2 + below(14) : 1
        const to = Array.from({ length: count }, () => `${pick(PREFIXES)}${String(below(10_000)).padStart(4, '0')}`)
        const keyed = random() < 0.5
        const body = {
          message: 'x'.repeat(pick([20, 20, 200, 500])),
          ...(random() < 0.15 ? { scheduled: new Date(now().getTime() + 3_000 + below(20_000)).toISOString() } : {}),
        }
        const idempotencyKey = keyed ? randomUUID() : null
        const mortality = 0.06
        for (let tried = 0; tried < (keyed ? 3 : 1); tried++) {
          const { sending } = pick(nodes)
          const call = smsCall(payer, to, { now, body, idempotencyKey, throughMcp: random() < 0.3 })
          try {
            await mortally(
              () => random() < mortality,
              async () => (count === 1 ? sending.sendOne(call) : sending.sendList(call)),
            )
            return
          } catch (error) {
            if (!(error instanceof Died) && !(error instanceof ApiError)) throw error
          }
        }
      }),
    )
    over = true
    await Promise.all([watched, sweeping])

    // What waits is given its time, what died its end, and everything that was charged is reported. On a busy machine a
    // list may still run when its time is given: it gets another round, but not for ever.
    const accountId = { in: payers.map((payer) => payer.accountId) }
    const waiting = () =>
      owner.sendMessage.count({ where: { accountId, state: { in: ['scheduled', 'held', 'handed_over'] } } })
    for (let round = 0; round < 8 || (round < 100 && (await waiting()) > 0); round++) {
      aheadMs += 30_000
      await database.followDate(aheadMs)
      while ((await turn(schedule)) > 0);
      await settled(owner)
      while ((await turn(sweep)) > 0);
      await expectWithinLimits(owner, payers)
    }
    for (const [messageId, { micros }] of counted.charges()) {
      const report = { messageId, status: 1, error: 0, mcc: '246', mnc: '01' }
      await door.delivery(report)
      // Whatever comes twice, or corrects itself, moves the difference alone.
      if (random() < 0.3) await door.delivery(report)
      if (random() < 0.2) await settle(db, [{ messageId, outcome: 'accepted', chargedMicros: BigInt(below(30_000)) }])
      if (random() < 0.5) await settle(db, [{ messageId, outcome: 'accepted', chargedMicros: micros }])
      else
        await settle(db, [
          { messageId, outcome: 'accepted', chargedMicros: micros },
          { messageId: 1n, outcome: 'unknown' },
        ])
    }
    // Of the rest the owner finds out that it was not sent.
    await owner.sendMessage.updateMany({ where: { state: 'unknown' }, data: { notSentAt: now() } })
    while ((await turn(sweep)) > 0);

    expect(Math.max(0, ...counted.handOvers().values())).toBeLessThanOrEqual(1)
    await expectSumsAgree(owner, payers, counted)
    await counted.close()
  },
  300_000,
)

function simulated(fate: () => Fate, pause: () => Promise<void>): CountedOperator {
  const operator = fakeOperator(fate, pause)
  return { operator, handOvers: () => operator.handOvers, charges: () => operator.charges, close: async () => {} }
}

/** Nothing is under way any more: what runs on behind answers has come to its end. */
async function settled(owner: Database): Promise<void> {
  for (let look = 0; look < 200; look++) {
    const out = await owner.$queryRaw<{ count: bigint }[]>`
      SELECT count(*) AS count FROM send_message m JOIN send s ON s.id = m.send_id
      WHERE m.state = 'handed_over' AND m.lease_until > database_now()
         OR m.state = 'held' AND s.runner_until > database_now() + interval '4 seconds'`
    if (out[0]?.count === 0n) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

async function expectWithinLimits(owner: Database, payers: readonly Payer[]): Promise<void> {
  const ids = [...new Set(payers.flatMap(({ accountId, tokenId }) => [accountId, tokenId]))]
  const passed = await owner.$queryRaw<unknown[]>`
    SELECT s.id::text AS id, s.kind::text AS kind, c.* FROM spender s JOIN spender_count c ON c.spender_id = s.id
    WHERE s.id = ANY(${ids}::uuid[]) AND (
      c.total_spent_micros + c.total_held_micros > s.max_total_micros
      OR c.day_spent_micros + c.day_held_micros > s.max_per_day_micros OR c.day_recipients > s.recipients_per_day
      OR least(c.total_held_micros, c.total_spent_micros, c.day_held_micros, c.day_spent_micros, c.day_recipients,
               c.handed_over, c.scheduled) < 0 OR c.handed_over > 8)`
  expect(passed).toEqual([])
}

async function expectSumsAgree(owner: Database, payers: readonly Payer[], operator: CountedOperator): Promise<void> {
  const accounts = [...new Set(payers.map(({ accountId }) => accountId))]
  const open = await owner.sendMessage.findMany({
    where: { accountId: { in: accounts }, state: { in: ['scheduled', 'held', 'handed_over', 'unknown'] } },
    select: { id: true, state: true },
  })
  expect(open).toEqual([])
  const rows = await owner.$queryRaw<Record<'counted' | 'messages' | 'activity' | 'left', bigint>[]>`
    SELECT c.total_spent_micros AS counted,
           (SELECT coalesce(sum(charged_micros), 0)::bigint FROM send_message m
            WHERE c.spender_id IN (m.spender_id, m.account_id)) AS messages,
           (SELECT coalesce(sum(amount_micros), 0)::bigint FROM activity a
            WHERE c.spender_id IN (a.spender_id, a.account_id)) AS activity,
           abs(c.total_held_micros) + abs(c.day_held_micros) + c.handed_over + c.scheduled AS left
    FROM spender_count c JOIN spender s ON s.id = c.spender_id WHERE s.account_id = ANY(${accounts}::uuid[])`
  expect(rows.length).toBeGreaterThan(0)
  for (const { counted, messages, activity, left } of rows)
    expect([messages, activity, left]).toEqual([counted, counted, 0n])
  for (const accountId of accounts) {
    const { totalSpentMicros } = (await owner.spenderCount.findFirst({ where: { spenderId: accountId } })) ?? {
      totalSpentMicros: 0n,
    }
    const charged = [...operator.charges().values()].filter((charge) => charge.accountId === accountId)
    expect(totalSpentMicros).toBe(charged.reduce((sum, { micros }) => sum + micros, 0n))
  }
}

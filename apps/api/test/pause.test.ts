// Every rule that pauses a spender, with the twin that does not, over the same made-up past.
import { randomUUID } from 'node:crypto'
import { PAUSE_RULES } from '@vertexsms/contract/pause-rules'
import type { Database } from '@vertexsms/db/client'
import { readTestDatabaseUrl } from '@vertexsms/db/env'
import { testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createRefusalLog } from '../src/activity/record.ts'
import { pauseIfAttacking } from '../src/limits/pause.ts'
import { createPauseWatch } from '../src/limits/watch.ts'
import { newSmsId } from '../src/upstream/ids.ts'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makeIssuer, makeSendingConnection } from './support/issuer.ts'
import { waitingForLock } from './support/waiting.ts'
import { seed, startWorld } from './support/world.ts'

const SEED = Number(process.env.PROPERTY_SEED ?? 20261126)
const MINUTE_MS = 60_000
const DAY_MS = 1_440 * MINUTE_MS
/** Looks at a week of ordinary traffic, spread evenly over it; `pnpm test:full` takes more. */
const MOMENTS = Number(process.env.PAUSE_MOMENTS ?? 5)

let db: Database
let close: () => Promise<void>
let followDate: (aheadMs?: number) => Promise<void>
let accountId: string
let spenderId: string

beforeAll(async () => {
  ;({ db, close, followDate } = await testDatabase())
})
afterAll(() => close())
beforeEach(async () => {
  await followDate()
  accountId = (await seed(db).makeAccount()).accountId
  spenderId = await spenderOf('connection')
})

async function spenderOf(kind: 'connection' | 'token'): Promise<string> {
  const id = randomUUID()
  await db.spender.create({ data: { id, accountId, kind, createdAt: new Date() } })
  return id
}

const look = (id = spenderId) => pauseIfAttacking(db, { accountId, spenderId: id, upstream: 'sandbox' })
const spender = () => db.spender.findUniqueOrThrow({ where: { id: spenderId } })

/** A send that began so far from now, to these numbers. */
interface Past {
  readonly agoMs: number
  readonly to: readonly string[]
  /** When it was asked for, where it waited for its time. */
  readonly madeAgoMs?: number
  /** When each number was handed over, where it took longer. */
  readonly wentAgoMs?: readonly number[]
}

/** Writes sends as the ledger leaves them behind. */
async function write(sends: readonly Past[], of = spenderId, isHanded = true): Promise<void> {
  const ago = (ms: number) => new Date(Date.now() - ms)
  const rows = sends.map(({ agoMs, madeAgoMs, wentAgoMs = [], to }) => ({
    id: randomUUID(),
    at: ago(madeAgoMs ?? agoMs),
    scheduledAt: madeAgoMs === undefined ? null : ago(agoMs),
    handedAt: to.map((_, position) => (isHanded ? ago(wentAgoMs[position] ?? agoMs) : null)),
    to,
  }))
  await db.send.createMany({
    data: rows.map(({ id, at, scheduledAt }) => ({
      id,
      accountId,
      spenderId: of,
      kind: 'sms' as const,
      upstream: 'sandbox',
      generation: 0,
      route: 'POST /sms',
      sender: 'Tests',
      coding: 0,
      priority: 1,
      createdAt: at,
      scheduledAt,
    })),
  })
  await db.sendMessage.createMany({
    data: rows.flatMap(({ id, at, handedAt, to }) =>
      to.map((recipient, position) => ({
        id: newSmsId(),
        sendId: id,
        accountId,
        spenderId: of,
        upstream: 'sandbox',
        position,
        recipient,
        country: 'LT',
        parts: 1,
        state: 'accepted' as const,
        holdMicros: 0n,
        chargedMicros: 39_000n,
        createdAt: at,
        handedAt: handedAt[position] ?? null,
      })),
    ),
  })
}

/** A generator of numbers in [0, 1) that begins with the seed (mulberry32). */
function random(from: number): () => number {
  let state = from
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const one = (agoMs: number, number = 37_060_000_000 + Math.floor(agoMs / 7) * 131): Past => ({
  agoMs,
  to: [String(number)],
})
/** One send in each ten minutes, so many of them, up to ten minutes ago. */
const usual = (sends: number) => Array.from({ length: sends }, (_, at) => one((at + 1.5) * 10 * MINUTE_MS))
const burst = (sends: number) => Array.from({ length: sends }, (_, at) => one(at * 1_000, 37_061_000_000 + at * 7_919))

describe('a burst', () => {
  test('of more than ten times the usual pauses the connection, and says so in its activity', async () => {
    await write([...usual(50), ...burst(11)])
    expect(await look()).toBe('burst')
    expect(await spender()).toMatchObject({ autoPausedAt: expect.any(Date), autoPausedReason: 'burst', pausedAt: null })
    const entries = await db.activity.findMany({ where: { spenderId } })
    expect(entries.map(({ what, outcome }) => [what, outcome])).toEqual([['pause', 'CONNECTION_PAUSED']])
  })

  test('of ten times the usual does not, nor one before the usual is known', async () => {
    await write([...usual(50), ...burst(10)])
    expect(await look()).toBeNull()
    spenderId = await spenderOf('connection')
    await write([...usual(49), ...burst(200)])
    expect(await look()).toBeNull()
  })

  test('is told by the usual of a week, not of what was longer ago, and not a second time once its owner resumed', async () => {
    await write([...usual(50).map((send) => ({ ...send, agoMs: send.agoMs + 7 * DAY_MS })), ...burst(11)])
    expect(await look()).toBeNull()
    await write(usual(50))
    await db.$executeRaw`UPDATE spender SET resumed_at = database_now() WHERE id = ${spenderId}::uuid`
    expect(await look()).toBeNull()
    await db.spender.update({ where: { id: spenderId }, data: { resumedAt: null } })
    expect(await look()).toBe('burst')
  })

  test.skipIf(readTestDatabaseUrl() === undefined)(
    'that an owner resumes after, while it is looked at, does not pause it a second time',
    async () => {
      await write([...usual(50), ...burst(11)])
      let looking: ReturnType<typeof look> | undefined
      await db.$transaction(
        async (tx) => {
          await tx.$executeRaw`UPDATE spender SET resumed_at = clock_timestamp() WHERE id = ${spenderId}::uuid`
          looking = look()
          await eventually(async () => (await waitingForLock(db, 'UPDATE spender')) === 1)
        },
        { timeout: 30_000 },
      )
      expect(await looking).toBeNull()
      expect(await spender()).toMatchObject({ autoPausedAt: null })
    },
  )

  test('is counted in sends: a list is one, however long', async () => {
    const list = Array.from({ length: 100 }, (_, at) => String(37_061_000_000 + at * 7_919))
    await write([...usual(50), { agoMs: 1_000, to: list }])
    expect(await look()).toBeNull()
  })

  test('is what is for one time, whenever it was asked for; what was asked for at once and is for many is none', async () => {
    await write([...usual(50), ...burst(11).map((send, at) => ({ ...send, madeAgoMs: (at + 2) * 10 * MINUTE_MS }))])
    expect(await look()).toBe('burst')
    spenderId = await spenderOf('connection')
    await write(usual(100).map((send) => ({ ...send, madeAgoMs: 2 * DAY_MS })))
    expect(await look()).toBeNull()
  })

  test('is none where an outage of ours kept back what was for many times, and let it go at once', async () => {
    const [wentAgoMs, madeAgoMs] = [[1_000], 2 * DAY_MS]
    const keptBack = usual(18).map((send) => ({ ...send, madeAgoMs, wentAgoMs }))
    const before = usual(60).map((send) => ({ ...send, agoMs: send.agoMs + 180 * MINUTE_MS }))
    await write([...before, ...keptBack])
    expect(await look()).toBeNull()
    spenderId = await spenderOf('connection')
    await write([...before, ...keptBack.map((send, at) => ({ ...send, agoMs: at * 1_000 }))])
    expect(await look()).toBe('burst')
  })

  test('is told by lists that began, in how many windows ever they went out', async () => {
    const lists = (count: number) =>
      Array.from({ length: count }, (_, at) => {
        const agoMs = (at + 2) * 50 * MINUTE_MS
        const [first] = one(agoMs).to
        const to = [first ?? '', one(agoMs + 7).to[0] ?? '']
        return { agoMs, to, wentAgoMs: [agoMs, agoMs - 10 * MINUTE_MS] }
      })
    await write([...lists(49), ...burst(11)])
    expect(await look()).toBeNull()
    spenderId = await spenderOf('connection')
    await write([...lists(50), ...burst(11)])
    expect(await look()).toBe('burst')
  })
})

describe('a block of numbers', () => {
  const block = (numbers: readonly number[]) => numbers.map((number, at) => one(at * 1_000, 37_061_111_100 + number))

  test.each([
    ['in order', [0, 1, 2, 3, 4, 5, 6, 7]],
    ['in any order, with gaps', [19, 0, 7, 3, 11, 15, 5, 9]],
  ])('worked off %s pauses the connection', async (_how, numbers) => {
    await write([...block(numbers), one(5 * MINUTE_MS, 37_069_999_999)])
    expect(await look()).toBe('number_block')
  })

  test.each([
    ['of seven', [0, 1, 2, 3, 4, 5, 6]],
    ['that is spread further', [0, 3, 6, 9, 12, 15, 18, 21]],
    ['of one number, many times', [1, 1, 1, 1, 1, 1, 1, 1, 1]],
  ])('%s does not', async (_what, numbers) => {
    await write(block(numbers))
    expect(await look()).toBeNull()
  })

  test('that the connection has known for longer does not; one new number too many does', async () => {
    const numbers = [0, 1, 2, 3, 4, 5, 6, 7]
    await write(block(numbers).map((send) => ({ ...send, agoMs: send.agoMs + 2 * DAY_MS })))
    await write(block(numbers))
    expect(await look()).toBeNull()
    await write(block([8, 9, 10, 11, 12, 13, 14, 15]))
    expect(await look()).toBe('number_block')
  })

  test('is what goes out within a day, however long it waited; what went out before then is known', async () => {
    const asked = block([0, 1, 2, 3, 4, 5, 6, 7]).map((send) => ({ ...send, madeAgoMs: 3 * DAY_MS }))
    await write(asked.map((send) => ({ ...send, agoMs: send.agoMs + 2 * DAY_MS })))
    expect(await look()).toBeNull()
    await write(asked)
    expect(await look()).toBeNull()
    spenderId = await spenderOf('connection')
    await write(asked)
    expect(await look()).toBe('number_block')
  })

  test('is not made known by what was asked for and never went out', async () => {
    const asked = block([0, 1, 2, 3, 4, 5, 6, 7])
    await write(
      asked.map((send) => ({ ...send, agoMs: 2 * DAY_MS })),
      spenderId,
      false,
    )
    expect(await look()).toBeNull()
    await write(asked)
    expect(await look()).toBe('number_block')
  })
})

describe('a block of numbers among known ones', () => {
  const block = (numbers: readonly number[], agoMs = 0) =>
    numbers.map((number) => one(agoMs + number * 1_000, 37_061_111_100 + number))
  const upTo = (last: number) => Array.from({ length: last + 1 }, (_, number) => number)

  test('is one only of the new: a single one between them counts once', async () => {
    await write(
      block(
        upTo(19).filter((number) => number !== 9),
        2 * DAY_MS,
      ),
    )
    await write(block(upTo(19)))
    expect(await look()).toBeNull()
  })

  test('is none where the new are as far apart as others may be', async () => {
    const fresh = [0, 3, 6, 9, 12, 15, 18, 20]
    await write(
      block(
        upTo(20).filter((number) => !fresh.includes(number)),
        2 * DAY_MS,
      ),
    )
    await write(block(upTo(20)))
    expect(await look()).toBeNull()
  })

  test('is one where only another connection has known them', async () => {
    await write(block(upTo(7), 2 * DAY_MS), await spenderOf('connection'))
    await write(block(upTo(7)))
    expect(await look()).toBe('number_block')
  })

  test('is none for what was worked off before its owner resumed', async () => {
    await write(block(upTo(7)))
    expect(await look()).toBe('number_block')
    await followDate(MINUTE_MS)
    await db.$executeRaw`UPDATE spender SET resumed_at = database_now() WHERE id = ${spenderId}::uuid`
    expect(await look()).toBeNull()
    // Who resumed it knows these numbers; others in a row they do not.
    await followDate(2 * MINUTE_MS)
    const sinceThen = (shift: number) =>
      upTo(7).map((at) => ({ agoMs: -1.5 * MINUTE_MS, to: [String(37_061_111_100 + shift + at)] }))
    await write(sinceThen(0))
    expect(await look()).toBeNull()
    await write(sinceThen(1_000))
    expect(await look()).toBe('number_block')
  })
})

describe('what was done by another upstream', () => {
  const byAnother = () => db.sendMessage.updateMany({ where: { spenderId }, data: { upstream: 'vertexsms' } })
  const block = (agoMs = 0) =>
    Array.from({ length: 8 }, (_, number) => one(agoMs + number * 1_000, 37_061_111_100 + number))

  test('makes no number known, and is no usual pace', async () => {
    await write(block(2 * DAY_MS))
    await byAnother()
    await write(block())
    expect(await look()).toBe('number_block')
    spenderId = await spenderOf('connection')
    await write(Array.from({ length: 5 }, () => usual(50)).flat())
    await byAnother()
    await write([...usual(50), ...burst(11)])
    expect(await look()).toBe('burst')
  })

  test('pauses nothing by this one', async () => {
    await write([...usual(50), ...block(), ...burst(11)])
    await byAnother()
    await write(usual(1))
    expect(await look()).toBeNull()
  })
})

test('a rule that cannot be judged leaves the others theirs, and is told where none of them fires', async () => {
  const failing = db.$extends({
    query: {
      async $queryRaw({ args, query }) {
        if (String((args as { sql: string }).sql).includes('bool_or(ends)')) throw new Error('too slow')
        return query(args)
      },
    },
  }) as unknown as Database
  const judged = () => pauseIfAttacking(failing, { accountId, spenderId, upstream: 'sandbox' })
  await write(usual(50))
  await expect(judged()).rejects.toThrow('too slow')
  await write(burst(11))
  expect(await judged()).toBe('burst')
})

describe('refused countries', () => {
  const refuse = (
    country: string,
    id = spenderId,
    outcome: 'DESTINATION_NOT_ALLOWED' | 'SPEND_CAP_REACHED' = 'DESTINATION_NOT_ALLOWED',
  ) => createRefusalLog(db).note({ accountId, spenderId: id, what: 'sms', outcome, country, upstream: 'sandbox' })

  test('are those that a list refused: what was refused for another reason tries no country', async () => {
    for (const country of ['CU', 'JM', 'KZ']) await refuse(country, spenderId, 'SPEND_CAP_REACHED')
    expect(await look()).toBeNull()
  })

  test('pause no connection that has ended', async () => {
    for (const country of ['CU', 'JM', 'KZ']) await refuse(country)
    await db.spender.update({ where: { id: spenderId }, data: { endedAt: new Date() } })
    expect(await look()).toBeNull()
    expect((await spender()).autoPausedAt).toBeNull()
  })

  test('pause the connection when there are three in ten minutes', async () => {
    for (const country of ['CU', 'JM', 'KZ']) await refuse(country)
    expect(await look()).toBe('refused_countries')
  })

  test('do not when they are two, or three within a longer time', async () => {
    for (const country of ['CU', 'CU', 'JM']) await refuse(country)
    expect(await look()).toBeNull()
    await followDate(11 * MINUTE_MS)
    await refuse('KZ')
    expect(await look()).toBeNull()
  })

  test('that were refused before the owner resumed do not pause again; new ones do', async () => {
    for (const country of ['CU', 'JM', 'KZ']) await refuse(country)
    await look()
    await followDate(MINUTE_MS)
    await db.$executeRaw`UPDATE spender SET resumed_at = database_now() WHERE id = ${spenderId}::uuid`
    expect(await look()).toBeNull()
    await followDate(2 * MINUTE_MS)
    for (const country of ['CU', 'JM', 'KZ']) await refuse(country)
    expect(await look()).toBe('refused_countries')
  })

  test('pause no token made by hand, no other connection, and nothing twice', async () => {
    const token = await spenderOf('token')
    const other = await spenderOf('connection')
    for (const country of ['CU', 'JM', 'KZ']) {
      await refuse(country, token)
      await refuse(country)
    }
    expect(await look(token)).toBeNull()
    expect(await look(other)).toBeNull()
    const looks = await Promise.all([look(), look(), look()])
    expect(looks.filter((rule) => rule !== null)).toEqual(['refused_countries'])
    expect(await look()).toBeNull()
    expect(await db.activity.count({ where: { spenderId, what: 'pause' } })).toBe(1)
    const paused = await db.spender.findMany({ where: { accountId, autoPausedAt: { not: null } } })
    expect(paused.map(({ id }) => id)).toEqual([spenderId])
  })

  // The embedded database has one session: no two looks ever meet there.
  test.skipIf(readTestDatabaseUrl() === undefined)('pause once where two looks wait for the same row', async () => {
    for (const country of ['CU', 'JM', 'KZ']) await refuse(country)
    const looks: Promise<unknown>[] = []
    await db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT id::text FROM spender WHERE id = ${spenderId}::uuid FOR UPDATE`
        looks.push(look(), look())
        await eventually(async () => (await waitingForLock(db, 'auto_paused_reason')) === 2)
      },
      { timeout: 30_000 },
    )
    expect((await Promise.all(looks)).filter((rule) => rule !== null)).toEqual(['refused_countries'])
    expect(await db.activity.count({ where: { spenderId, what: 'pause' } })).toBe(1)
  })
})

describe('a connection', () => {
  test('that tries one country after the other is paused behind its answers: reading works, spending is refused', async () => {
    const world = await startWorld()
    const node = await world.startNode({}, { watch: createPauseWatch(world.db, world.node.app.log, 0) })
    const { sign } = await makeIssuer(world.db, 'pause')
    const { id, token } = await makeSendingConnection(world.db, world.accountId, sign)
    await world.db.spender.update({ where: { id }, data: { countries: ['LT'] } })
    const send = (to: string) => node.call('POST /sms', { token, body: { to, from: 'Tests', message: 'Hello' } })
    expect((await send('+37060000001')).status).toBe(200)
    for (const to of ['+37120000001', '+18762101234', '+77710009998']) {
      expect((await send(to)).body.code).toBe('DESTINATION_NOT_ALLOWED')
    }
    const paused = await eventually(async () => {
      const { status, body } = await send('+37060000002')
      return status === 403 ? body : undefined
    })
    expect(paused).toMatchObject({ code: 'CONNECTION_PAUSED', details: { of: 'connection', by: 'automatic' } })
    expect((await node.call('GET /token', { token })).body).toMatchObject({ paused: true })
    expect((await node.call('GET /rates', { token })).status).toBe(200)
    await world.close()
  })

  test('that sends a list to numbers in a row is paused in the middle of it: the rest does not go out', async () => {
    const world = await startWorld()
    const { sign } = await makeIssuer(world.db, 'pause')
    const { id, token } = await makeSendingConnection(world.db, world.accountId, sign)
    const isPaused = async () =>
      (await world.db.spender.findUniqueOrThrow({ where: { id } })).autoPausedReason === 'number_block'
    // As soon as a look could find a block, nothing more is handed over before it was taken.
    const operator = fakeOperator(undefined, async () => {
      if (operator.recipients.length > 2 * PAUSE_RULES.number_block.numbers) await eventually(isPaused)
    })
    const watch = createPauseWatch(world.db, world.node.app.log, 0)
    const node = await world.startNode({}, { watch, operator })
    const to = Array.from({ length: 60 }, (_, at) => `+${37_060_000_000 + at}`)
    const { status } = await node.call('POST /sms/batch', {
      token,
      body: { to, from: 'Tests', message: 'Hello' },
    })
    expect([status, await isPaused()]).toEqual([200, true])
    const states = await world.db.sendMessage.groupBy({
      by: ['state', 'failure'],
      _count: true,
      where: { spenderId: id },
    })
    const released = states.find(({ state }) => state === 'released')
    expect(released).toMatchObject({ failure: 'CONNECTION_PAUSED' })
    expect(operator.handOvers.size + (released?._count ?? 0)).toBe(60)
    await world.close()
  })
})

describe('a connection that only schedules', () => {
  test('is paused by what comes due at once, however long ago it asked for it: the rest does not go out', async () => {
    const world = await startWorld({ SANDBOX_POLL_MS: '600000' })
    const { sign } = await makeIssuer(world.db, 'pause')
    const { id, token } = await makeSendingConnection(world.db, world.accountId, sign)
    const scheduled = new Date(Date.now() + DAY_MS / 2).toISOString()
    // Twice as many as an account has places with the operator can be out before it is paused.
    const sends = 3 * PAUSE_RULES.number_block.numbers
    for (let at = 0; at < sends; at += 1) {
      const body = { to: `+${37_060_000_000 + at}`, from: 'Tests', message: 'Hello', scheduled }
      expect((await world.node.call('POST /sms', { token, body })).status).toBe(200)
    }
    // Longer ago than the rule looks back, counted from when they were asked for.
    await world.db.$executeRaw`
      UPDATE send_message SET created_at = database_now() - interval '3 days' WHERE spender_id = ${id}::uuid`
    const reasonOf = async () => (await world.db.spender.findUniqueOrThrow({ where: { id } })).autoPausedReason
    expect(await reasonOf()).toBeNull()

    // As soon as a look could find a block, nothing more is handed over before it was taken.
    const operator = fakeOperator(undefined, async () => {
      if (operator.recipients.length > PAUSE_RULES.number_block.numbers) await eventually(reasonOf)
    })
    await world.db.$executeRaw`UPDATE send SET scheduled_at = database_now() WHERE spender_id = ${id}::uuid`
    await world.startNode(
      { SANDBOX_POLL_MS: '50' },
      { watch: createPauseWatch(world.db, world.node.app.log, 0), operator },
    )
    const released = await eventually(async () => {
      const states = await world.db.sendMessage.groupBy({
        by: ['state', 'failure'],
        _count: true,
        where: { spenderId: id },
      })
      return states.every(({ state }) => state === 'accepted' || state === 'released') && states
    })
    expect(await reasonOf()).toBe('number_block')
    const stopped = released.find(({ state }) => state === 'released')
    expect(stopped).toMatchObject({ failure: 'CONNECTION_PAUSED' })
    expect(operator.handOvers.size + (stopped?._count ?? 0)).toBe(sends)
    await world.close()
  })
})

describe('ordinary traffic', () => {
  const next = random(SEED)
  const number = () => String(37_060_000_000 + Math.floor(next() * 9_999_999))
  /** Codes for people who sign in: by day a few in ten minutes, by night hardly any, one in three to somebody known. */
  const codes = () => {
    const known = Array.from({ length: 50 }, number)
    return Array.from({ length: 7 * 144 }, (_, window) => {
      const agoMs = window * 10 * MINUTE_MS
      const isDay = (agoMs % DAY_MS) / DAY_MS > 0.3
      const sends = Math.floor(next() * (isDay ? 5 : 1.3))
      return Array.from({ length: sends }, () => ({
        agoMs: agoMs + next() * 10 * MINUTE_MS,
        to: [next() < 0.33 ? (known[Math.floor(next() * 50)] ?? number()) : number()],
      }))
    }).flat()
  }
  /** A list of customers once a day, with neighbours among them, and an answer to somebody now and then. */
  const lists = () => {
    const customers = Array.from({ length: 400 }, number).flatMap((first) =>
      next() < 0.05 ? [first, String(Number(first) + 1), String(Number(first) + 2)] : [first],
    )
    return Array.from({ length: 7 }, (_, day) => [
      ...Array.from({ length: 4 }, (_, part) => ({
        agoMs: day * DAY_MS + part * 2_000,
        to: customers.slice(part * 100, part * 100 + 100),
      })),
      ...Array.from({ length: 10 }, () => ({ agoMs: day * DAY_MS + next() * DAY_MS, to: [number()] })),
    ]).flat()
  }
  /** A person who asks an assistant for a few messages on some evenings. */
  const evenings = () =>
    Array.from({ length: 7 }, (_, day) =>
      Array.from({ length: Math.floor(next() * 12) }, (_, at) => ({
        agoMs: day * DAY_MS + at * 90_000,
        to: [number()],
      })),
    ).flat()

  test.each([
    ['of codes', codes],
    ['of lists', lists],
    ['of evenings', evenings],
  ])(`%s is not paused, whenever it is looked at (seed ${SEED})`, async (_what, traffic) => {
    const sends = traffic()
    // All of it lies ahead, and comes in as the clock goes on.
    const start = Math.max(...sends.map(({ agoMs }) => agoMs)) + MINUTE_MS
    await write(
      sends.map(({ agoMs, to }) => ({ agoMs: agoMs - start, to })),
      spenderId,
      false,
    )
    for (let at = 1; at <= MOMENTS; at++) {
      const momentMs = (start * at) / MOMENTS
      await followDate(momentMs)
      // What is still to come is not handed over yet.
      await db.$executeRaw`
        UPDATE send_message SET handed_at = created_at
        WHERE spender_id = ${spenderId}::uuid AND handed_at IS NULL AND created_at <= database_now()`
      expect(await look()).toBeNull()
    }
  })
})

// What an owner is told of: each thing once, noted behind the answer, by the rights of the service alone.
import { LIMIT_NEAR_FIFTHS, noticeDetails } from '@vertexsms/contract/notice'
import { createDatabase, type Database } from '@vertexsms/db/client'
import type { FastifyBaseLogger } from 'fastify'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createRefusalLog } from '../src/activity/record.ts'
import { createPauseWatch, type PauseWatch } from '../src/limits/watch.ts'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makeIssuer, makeSendingConnection } from './support/issuer.ts'
import { PATIENT_TIMES } from './support/patience.ts'
import { type Node, startWorld, type World } from './support/world.ts'

const DAY_MS = 86_400_000
let world: World
let node: Node
let service: Database
let watch: PauseWatch
let sign: Awaited<ReturnType<typeof makeIssuer>>['sign']
beforeAll(async () => {
  // What waited for its time is sent by the node that a test starts for it alone, and by no other that looks as well.
  world = await startWorld({ SANDBOX_POLL_MS: '600000' })
  service = createDatabase({ url: world.databaseUrl })
  watch = createPauseWatch(service, world.node.app.log, 0)
  node = await world.startNode({}, { watch })
  ;({ sign } = await makeIssuer(world.db, 'notices'))
})
afterAll(async () => {
  await world?.close()
  await service?.$disconnect()
})

type Kind = 'account' | 'connection' | 'token'
interface Sender {
  readonly accountId: string
  readonly id: string
  readonly token: string
}

async function newConnection(accountId?: string): Promise<Sender> {
  const account = accountId ?? (await world.makeAccount()).accountId
  return { accountId: account, ...(await makeSendingConnection(world.db, account, sign)) }
}

async function newToken(): Promise<Sender> {
  const { accountId } = await world.makeAccount()
  const { id, token } = await world.makeToken({ accountId })
  await addSpender(accountId, id, 'token')
  return { accountId, id, token }
}

async function addSpender(accountId: string, id: string, kind: Kind): Promise<void> {
  await world.db.spender.create({ data: { id, accountId, kind, createdAt: new Date() } })
}

let number = 37_060_100_000
async function send({ token }: Sender, to = String(number++)): Promise<number> {
  const { status } = await node.call('POST /sms', { token, body: { to: `+${to}`, from: 'Tests', message: 'Hello' } })
  await watch.idle()
  return status
}

/** As behind an answer, without anything that was sent. */
async function look({ accountId, id }: Sender): Promise<void> {
  watch.note({ accountId, spenderId: id, upstream: 'sandbox', connectionId: null })
  await watch.idle()
}

async function noticesOf(accountId: string) {
  const rows = await world.db.notice.findMany({
    where: { accountId },
    orderBy: [{ createdAt: 'asc' }, { about: 'asc' }],
  })
  // What auth reads is what was written here.
  for (const { kind, details } of rows) noticeDetails[kind].parse(details)
  return rows.map(({ kind, spenderId, details }) => ({ kind, spenderId, ...(details as object) }))
}

/** Once there are any. */
const firstNoticesOf = (accountId: string) =>
  eventually(async () => {
    const notices = await noticesOf(accountId)
    return notices.length > 0 && notices
  })

const spentOf = (spenderId: string) =>
  world.db.spenderCount.findUniqueOrThrow({ where: { spenderId_upstream: { spenderId, upstream: 'sandbox' } } })

/** The same database, which settles nothing while it is away. */
function withoutSettling(db: Database, isAway: () => boolean): Database {
  return db.$extends({
    query: {
      async $queryRaw({ args, query }) {
        if (!isAway() || !String((args as { sql: string }).sql).includes('settling AS')) return query(args)
        // Longer than a runner of the test has time.
        await new Promise((resolve) => setTimeout(resolve, 5))
        throw new Error('away')
      },
    },
  }) as unknown as Database
}

describe('the first send', () => {
  test('is told of an SMS, and of no lookup', async () => {
    const sender = await newConnection()
    expect((await node.call('POST /hlr', { token: sender.token, body: { msisdn: '37061234567' } })).status).toBe(200)
    await watch.idle()
    expect(await noticesOf(sender.accountId)).toEqual([])
    await world.db.sendMessage.updateMany({
      where: { spenderId: sender.id },
      data: { handedAt: new Date(Date.now() - 2 * DAY_MS) },
    })
    await send(sender)
    expect(await noticesOf(sender.accountId)).toEqual([{ kind: 'first_send', spenderId: sender.id }])
  })

  test('by the real account is told, whatever was sent with the simulator before', async () => {
    const sender = await newConnection()
    await send(sender)
    await world.db.sendMessage.updateMany({
      where: { spenderId: sender.id },
      data: { upstream: 'vertexsms', handedAt: new Date(Date.now() - 2 * DAY_MS) },
    })
    await world.db.notice.updateMany({ where: { spenderId: sender.id }, data: { about: 'vertexsms' } })
    // Which of the two is real is no matter.
    for (let more = 0; more < 2; more += 1) await send(sender)
    expect((await noticesOf(sender.accountId)).map(({ kind }) => kind)).toEqual(['first_send', 'first_send'])
  })

  test('of a connection is told once, however much it sends and whoever looks', async () => {
    const sender = await newConnection()
    expect(await send(sender)).toBe(200)
    expect(await noticesOf(sender.accountId)).toEqual([{ kind: 'first_send', spenderId: sender.id }])
    for (let more = 0; more < 3; more += 1) await send(sender)
    expect((await noticesOf(sender.accountId)).length).toBe(1)
  })

  test.each([
    ['one message', 'POST /sms', false],
    ['a list that goes on behind its answer', 'POST /sms/batch', false],
    ['what waited for its time', 'POST /sms', true],
  ] as const)('is told once it went out, however long the operator takes: %s', async (_title, route, waits) => {
    const open: (() => void)[] = []
    const operator = fakeOperator(undefined, () => new Promise((resolve) => void open.push(resolve)))
    const times = { ...PATIENT_TIMES, answerMs: 1 }
    const slow = await world.startNode({ SANDBOX_POLL_MS: '50' }, { watch, operator, times })
    const { accountId, id, token } = await newConnection()
    const to = [`+${number++}`, `+${number++}`]
    const body = { to: route === 'POST /sms' ? to[0] : to, from: 'Tests', message: 'Hello' }
    const scheduled = new Date(Date.now() + DAY_MS / 2).toISOString()
    const answer = slow.call(route, { token, body: { ...body, ...(waits && { scheduled }) } })
    if (waits) {
      await answer
      await world.db.$executeRaw`UPDATE send SET scheduled_at = database_now() WHERE account_id = ${accountId}::uuid`
    }
    const messages = route === 'POST /sms' ? 1 : 2
    await eventually(async () => open.length === messages)
    await watch.idle()
    expect(await noticesOf(accountId)).toEqual([])
    for (const end of open) end()
    expect((await answer).status).toBe(200)
    expect(await firstNoticesOf(accountId)).toEqual([{ kind: 'first_send', spenderId: id }])
    await slow.close()
  })

  test.each([
    ['one message', 'POST /sms', 1, 'settled later'],
    ['a list', 'POST /sms/batch', 2, 'list waits for the database'],
  ] as const)(
    'is told once it is settled, where the database was away meanwhile: %s',
    async (_title, route, messages, line) => {
      let isAway = false
      const operator = fakeOperator(undefined, () => {
        isAway = true
      })
      const away = await world.startNode({}, { watch, operator, times: { ...PATIENT_TIMES, runnerMs: 1 } }, (db) =>
        withoutSettling(db, () => isAway),
      )
      const { accountId, id, token } = await newConnection()
      const to = Array.from({ length: messages }, () => `+${number++}`)
      const body = { to: messages === 1 ? to[0] : to, from: 'Tests', message: 'Hello' }
      const answer = away.call(route, { token, body })
      await eventually(async () => away.lines.some((told) => told.includes(line)))
      await watch.idle()
      expect(await noticesOf(accountId)).toEqual([])
      isAway = false
      expect((await answer).status).toBe(200)
      expect(await firstNoticesOf(accountId)).toEqual([{ kind: 'first_send', spenderId: id }])
      await away.close()
    },
  )

  test('of a token made by hand is no news, and neither is that of a connection that sent before', async () => {
    const token = await newToken()
    expect(await send(token)).toBe(200)
    expect(await noticesOf(token.accountId)).toEqual([])

    const old = await newConnection()
    await send(old)
    await world.db.notice.deleteMany({ where: { accountId: old.accountId } })
    const before = new Date(Date.now() - 30 * DAY_MS)
    await world.db.sendMessage.updateMany({
      where: { spenderId: old.id },
      data: { createdAt: before, handedAt: before },
    })
    await send(old)
    expect(await noticesOf(old.accountId)).toEqual([])
  })

  test('is when it goes out: what waited for longer than a day is told, and what was cancelled meanwhile hides none', async () => {
    const sender = await newConnection()
    const dayAgo = new Date(Date.now() - 1.5 * DAY_MS)
    await send(sender)
    await world.db.notice.deleteMany({ where: { accountId: sender.accountId } })
    await world.db.sendMessage.updateMany({ where: { spenderId: sender.id }, data: { createdAt: dayAgo } })
    await look(sender)
    expect(await noticesOf(sender.accountId)).toEqual([{ kind: 'first_send', spenderId: sender.id }])

    const other = await newConnection()
    const scheduled = new Date(Date.now() + DAY_MS / 2).toISOString()
    const body = { to: `+${number++}`, from: 'Tests', message: 'Hello', scheduled }
    const waiting = await node.call<[string]>('POST /sms', { token: other.token, body })
    expect((await node.call(`DELETE /sms/${waiting.body[0]}`, { token: other.token })).status).toBe(204)
    await world.db.sendMessage.updateMany({ where: { spenderId: other.id }, data: { createdAt: dayAgo } })
    expect(await send(other)).toBe(200)
    expect(await noticesOf(other.accountId)).toEqual([{ kind: 'first_send', spenderId: other.id }])
  })

  test('that waits for its time is none yet', async () => {
    const sender = await newConnection()
    const scheduled = new Date(Date.now() + DAY_MS / 2).toISOString()
    const body = { to: `+${number++}`, from: 'Tests', message: 'Hello', scheduled }
    expect((await node.call('POST /sms', { token: sender.token, body })).status).toBe(200)
    await watch.idle()
    expect(await noticesOf(sender.accountId)).toEqual([])
  })

  test('of a connection that ended meanwhile is no news', async () => {
    const sender = await newConnection()
    await send(sender)
    await world.db.notice.deleteMany({ where: { accountId: sender.accountId } })
    await world.db.spender.update({ where: { id: sender.id }, data: { endedAt: new Date() } })
    await look(sender)
    expect(await noticesOf(sender.accountId)).toEqual([])
  })

  test('that was refused is none', async () => {
    const sender = await newConnection()
    await world.db.spender.update({ where: { id: sender.id }, data: { countries: ['EE'] } })
    expect(await send(sender)).toBe(403)
    expect(await noticesOf(sender.accountId)).toEqual([])
  })
})

describe('a limit', () => {
  /** The largest limit of which so much is four fifths. */
  const nearOf = (used: bigint) => (used * 5n) / BigInt(LIMIT_NEAR_FIFTHS)

  test.each(['day', 'total', 'recipients'] as const)(
    '(%s) is told once when four fifths are used, and not before',
    async (limit) => {
      const sender = await newToken()
      await send(sender)
      const one = (await spentOf(sender.id)).daySpentMicros
      const column = { day: 'maxPerDayMicros', total: 'maxTotalMicros', recipients: 'recipientsPerDay' }[limit]
      const max = limit === 'recipients' ? 4 : nearOf(4n * one)
      await world.db.spender.update({ where: { id: sender.id }, data: { [column]: max } })
      for (const sends of [2, 3]) expect([sends, await send(sender)]).toEqual([sends, 200])
      expect(await noticesOf(sender.accountId)).toEqual([])
      expect(await send(sender)).toBe(200)
      const told = await noticesOf(sender.accountId)
      const near = { kind: 'limit_near', spenderId: sender.id, upstream: 'sandbox', limit, max: String(max) }
      expect(told).toEqual([{ ...near, used: expect.stringMatching(/^\d+$/) }])
      // A price may be told later and differ from what was held, so that it is the look's own figure.
      const [{ used = '' } = {}] = told as { used?: string }[]
      expect(BigInt(used) * 5n).toBeGreaterThanOrEqual(BigInt(max) * BigInt(LIMIT_NEAR_FIFTHS))
      await send(sender)
      expect(await noticesOf(sender.accountId)).toEqual(told)
    },
  )

  test('is none of what was used up with another upstream', async () => {
    const sender = await newToken()
    await send(sender)
    await world.db.spender.update({ where: { id: sender.id }, data: { maxTotalMicros: 5n } })
    await world.db.spenderCount.updateMany({ where: { spenderId: sender.id }, data: { upstream: 'vertexsms' } })
    await look(sender)
    expect(await noticesOf(sender.accountId)).toEqual([])
    await world.db.spenderCount.updateMany({ where: { spenderId: sender.id }, data: { upstream: 'sandbox' } })
    await look(sender)
    expect((await noticesOf(sender.accountId)).map(({ kind }) => kind)).toEqual(['limit_near'])
  })

  test('a day is told again another day, and a limit that was raised when it is near again', async () => {
    const sender = await newToken()
    await send(sender)
    const used = (await spentOf(sender.id)).daySpentMicros
    const near = nearOf(2n * used)
    const bounds = { maxPerDayMicros: near, maxTotalMicros: near }
    await world.db.spender.update({ where: { id: sender.id }, data: bounds })
    await send(sender)
    const limits = async () =>
      (await noticesOf(sender.accountId)).map((one) => (one as { limit?: string }).limit).sort()
    expect(await limits()).toEqual(['day', 'total'])
    const yesterday = new Date(Date.now() - DAY_MS)
    const over = { day: yesterday, dayEndsAt: new Date(Date.now() - 1000) }
    await world.db.spenderCount.updateMany({ where: { spenderId: { in: [sender.id, sender.accountId] } }, data: over })
    await world.db.notice.updateMany({
      where: { spenderId: sender.id, about: { contains: ' day ' } },
      data: { about: 'sandbox day 2000-01-01' },
    })
    await world.db.spender.update({
      where: { id: sender.id },
      data: { maxPerDayMicros: nearOf(used), maxTotalMicros: nearOf(3n * used) },
    })
    await send(sender)
    expect(await limits()).toEqual(['day', 'day', 'total', 'total'])
  })

  test.each(['maxPerDayMicros', 'recipientsPerDay'] as const)(
    'of a day (%s) that was raised is told again when it is near again, the same day, and not before',
    async (column) => {
      const sender = await newToken()
      await send(sender)
      const one = column === 'recipientsPerDay' ? 1n : (await spentOf(sender.id)).daySpentMicros
      const allow = (max: bigint) =>
        world.db.spender.update({
          where: { id: sender.id },
          data: { [column]: column === 'recipientsPerDay' ? Number(max) : max },
        })
      const told = async () => (await noticesOf(sender.accountId)).map((notice) => (notice as { max?: string }).max)
      const [first, raised] = [nearOf(2n * one), nearOf(4n * one)]
      await allow(first)
      await send(sender)
      expect(await told()).toEqual([String(first)])
      await allow(raised)
      await send(sender)
      expect(await told()).toEqual([String(first)])
      await send(sender)
      expect(await told()).toEqual([String(first), String(raised)])
      await allow(first)
      await look(sender)
      expect(await told()).toEqual([String(first), String(raised)])
    },
  )

  test('of a day counts what is held, and nothing once that day is over; the total counts what is held for ever', async () => {
    const sender = await newToken()
    await send(sender)
    const where = { spenderId_upstream: { spenderId: sender.id, upstream: 'sandbox' } }
    const counted = {
      daySpentMicros: 3n,
      dayHeldMicros: 5n,
      dayRecipients: 8,
      totalSpentMicros: 3n,
      totalHeldMicros: 5n,
    }
    await world.db.spenderCount.update({ where, data: { ...counted, dayEndsAt: new Date(Date.now() - 1000) } })
    const bounds = { maxPerDayMicros: 10n, recipientsPerDay: 10, maxTotalMicros: 10n }
    await world.db.spender.update({ where: { id: sender.id }, data: bounds })
    const told = async () =>
      (await noticesOf(sender.accountId)).map((one) => [
        (one as { limit?: string }).limit,
        (one as { used?: string }).used,
      ])
    await look(sender)
    expect(await told()).toEqual([['total', '8']])
    await world.db.spenderCount.update({ where, data: { dayEndsAt: new Date(Date.now() + DAY_MS) } })
    await look(sender)
    expect((await told()).sort()).toEqual([
      ['day', '8'],
      ['recipients', '8'],
      ['total', '8'],
    ])
  })

  test('of the whole account is told as the account, whoever sent, and one of nothing at all never', async () => {
    const sender = await newConnection()
    await send(sender)
    const used = (await spentOf(sender.accountId)).totalSpentMicros
    await world.db.spender.update({ where: { id: sender.accountId }, data: { maxTotalMicros: nearOf(2n * used) } })
    const nothing = { recipientsPerDay: 0, maxPerDayMicros: 0n, maxTotalMicros: 0n }
    await world.db.spender.update({ where: { id: sender.id }, data: nothing })
    await look(sender)
    const none = { recipientsPerDay: null, maxPerDayMicros: null, maxTotalMicros: null }
    await world.db.spender.update({ where: { id: sender.id }, data: none })
    await send(sender)
    const told = await noticesOf(sender.accountId)
    expect(told.map(({ kind, spenderId }) => [kind, spenderId])).toEqual([
      ['first_send', sender.id],
      ['limit_near', sender.accountId],
    ])
  })
})

describe('a look', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  const HOUR_MS = 3_600_000
  const watched = (sender: Sender, isConnection = true) =>
    ({
      accountId: sender.accountId,
      spenderId: sender.id,
      upstream: 'sandbox',
      connectionId: isConnection ? sender.id : null,
    }) as const

  /** Timers of these times end at once and are kept in the list that it answers; all others of the process are real. */
  function endedAtOnce(isMeant: (ms: number) => boolean): number[] {
    const waitsMs: number[] = []
    const { setTimeout: real } = globalThis
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, ms = 0) => {
      if (!isMeant(ms)) return real(work, ms)
      waitsMs.push(ms)
      return real(work, 0)
    }) as typeof setTimeout)
    return waitsMs
  }

  test('is taken at once, the next of the same sender not before its time, and both once however much was noted', async () => {
    const waitsMs = endedAtOnce((ms) => Math.abs(ms - HOUR_MS) < 60_000)
    const [sender, other] = [await newConnection(), await newConnection()]
    const slow = createPauseWatch(service, world.node.app.log, HOUR_MS)
    for (const times of [1, 2, 3]) {
      for (let time = 0; time < times; time += 1) slow.note(watched(sender))
      await slow.idle()
      expect(waitsMs).toHaveLength(times - 1)
    }
    slow.note(watched(other))
    await slow.idle()
    expect(waitsMs).toHaveLength(2)
  })

  test('waits while three others are taken, and none is begun two seconds after the process was to stop', async () => {
    const waitsMs = endedAtOnce((ms) => ms === 2_000)
    const asked: unknown[] = []
    const answers: (() => void)[] = []
    const silent = {
      $executeRaw: (_: unknown, ...values: unknown[]) => {
        asked.push(values)
        return new Promise<number>((resolve) => void answers.push(() => resolve(0)))
      },
    } as unknown as Database
    const busy = createPauseWatch(silent, world.node.app.log, HOUR_MS)
    for (let at = 0; at < 5; at += 1) busy.note(watched({ accountId: '', id: String(at), token: '' }, false))
    await new Promise((resolve) => setImmediate(resolve))
    expect(asked).toHaveLength(3)
    answers[0]?.()
    await eventually(async () => asked.length === 4)
    waitsMs.length = 0
    await busy.finish()
    expect(waitsMs).toContain(2_000)
    for (const answer of answers) answer()
    await busy.idle()
    expect(asked).toHaveLength(4)
  })

  test('is taken one at a time of a sender, however long one takes', async () => {
    const answers: (() => void)[] = []
    const slow = {
      $executeRaw: () => new Promise<number>((resolve) => void answers.push(() => resolve(0))),
    } as unknown as Database
    const watching = createPauseWatch(slow, world.node.app.log, 0)
    const note = (id: string) => watching.note(watched({ accountId: '', id, token: '' }, false))
    note('one')
    await eventually(async () => answers.length === 1)
    note('one')
    note('another')
    await eventually(async () => answers.length === 2)
    answers[1]?.()
    await new Promise((resolve) => setImmediate(resolve))
    expect(answers).toHaveLength(2)
    answers[0]?.()
    await eventually(async () => answers.length === 3)
    answers[2]?.()
    await watching.idle()
  })

  test('pauses no token that behaves like an attack, and says in the log what it paused', async () => {
    const warnings: unknown[][] = []
    const log = { ...world.node.app.log, warn: (...told: unknown[]) => void warnings.push(told) }
    const logged = createPauseWatch(service, log as unknown as FastifyBaseLogger, 0)
    const sender = await newConnection()
    const tried = { what: 'sms', outcome: 'DESTINATION_NOT_ALLOWED', upstream: 'sandbox' } as const
    const countries = ['CU', 'JM', 'KZ']
    const refusals = createRefusalLog(world.db)
    const call = { accountId: sender.accountId, spenderId: sender.id, ...tried }
    await Promise.all(countries.map((country) => refusals.note({ ...call, country })))
    logged.note(watched(sender, false))
    await logged.idle()
    expect((await world.db.spender.findUniqueOrThrow({ where: { id: sender.id } })).autoPausedAt).toBeNull()
    expect(warnings).toEqual([])
    logged.note(watched(sender))
    await logged.idle()
    expect((await world.db.spender.findUniqueOrThrow({ where: { id: sender.id } })).autoPausedAt).not.toBeNull()
    const members = { event: 'auto-pause', connectionId: sender.id, reason: 'refused_countries' }
    expect(warnings).toEqual([[members, 'connection paused']])
  })

  test('that fails is told in the log, and the next is taken', async () => {
    const warnings: unknown[][] = []
    const log = { ...world.node.app.log, warn: (...told: unknown[]) => void warnings.push(told) }
    const logged = createPauseWatch(service, log as unknown as FastifyBaseLogger, 0)
    const sender = await newConnection()
    logged.note({ ...watched(sender), spenderId: 'no id' })
    await logged.idle()
    // What pauses it, and what its owner is told: the one is asked without the other.
    const failed = [{ connectionId: sender.id, err: expect.any(Error) }, 'look at a connection failed']
    expect(warnings).toEqual([failed, failed])
    await send(sender)
    logged.note(watched(sender))
    await logged.idle()
    expect(warnings).toHaveLength(2)
  })
})

describe('an automatic pause', () => {
  test('is told with its rule, each time anew', async () => {
    const sender = await newConnection()
    await world.db.spender.update({ where: { id: sender.id }, data: { countries: ['LT'] } })
    const tryCountries = async () => {
      for (const to of ['37120000001', '18762101234', '77710009998']) expect(await send(sender, to)).toBe(403)
    }
    // A refusal is noted behind its answer, and looked at after that.
    const told = () => expect.poll(() => noticesOf(sender.accountId))
    const rule = { kind: 'auto_pause', spenderId: sender.id, rule: 'refused_countries' }
    await tryCountries()
    await told().toEqual([rule])
    await world.db.spender.update({ where: { id: sender.id }, data: { resumedAt: new Date() } })
    await world.db.activity.deleteMany({ where: { spenderId: sender.id } })
    await tryCountries()
    await told().toEqual([rule, rule])
  })
})

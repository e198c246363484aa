import { randomUUID } from 'node:crypto'
import { type Database, Prisma } from '@vertexsms/db/client'
import { testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { activityFrom, createRefusalLog, type RefusedCall } from '../src/activity/record.ts'
import { idle } from '../src/sending/hand-over.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { limit, makePayer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { seed } from './support/world.ts'

let db: Database
let close: () => Promise<void>
let followDate: (aheadMs?: number) => Promise<void>
let accountId: string

beforeAll(async () => {
  ;({ db, close, followDate } = await testDatabase())
})
afterAll(() => close())
beforeEach(async () => {
  accountId = (await seed(db).makeAccount()).accountId
})

const refused = (set: Partial<RefusedCall> = {}) =>
  createRefusalLog(db).note({
    accountId,
    spenderId: accountId,
    what: 'sms',
    outcome: 'DESTINATION_NOT_ALLOWED',
    country: 'JM',
    upstream: 'sandbox',
    ...set,
  })
const entries = () => db.activity.findMany({ where: { accountId }, orderBy: { id: 'asc' } })

describe('the activity of an account', () => {
  test('has one entry with a count for equal refusals within a minute, however many come at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => refused()))
    await refused({ country: 'CU' })
    await refused({ country: null })
    await refused({ outcome: 'SENDER_NOT_ALLOWED' })
    const rows = await entries()
    // The twenty may lie on both sides of a full minute.
    const equal = rows.filter((row) => row.country === 'JM' && row.outcome === 'DESTINATION_NOT_ALLOWED')
    expect(equal.length).toBeLessThanOrEqual(2)
    expect(equal.reduce((sum, row) => sum + row.count, 0)).toBe(20)
    expect(rows.length - equal.length).toBe(3)
  })

  test('has a refusal that comes while another account is refused the same ten thousand times', async () => {
    const other = (await seed(db).makeAccount()).accountId
    const log = createRefusalLog(db)
    const call = { what: 'sms', outcome: 'DESTINATION_NOT_ALLOWED', country: 'JM', upstream: 'sandbox' } as const
    const notes = Array.from({ length: 10_000 }, () => log.note({ ...call, accountId: other, spenderId: other }))
    await Promise.all([...notes, log.note({ ...call, accountId, spenderId: accountId })])
    expect((await entries()).map(({ count }) => count)).toEqual([1])
    expect((await db.activity.findMany({ where: { accountId: other } })).map(({ count }) => count)).toEqual([10_000])
  })

  test('has another entry for the same refusal a minute later', async () => {
    await refused()
    await followDate(60_000)
    await refused()
    await followDate()
    expect((await entries()).map((row) => row.count)).toEqual([1, 1])
  })

  test.each([
    ['per_send', { maxPerSendMicros: 1n }],
    ['per_day', { maxPerDayMicros: 1n }],
    ['total', { maxTotalMicros: 1n }],
  ] as const)('names the limit of money that refused a send: %s', async (cap, rules) => {
    const payer = await makePayer(db, accountId)
    const { sending, deps } = pathNode(db, fakeOperator())
    await limit(db, payer, payer.tokenId, rules)
    const send = () => sending.sendOne(smsCall(payer, ['37060000001']))
    await expect(send()).rejects.toMatchObject({ code: 'SPEND_CAP_REACHED' })
    await idle(deps)
    expect((await entries()).map(({ outcome }) => outcome)).toEqual([`SPEND_CAP_REACHED ${cap}`])
  })

  test('tells a list in the order of its request', async () => {
    const payer = await makePayer(db, accountId)
    const { sending, deps } = pathNode(db, fakeOperator())
    const to = Array.from({ length: 20 }, (_, at) => `37061234${String(at * 7).padStart(3, '0')}`)
    await sending.sendList(smsCall(payer, to))
    await idle(deps)
    const ends = (await entries()).filter(({ what }) => what === 'sms').map(({ lastDigits }) => lastDigits)
    // Chunks run one after the other, and within each the order is that of the list.
    expect(ends).toEqual(to.map((number) => number.slice(-3)))
  })

  test('has the refusals of a hundred recipients by a few statements, and counts each', async () => {
    const payer = await makePayer(db, accountId)
    await limit(db, payer, payer.tokenId, { countries: ['LT'] })
    let statements = 0
    const counting = db.$extends({
      query: {
        $executeRaw({ args, query }) {
          if (/INSERT INTO activity/.test(String(args.sql))) statements++
          return query(args)
        },
      },
    }) as unknown as Database
    const { sending, deps } = pathNode(counting, fakeOperator())
    const to = Array.from({ length: 100 }, (_, at) => `${at % 2 === 0 ? 37120 : 37250}${String(at).padStart(6, '0')}`)
    const { answer } = await sending.sendList(smsCall(payer, to))
    expect(answer.messages.filter(({ error }) => error?.code === 'DESTINATION_NOT_ALLOWED')).toHaveLength(100)
    await idle(deps)
    expect(statements).toBeLessThanOrEqual(2)
    const counts = new Map<string | null, number>()
    for (const { country, count } of await entries()) counts.set(country, (counts.get(country) ?? 0) + count)
    expect(counts).toEqual(
      new Map([
        ['LV', 50],
        ['EE', 50],
      ]),
    )
  })

  test('tells three digits of a recipient and no more, with a signed amount, in the statement that did it', async () => {
    const sendId = randomUUID()
    const source = Prisma.sql`(SELECT ${accountId}::uuid AS account_id, ${accountId}::uuid AS spender_id,
      'settle' AS what, 'OK' AS outcome, 'LT' AS country, 2 AS parts, ${-39_000n}::bigint AS amount_micros,
      '37060000123' AS recipient, ${sendId}::uuid AS send_id, 5::bigint AS message_id, 'sandbox' AS upstream)`
    await db.$executeRaw`WITH done AS (SELECT 1), told AS (${activityFrom(source)}) SELECT * FROM done`
    const [row] = await entries()
    expect(row).toMatchObject({
      what: 'settle',
      amountMicros: -39_000n,
      lastDigits: '123',
      sendId,
      count: 1,
      equalKey: null,
    })
    expect(JSON.stringify(row, (_name, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
      '3706',
    )
  })
})

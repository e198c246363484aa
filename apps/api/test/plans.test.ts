// What jobs and sends ask of the database does not grow with all that was ever sent: no statement walks a whole table.
import { randomUUID } from 'node:crypto'
import { createDatabase, type Database, type Prisma } from '@vertexsms/db/client'
import { readTestDatabaseUrl } from '@vertexsms/db/env'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { noteForOwner } from '../src/limits/owner-notices.ts'
import { pauseIfAttacking } from '../src/limits/pause.ts'
import { createStatusJob } from '../src/sending/ask-status.ts'
import { cancel } from '../src/sending/cancel.ts'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { createRetentionJob, createSweepJob } from '../src/sending/sweep.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { limit, makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { PATIENT_LIMITS } from './support/patience.ts'
import { turn } from './support/turn.ts'

const FINISHED = 20_000
const FILLED_AT_ONCE = 2_000
const GROWING: ReadonlySet<string> = new Set(['send', 'send_message'])
/** Indexes over the few rows that wait, which may be read whole. */
const SMALL: ReadonlySet<string> = new Set(['send_waiting', 'send_message_with_number'])

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly Plans?: readonly Plan[]
}

// The embedded database is for one person's demo, and takes minutes to fill.
describe.skipIf(readTestDatabaseUrl() === undefined)('at a server', () => {
  let database: TestDatabase
  let payer: Payer
  let db: Database
  let walks: string[] = []
  /** The first column of each index: a condition on a later one alone reads the whole of it. */
  let firstColumns: ReadonlyMap<string, string>

  beforeAll(async () => {
    database = await testDatabase()
    payer = await makePayer(database.db)
    const { accountId, tokenId } = payer
    for (let from = 0; from < FINISHED; from += FILLED_AT_ONCE) {
      await database.db.$executeRaw`
      INSERT INTO send (id, account_id, spender_id, token_id, kind, upstream, generation, route, sender, coding, priority, created_at,
                        scheduled_at)
      SELECT md5(i::text)::uuid, ${accountId}::uuid, ${tokenId}::uuid, ${tokenId}::uuid, 'sms', 'sandbox', 0, '/sms', 'Tests', 0, 1,
             database_now(), CASE WHEN i % 2 = 0 THEN database_now() END FROM generate_series(${from + 1}::int, ${from + FILLED_AT_ONCE}::int) i`
      await database.db.$executeRaw`
      INSERT INTO send_message (id, send_id, account_id, spender_id, upstream, position, recipient, country, parts, state,
                                hold_micros, charged_micros, created_at, handed_at, reference, final_at)
      SELECT i, md5(i::text)::uuid, ${accountId}::uuid, ${tokenId}::uuid, 'sandbox', 0, '123', 'LT', 1, 'accepted', 0, 1,
             database_now(), database_now(), i::text, database_now() - interval '40 days' FROM generate_series(${from + 1}::int, ${from + FILLED_AT_ONCE}::int) i`
    }
    await database.db.$executeRawUnsafe('ANALYZE')
    const indexes = await database.db.$queryRaw<{ index: string; first: string }[]>`
      SELECT i.indexrelid::regclass::text AS index, a.attname::text AS first
      FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE i.indrelid IN ('send'::regclass, 'send_message'::regclass)`
    firstColumns = new Map(indexes.map(({ index, first }) => [index, first]))
    const plain = createDatabase({ url: database.serviceUrl('vertexsms_api'), poolSize: 3, limits: PATIENT_LIMITS })
    const explain = async (statement: unknown) => {
      const [row] = await plain.$queryRaw<{ 'QUERY PLAN': [{ Plan: Plan }] }[]>`
      EXPLAIN (FORMAT JSON) ${statement as Prisma.Sql}`
      const found = walksOf(row?.['QUERY PLAN'][0].Plan)
      if (found.length > 0)
        walks.push(
          `${found.join(', ')}: ${String((statement as Prisma.Sql).sql)
            .trim()
            .slice(0, 300)}`,
        )
    }
    db = plain.$extends({
      query: {
        async $queryRaw({ args, query }) {
          await explain(args)
          return query(args)
        },
        async $executeRaw({ args, query }) {
          await explain(args)
          return query(args)
        },
      },
    }) as unknown as Database
  })
  afterAll(async () => {
    await db?.$disconnect()
    await database?.close()
  })
  beforeEach(() => {
    walks = []
  })

  function walksOf(plan: Plan | undefined): string[] {
    if (plan === undefined) return []
    const {
      'Node Type': type,
      'Relation Name': relation = '',
      'Index Name': index = '',
      'Index Cond': condition,
    } = plan
    const isSearched = new RegExp(`\\b${firstColumns.get(index)}\\b`).test(condition ?? '')
    const isWalk = GROWING.has(relation) && (type === 'Seq Scan' || (index !== '' && !isSearched && !SMALL.has(index)))
    return [...(isWalk ? [`${type} ${relation} ${index}`] : []), ...(plan.Plans ?? []).flatMap(walksOf)]
  }

  test('scheduled sends are taken, cancelled and given up without a walk through all sends', async () => {
    const { sending, deps } = pathNode(db, fakeOperator())
    const body = { scheduled: new Date(Date.now() + 3_600_000).toISOString() }
    const { id } = await sending.sendOne(smsCall(payer, ['37060000001'], { body }))
    const schedule = createScheduleJob(deps, sending, 1_000)
    const sweep = createSweepJob(db, 'sandbox', 1_000)
    await turn(schedule)
    await turn(sweep)
    // Neither found anything to settle; this does.
    await cancel(db, payer.tokenId, id)
    expect(walks).toEqual([])
  })

  test('what became of messages is asked without a walk through all of them', async () => {
    const door = { delivery: async () => {}, lookup: async () => {} }
    await turn(createStatusJob({ db, operator: fakeOperator(), door, firstMs: 3_600_000, everyMs: 1_000 }))
    expect(walks).toEqual([])
  })

  test('numbers are shortened, and old sends deleted, without a walk through all messages', async () => {
    await turn(createRetentionJob(db))
    expect(walks).toEqual([])
  })

  test('a text that waits for nothing any more goes, also where its last messages were cancelled at one moment', async () => {
    const { sending } = pathNode(database.db, fakeOperator())
    const body = { scheduled: new Date(Date.now() + 3_600_000).toISOString() }
    const { answer } = await sending.sendList(smsCall(payer, ['37060000011', '37060000012'], { body }))
    const { sendId: id = '' } = answer
    const { sealedText } = await database.db.send.findUniqueOrThrow({ where: { id: id ?? '' } })
    for (const message of answer.messages) await cancel(database.db, payer.tokenId, BigInt(message.id ?? 0))
    await database.db.send.update({ where: { id: id ?? '' }, data: { sealedText } })
    await turn(createRetentionJob(db))
    expect((await database.db.send.findUniqueOrThrow({ where: { id: id ?? '' } })).sealedText).toBeNull()
  })

  test('what a key stands for, of its own call and of earlier ones, is found without a walk through all messages', async () => {
    const { sending } = pathNode(db, fakeOperator())
    const list = (to: string[], key: string | null) =>
      sending.sendList(smsCall(payer, to, { route: '/sms/batch', throughMcp: true, idempotencyKey: key }))
    await list(['37060000021'], null)
    for (const to of [['37060000021'], ['37060000021', '37060000022']]) {
      await list(to, `of ${to.length}`)
      expect((await list(to, `of ${to.length}`)).replayed).toBe(true)
    }
    expect(walks).toEqual([])
  })

  test('a country is known or new without a walk through all messages of the account', async () => {
    await limit(database.db, payer, payer.tokenId, { askNewCountry: true })
    await limit(database.db, payer, payer.accountId, { askNewCountry: true })
    const { sending } = pathNode(db, fakeOperator())
    await sending.sendOne(smsCall(payer, ['37060000001']))
    await expect(sending.sendOne(smsCall(payer, ['37120000001']))).rejects.toMatchObject({ code: 'APPROVAL_REQUIRED' })
    expect(walks).toEqual([])
  })

  test('a connection is looked at without a walk through the messages of others', async () => {
    const id = randomUUID()
    const { accountId } = payer
    await database.db.spender.create({ data: { id, accountId, kind: 'connection', createdAt: new Date() } })
    const watched = { accountId, spenderId: id, upstream: 'sandbox' } as const
    // Of many senders, as the statistics tell it then.
    await database.db.$executeRaw`
      UPDATE send_message SET spender_id = md5((id % 500)::text)::uuid, recipient = (37060000000 + id)::text WHERE id <= 20000`
    await database.db.$executeRaw`
      UPDATE send_message SET spender_id = ${id}::uuid WHERE id BETWEEN 100 AND 120`
    await database.db.$executeRawUnsafe('ANALYZE send_message')
    await noteForOwner(db, watched)
    expect(await pauseIfAttacking(db, watched)).toBe('number_block')
    expect(walks).toEqual([])
  })

  test('a block of numbers is found among as many as a look reads, in the time of a statement', async () => {
    const id = randomUUID()
    const { accountId } = payer
    await database.db.spender.create({ data: { id, accountId, kind: 'connection', createdAt: new Date() } })
    await database.db.$executeRaw`
      UPDATE send_message SET spender_id = ${id}::uuid, recipient = (37060000000 + id * 37)::text WHERE id <= ${FINISHED - 1_000}::int`
    const watched = { accountId, spenderId: id, upstream: 'sandbox' } as const
    const limited = createDatabase({ url: database.serviceUrl('vertexsms_api') })
    expect(await pauseIfAttacking(limited, watched)).toBeNull()
    await database.db.$executeRaw`
      UPDATE send_message SET recipient = (37069900000 + id)::text WHERE id BETWEEN 10 AND 20`
    expect(await pauseIfAttacking(limited, watched)).toBe('number_block')
    await limited.$disconnect()
  })
})

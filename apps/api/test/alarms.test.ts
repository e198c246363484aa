// Every alarm says whose it is: the request that is under way, and the connection where one sends.
import { randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createRefusalLog } from '../src/activity/record.ts'
import { AT_ONCE_MAX } from '../src/ledger/standing.ts'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { makeIssuer, makeSendingConnection } from './support/issuer.ts'
import { PATIENT_TIMES } from './support/patience.ts'
import { type Node, startWorld, type World } from './support/world.ts'

const TEXT = 'a-very-private-text'
const NAME = 'PrivateName'
const HOUR_MS = 3_600_000

let world: World
let sign: Awaited<ReturnType<typeof makeIssuer>>['sign']
beforeAll(async () => {
  // No node but the one of a test takes up what is scheduled.
  world = await startWorld({ SANDBOX_POLL_MS: '60000' })
  ;({ sign } = await makeIssuer(world.db, 'alarms'))
})
afterAll(() => world.close())

interface Caller {
  readonly accountId: string
  readonly token: string
  /** Null for a token made by hand. */
  readonly connectionId: string | null
}
let connection: Caller
let byHand: Caller
beforeEach(async () => {
  await world.followDate()
  const { accountId } = await world.makeAccount()
  const { id, token } = await makeSendingConnection(world.db, accountId, sign)
  connection = { accountId, token, connectionId: id }
  byHand = { ...(await world.makeAccount()), connectionId: null }
})

let next = 37_060_300_000
const numbers = (count: number) => Array.from({ length: count }, () => `+${next++}`)

/** A request with an id of its own. */
function ask(node: Node, { token }: Caller, to: readonly string[], more = {}) {
  const requestId = randomUUID()
  const body = { to: to.length === 1 ? to[0] : to, from: NAME, message: TEXT, ...more }
  const route = to.length === 1 ? 'POST /sms' : 'POST /sms/batch'
  return { requestId, to, answer: node.call(route, { token, body, headers: { 'x-request-id': requestId } }) }
}

/** The database as a node sees it: statements that say this fail while it is away. */
function failing(says: string, isAway: () => boolean) {
  return (db: Database) =>
    db.$extends({
      query: {
        async $queryRaw({ args, query }) {
          if (isAway() && String((args as { sql: string }).sql).includes(says)) throw new Error(`away: ${TEXT}`)
          return query(args)
        },
      },
    }) as unknown as Database
}

/** The first line that says this, once it is there, without its time and with no secret in it. */
async function alarm(node: Node, says: string, caller: Caller, to: readonly string[]) {
  const line = await eventually(async () => node.lines.find((one) => one.includes(`"msg":"${says}"`)))
  for (const secret of [...to.map((number) => number.slice(1)), caller.token, TEXT, NAME]) {
    expect(line).not.toContain(secret)
  }
  const { time: _time, ...members } = JSON.parse(line)
  return members
}

/** The members of an alarm of theirs: of a token made by hand no connection is told, and of no request no id. */
const membersOf = (msg: string, { connectionId }: Caller, requestId: string | null, level = 'warn') => ({
  level,
  service: 'api',
  ...(requestId === null ? {} : { requestId }),
  ...(connectionId === null ? {} : { connectionId }),
  err: { name: 'Error', at: expect.any(Array) },
  msg,
})

describe.each([
  ['a connection', () => connection],
  ['a token made by hand', () => byHand],
])('an alarm about a request of %s says so', (_whose, callerOf) => {
  test.each([
    ['a message', 1],
    ['a list', 2],
  ])('where the upstream did not answer: %s', async (_what, count) => {
    const msg = 'hand-over without an answer'
    const node = await world.startNode({}, { operator: fakeOperator(() => 'lost') })
    const { requestId, to, answer } = ask(node, callerOf(), numbers(count))
    await answer
    expect(await alarm(node, msg, callerOf(), to)).toEqual(membersOf(msg, callerOf(), requestId))
  })

  test.each([
    ['gives no certain answer', () => Promise.resolve({ kind: 'unknown' } as const)],
    ['gives none in time', () => new Promise<never>(() => {})],
  ])('where the upstream %s, though nothing failed here', async (_what, send) => {
    const msg = 'hand-over without an answer'
    const times = { ...PATIENT_TIMES, handOverMs: 50 }
    const node = await world.startNode({}, { operator: { ...fakeOperator(), send }, times })
    const { requestId, to, answer } = ask(node, callerOf(), numbers(1))
    expect((await answer).body.code).toBe('SEND_OUTCOME_UNKNOWN')
    const { err: _err, ...members } = membersOf(msg, callerOf(), requestId)
    expect(await alarm(node, msg, callerOf(), to)).toEqual(members)
    expect(node.lines.filter((line) => line.includes(msg))).toHaveLength(1)
  })

  test.each([
    ['settled later', 1],
    ['list waits for the database', 2],
  ])('where the database is away: %s', async (msg, count) => {
    let isAway = true
    const node = await world.startNode(
      {},
      { operator: fakeOperator() },
      failing('settling AS', () => isAway),
    )
    const { requestId, to, answer } = ask(node, callerOf(), numbers(count))
    expect(await alarm(node, msg, callerOf(), to)).toEqual(membersOf(msg, callerOf(), requestId))
    isAway = false
    expect((await answer).status).toBe(200)
  })

  test('where a list cannot be read', async () => {
    const msg = 'list not read'
    const node = await world.startNode(
      {},
      { operator: fakeOperator() },
      failing('::uuid ORDER BY m.position', () => true),
    )
    const { requestId, to, answer } = ask(node, callerOf(), numbers(2))
    expect((await answer).body.code).toBe('SEND_OUTCOME_UNKNOWN')
    expect(await alarm(node, msg, callerOf(), to)).toEqual(membersOf(msg, callerOf(), requestId))
  })

  test('where a refusal is not noted', async () => {
    const msg = 'refusal not noted'
    const refusals = { note: () => Promise.reject(new Error(`away: ${TEXT}`)) }
    const node = await world.startNode({}, { operator: fakeOperator(), refusals })
    const { accountId } = callerOf()
    await ask(node, callerOf(), numbers(1)).answer
    await world.db.spender.updateMany({ where: { accountId }, data: { pausedAt: new Date() } })
    const { requestId, to, answer } = ask(node, callerOf(), numbers(1))
    expect((await answer).body.code).toBe('CONNECTION_PAUSED')
    expect(await alarm(node, msg, callerOf(), to)).toEqual(membersOf(msg, callerOf(), requestId))
  })

  test('where sending fails behind its answer', async () => {
    const msg = 'sending failed behind its answer'
    const at = (step: string) => (step === 'claimed' ? Promise.reject(new Error(`away: ${TEXT}`)) : undefined)
    const node = await world.startNode({}, { operator: fakeOperator(), at })
    const { requestId, to, answer } = ask(node, callerOf(), numbers(2))
    expect((await answer).status).toBe(200)
    expect(await alarm(node, msg, callerOf(), to)).toEqual(membersOf(msg, callerOf(), requestId, 'error'))
  })

  test('where a list that waits for its turn is not left', async () => {
    const msg = 'list not left'
    const { passed, open } = makeGate()
    const operator = fakeOperator(
      () => 'accepted',
      () => passed,
    )
    const times = { ...PATIENT_TIMES, answerMs: 1 }
    let isAway = false
    const node = await world.startNode(
      {},
      { operator, times },
      failing('settling AS', () => isAway),
    )
    for (let taken = 0; taken < AT_ONCE_MAX; taken += 2) await ask(node, callerOf(), numbers(2)).answer
    const { requestId, to, answer } = ask(node, callerOf(), numbers(2))
    await answer
    isAway = true
    const closing = node.close()
    expect(await alarm(node, msg, callerOf(), to)).toEqual(membersOf(msg, callerOf(), requestId))
    isAway = false
    open()
    await closing
  })

  test('and what a job does later for it names no request', async () => {
    const msg = 'scheduled send not begun'
    let isAway = false
    const generation = () => (isAway ? Promise.reject(new Error(`away: ${TEXT}`)) : Promise.resolve(0))
    const node = await world.startNode({ SANDBOX_POLL_MS: '20' }, { operator: { ...fakeOperator(), generation } })
    const scheduled = new Date(Date.now() + HOUR_MS).toISOString()
    const { to, answer } = ask(node, callerOf(), numbers(1), { scheduled })
    expect((await answer).status).toBe(200)
    isAway = true
    await world.followDate(HOUR_MS + 1_000)
    expect(await alarm(node, msg, callerOf(), to)).toEqual(membersOf(msg, callerOf(), null))
    // It would take up what the next one schedules.
    await node.close()
  })
})

test('a connection that is paused automatically is named, with the rule', async () => {
  const { accountId, connectionId } = connection
  const refusals = createRefusalLog(world.db)
  const refused = {
    what: 'sms',
    outcome: 'DESTINATION_NOT_ALLOWED',
    upstream: 'sandbox',
    accountId,
    spenderId: connectionId ?? '',
  } as const
  await Promise.all(['CU', 'JM', 'KZ'].map((country) => refusals.note({ ...refused, country })))
  const node = await world.startNode({}, { operator: fakeOperator() })
  const { to, answer } = ask(node, connection, numbers(1))
  expect((await answer).status).toBe(200)
  expect(await alarm(node, 'connection paused', connection, to)).toEqual({
    level: 'warn',
    service: 'api',
    event: 'auto-pause',
    connectionId,
    reason: 'refused_countries',
    msg: 'connection paused',
  })
})

test('requests that come at the same moment keep their own ids', async () => {
  const node = await world.startNode({}, { operator: fakeOperator(() => 'lost') })
  const asked = Array.from({ length: 5 }, () => ask(node, connection, numbers(1)))
  await Promise.all(asked.map(({ answer }) => answer))
  const told = node.lines.filter((line) => line.includes('hand-over without')).map((line) => JSON.parse(line).requestId)
  expect(told.sort()).toEqual(asked.map(({ requestId }) => requestId).sort())
})

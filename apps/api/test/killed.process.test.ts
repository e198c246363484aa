// The API is killed between each pair of steps, and connections are cut at any moment: nobody gets a message twice, nothing
// is free, and nothing stays held for ever.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { deriveApiKeys } from '@vertexsms/secrets/derived-keys'
import { bundleForTests } from '@vertexsms/service/bundle'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SHORT_LIVED_FLAGS } from '../../../scripts/short-lived.ts'
import { eventually } from './support/eventually.ts'
import { AUDIENCE, caller, EDGE_SECRET, ISSUER, RACING, startWorld, type World } from './support/world.ts'

const SERVER = 'apps/api/test/support/dying-server'
/** A sample; `test:money` takes a thousand. */
const CUT = Number(process.env.CUT_SENDS ?? 40)
const SEED = Number(process.env.PROPERTY_SEED ?? 20261126)
/** Nothing was done, or it is under way: the same call may be made again. */
const ASKS_AGAIN: ReadonlySet<number> = new Set([409, 429, 503])
/** Past every lease. */
const LATER_MS = 120_000

const programs = mkdtempSync(join(tmpdir(), 'vertexsms-killed-'))
let world: World
let child: ChildProcess
let url: string
beforeAll(async () => {
  // Nothing is tidied up before a test asks for it.
  world = await startWorld({ SANDBOX_POLL_MS: '3600000' }, { poolSize: RACING })
  await bundleForTests([`${SERVER}.ts`], programs)
  child = spawn(process.execPath, [...SHORT_LIVED_FLAGS, join(programs, `${SERVER}.js`)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: world.databaseUrl,
      EDGE_SECRET,
      API_KEYS: deriveApiKeys(Buffer.alloc(32, 7)),
      ISSUER_URL: ISSUER,
      API_RESOURCE_URL: AUDIENCE,
      RATE_LIMITS: 'off',
      // Later than its death, earlier than the end of the leases.
      SANDBOX_DELIVERY_MS: '60000',
    },
  })
  const [port] = (await once(child, 'message')) as [number]
  url = `http://127.0.0.1:${port}`
}, 120_000)
afterAll(async () => {
  child?.kill('SIGKILL')
  await world?.close()
  rmSync(programs, { recursive: true })
})

const one = { to: '37060000001', from: 'Tests', message: 'Hello' }
const six = { ...one, to: Array.from({ length: 6 }, (_, at) => `3706000000${at}`) }

/** What its repeat is answered, how many orders the upstream has after that, how many outcomes read unknown at once. */
const DEATHS: readonly [
  route: string,
  body: typeof one | typeof six,
  step: string,
  status: number,
  orders: number,
  unknown: number,
][] = [
  ['POST /sms', one, 'priced', 200, 1, 0],
  ['POST /sms', one, 'admitted', 500, 0, 1],
  ['POST /sms', one, 'handed', 200, 1, 1],
  ['POST /sms', one, 'settled', 200, 1, 0],
  ['POST /sms/batch', six, 'priced', 200, 6, 0],
  ['POST /sms/batch', six, 'admitted', 200, 6, 0],
  ['POST /sms/batch', six, 'claimed', 200, 0, 4],
  ['POST /sms/batch', six, 'handed', 200, 4, 4],
]

describe('a process that is killed', () => {
  const headers = { 'idempotency-key': randomUUID() }
  const owners: { accountId: string; token: string; balanceMicros: bigint }[] = []
  const unknownAtOnce: number[] = []
  beforeAll(async () => {
    const calls: Promise<void>[] = []
    for (const [route, body, step] of DEATHS) {
      const owner = await world.makeAccount()
      owners.push({ ...owner, balanceMicros: await balanceOf(owner.accountId) })
      const ready = once(child, 'message')
      child.send(step)
      await ready
      const reached = once(child, 'message')
      calls.push(expect(caller(url)(route, { token: owner.token, body, headers })).rejects.toThrow())
      expect(await reached).toEqual([step, undefined])
    }
    const died = once(child, 'exit')
    child.kill('SIGKILL')
    await Promise.all([died, ...calls])
    await world.followDate(LATER_MS)
    for (const owner of owners) unknownAtOnce.push(await unknownOf(owner))
  }, 120_000)
  afterAll(() => world.followDate())

  async function unknownOf({ accountId, token }: { accountId: string; token: string }): Promise<number> {
    const rows = await world.db.sendMessage.findMany({ where: { accountId } })
    const states = await Promise.all(
      rows.map(async ({ id }) => (await world.node.call(`GET /sms/status/${id}`, { token })).body.state),
    )
    return states.filter((state) => state === 'unknown').length
  }

  const balanceOf = async (id: string) => (await world.db.account.findUniqueOrThrow({ where: { id } })).balanceMicros

  test('leaves messages that read unknown to everybody once their leases are over, before anybody tidied up', () => {
    expect(DEATHS.map(([route, , step], at) => [route, step, unknownAtOnce[at]])).toEqual(
      DEATHS.map(([route, , step, , , unknown]) => [route, step, unknown]),
    )
  })

  test('has each call done once: its repeat is told so, every hold ends, and what was spent is what was charged', async () => {
    await world.startNode({ SANDBOX_POLL_MS: '50' })
    await Promise.all(
      DEATHS.map(async ([route, body, step, status, orders], at) => {
        const { accountId = '', token = '', balanceMicros = 0n } = owners[at] ?? {}
        // Other nodes tidy up; what left is reported.
        await eventually(async () => {
          const out = await world.db.sendMessage.count({ where: { accountId, state: { in: ['held', 'handed_over'] } } })
          const later = await world.db.message.count({ where: { accountId, status: 'accepted' } })
          const untold = await world.db.message.count({ where: { accountId, tellAt: { not: null } } })
          return out + later + untold === 0
        }, 60_000)
        const answer = await eventually(async () => {
          const given = await world.node.call(route, { token, body, headers })
          return ASKS_AGAIN.has(given.status) ? undefined : given
        }, 60_000)
        expect([route, step, answer.status]).toEqual([route, step, status])
        if (status === 500) expect(answer.body.code).toBe('SEND_OUTCOME_UNKNOWN')
        expect([route, step, await world.db.message.count({ where: { accountId } })]).toEqual([route, step, orders])
        // Of what never left, its owner finds out that it was not sent.
        await world.db.sendMessage.updateMany({
          where: { accountId, state: 'unknown' },
          data: { notSentAt: new Date() },
        })
        await eventually(
          async () => (await world.db.sendMessage.count({ where: { accountId, state: 'unknown' } })) === 0,
          60_000,
        )
        const counts = await world.db.spenderCount.findUniqueOrThrow({
          where: { spenderId_upstream: { spenderId: accountId, upstream: 'sandbox' } },
        })
        expect(counts).toMatchObject({ totalHeldMicros: 0n, dayHeldMicros: 0n, handedOver: 0 })
        expect(counts.totalSpentMicros).toBe(balanceMicros - (await balanceOf(accountId)))
      }),
    )
  }, 180_000)
})

/** The same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test(`${CUT} sends whose connections are cut at any moment, each repeated until it is answered, are ${CUT} hand-overs, seed ${SEED}`, async () => {
  const random = randomOf(SEED)
  const { accountId, token } = await world.makeAccount(10_000_000_000n)
  const ids = new Set<string>()
  let cuts = 0

  function tryOnce(key: string): Promise<string | null> {
    return new Promise((resolve, reject) => {
      const body = JSON.stringify(one)
      const sent = request(`${world.node.url}/sms`, {
        method: 'POST',
        headers: {
          'x-vertexsms-token': token,
          'content-type': 'application/json',
          'content-length': body.length,
          'idempotency-key': key,
        },
      })
      const cut = random() < 0.5 ? setTimeout(() => sent.destroy(), random() * 30) : undefined
      sent.on('error', () => {
        cuts++
        resolve(null)
      })
      sent.on('response', (answer) => {
        json(answer).then(
          (read) => {
            clearTimeout(cut)
            if (answer.statusCode === 200) resolve((read as string[])[0] ?? null)
            else if (ASKS_AGAIN.has(answer.statusCode ?? 0)) resolve(null)
            else reject(new Error(`${answer.statusCode} ${JSON.stringify(read)}`))
          },
          () => resolve(null),
        )
      })
      sent.end(body)
    })
  }

  let left = CUT
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (left-- > 0) {
        const key = randomUUID()
        let id: string | null = null
        while (id === null) id = await tryOnce(key)
        ids.add(id)
      }
    }),
  )
  expect(cuts).toBeGreaterThan(CUT / 20)
  expect(ids.size).toBe(CUT)
  expect(await world.db.sendMessage.count({ where: { accountId, state: 'accepted' } })).toBe(CUT)
  const orders = await world.db.message.groupBy({ by: ['orderId'], where: { accountId }, _count: true })
  expect([orders.length, orders.every(({ _count }) => _count === 1)]).toEqual([CUT, true])
}, 900_000)

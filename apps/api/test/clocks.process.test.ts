import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deriveApiKeys } from '@vertexsms/secrets/derived-keys'
import { bundleForTests } from '@vertexsms/service/bundle'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SHORT_LIVED_FLAGS } from '../../../scripts/short-lived.ts'
import { eventually } from './support/eventually.ts'
import { makeGate } from './support/gate.ts'
import { accessClaims, makeConnection, makeIssuer } from './support/issuer.ts'
import { startReceiver } from './support/receiver.ts'
import { AUDIENCE, caller, EDGE_SECRET, ISSUER, type Node, startWorld, type World } from './support/world.ts'

// Nodes over one database whose own clocks are an hour wrong, each in a process of its own. What is due, over or taken
// is decided by the database's clock, so that all of them behave as one whose clock is right.

const SERVER = 'apps/api/src/server'
const SHIFT_DATE = new URL('../../../e2e/support/shift-date.mjs', import.meta.url).href
const APART_SECONDS = 3_600

const folder = mkdtempSync(join(tmpdir(), 'vertexsms-api-clocks-'))
const children: ChildProcess[] = []
let world: World
let issuer: Awaited<ReturnType<typeof makeIssuer>>
const nodes: Record<string, Node['call']> = {}

beforeAll(async () => {
  await bundleForTests([`${SERVER}.ts`], folder, process.env.TEST_PROGRAMS_DIR)
  world = await startWorld()
  // Every step below is the wrong clocks' own.
  await world.node.close()
  issuer = await makeIssuer(world.db, 'key-1')
  await Promise.all(
    Object.entries({ ahead: APART_SECONDS, behind: -APART_SECONDS }).map(async ([name, seconds]) => {
      nodes[name] = await startNode(name, seconds)
    }),
  )
}, 120_000)
afterAll(async () => {
  for (const child of children) {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  await world?.close()
  rmSync(folder, { recursive: true })
})

/** Each look at the clock of this node is so far off from now on. */
const setClock = (name: string, offSeconds: number) => writeFileSync(join(folder, name), String(offSeconds * 1000))

async function startNode(name: string, offSeconds: number): Promise<Node['call']> {
  setClock(name, offSeconds)
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  const env = {
    ...process.env,
    DATABASE_URL: world.databaseUrl,
    EDGE_SECRET,
    API_KEYS: deriveApiKeys(Buffer.alloc(32, 7)),
    ISSUER_URL: ISSUER,
    API_RESOURCE_URL: AUDIENCE,
    OUTBOUND_ALLOW_LOCALHOST: 'on',
    RATE_LIMITS: 'off',
    API_PORT: String(port),
    SANDBOX_DELIVERY_MS: '20',
    SANDBOX_POLL_MS: '200',
    DATE_SHIFT_FILE: join(folder, name),
    NODE_OPTIONS: `--import ${SHIFT_DATE}`,
  }
  const child = spawn(process.execPath, [...SHORT_LIVED_FLAGS, join(folder, `${SERVER}.js`)], { env, stdio: 'ignore' })
  children.push(child)
  const call = caller(`http://127.0.0.1:${port}`)
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`the node ended with ${child.exitCode}`)
    return (await call('GET /readyz').catch(() => null))?.status === 200
  }, 60_000)
  return call
}

const each = () => Object.entries(nodes)
const sms = { to: '37060000001', from: 'Tests', message: 'Hello' }

describe('nodes whose clocks are wrong', () => {
  let receiver: Awaited<ReturnType<typeof startReceiver>> | undefined
  afterEach(() => receiver?.close())

  test('post a callback that is due now once, and one of them waits while the other posts', async () => {
    const { passed: until, open: release } = makeGate()
    receiver = await startReceiver(async () => {
      await until
      return { status: 200, body: 'OK' }
    })
    const { accountId } = await world.makeAccount()
    const now = new Date()
    const owed = { accountId, url: receiver.url, body: { id: '1' }, createdAt: now }
    const due = await world.db.callback.create({ data: { ...owed, nextAt: now } })
    const later = await world.db.callback.create({ data: { ...owed, nextAt: new Date(now.getTime() + 600_000) } })
    await eventually(async () => receiver?.posts.length === 1)
    // Turns of both nodes go by while the post is under way.
    const turns = { accountId, url: receiver.url.replace(/\/$/, '/turn'), body: {}, createdAt: now }
    for (let turn = 0; turn < 3; turn++) {
      const other = await world.db.callback.create({ data: { ...turns, nextAt: new Date() } })
      await eventually(
        async () => (await world.db.callback.findUniqueOrThrow({ where: { id: other.id } })).attempts === 1,
      )
    }
    expect(receiver.posts.filter(({ body }) => body.id === '1')).toHaveLength(1)
    release()
    const ended = await eventually(async () => {
      const row = await world.db.callback.findUniqueOrThrow({ where: { id: due.id } })
      return row.deliveredAt !== null && row
    })
    expect(ended.attempts).toBe(1)
    expect(Math.abs((ended.deliveredAt?.getTime() ?? 0) - Date.now())).toBeLessThan(APART_SECONDS * 500)
    // Its twin is due in ten minutes, whatever the clock says that is an hour ahead.
    expect(await world.db.callback.findUniqueOrThrow({ where: { id: later.id } })).toMatchObject({ attempts: 0 })
  })

  test('release a scheduled message at its time, and refuse one whose time is past', async () => {
    for (const [name, call] of each()) {
      const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()
      const waiting = await call('POST /sms', { token: world.token, body: { ...sms, scheduled: at(1_800) } })
      expect(waiting.status, name).toBe(200)
      const past = await call('POST /sms', { token: world.token, body: { ...sms, scheduled: at(-1_800) } })
      expect([past.status, past.body.details?.reason], name).toEqual([400, 'scheduled_in_the_past'])
      const sent = await call('POST /sms', { token: world.token, body: sms })
      const read = (answer: { body: string[] }) =>
        world.db.message.findFirstOrThrow({ where: { orderId: BigInt(answer.body[0] ?? '') } })
      await eventually(async () => (await read(sent)).status === 'delivered')
      const kept = await world.db.sendMessage.findUniqueOrThrow({ where: { id: BigInt(waiting.body[0]) } })
      expect(kept.state, name).toBe('scheduled')
    }
  })

  test('take a token until it is over, and not longer', async () => {
    const seconds = Math.floor(Date.now() / 1000)
    for (const [name, call] of each()) {
      for (const [ends, status] of [
        [1_800, 200],
        [-1_800, 401],
      ] as const) {
        const { token } = await world.makeToken({ expiresAt: new Date((seconds + ends) * 1000) })
        expect((await call('GET /token', { token })).status, `${name} ${ends}`).toBe(status)
      }
    }
  })

  test('give a code its ten minutes', async () => {
    for (const [name, call] of each()) {
      const { accountId, token } = await world.makeAccount()
      const name_ = { type: 'MSISDN', name: `3706${String(Math.floor(Math.random() * 1e7)).padStart(7, '0')}` }
      const { status } = await call('POST /senderId', { token, body: name_ })
      expect(status, name).toBe(200)
      const row = await world.db.senderId.findFirstOrThrow({ where: { accountId } })
      const left = (row.pinExpiresAt?.getTime() ?? 0) - Date.now()
      expect(left, name).toBeGreaterThan(500_000)
      expect(left, name).toBeLessThan(700_000)
    }
  })
})

describe('a JWT at a node whose clock is a minute and a half wrong', () => {
  test.each([
    ['ahead', 90],
    ['behind', -90],
  ])(
    'is judged by the database (%s)',
    async (name, off) => {
      const call = nodes[name] as Node['call']
      setClock(name, off)
      const seconds = Math.floor(Date.now() / 1000)
      const withExp = async (exp: number) => {
        const claims = { ...accessClaims(world.accountId), jti: randomUUID(), exp }
        await makeConnection(world.db, world.accountId, claims.jti)
        return issuer.sign(claims)
      }
      expect((await call('GET /token', { token: await withExp(seconds + 45) })).status).toBe(200)
      expect((await call('GET /token', { token: await withExp(seconds - 5) })).status).toBe(401)
    },
    60_000,
  )
})

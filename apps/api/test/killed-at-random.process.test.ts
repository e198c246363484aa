// The API in front of the stand-in of the real operator is killed again and again while messages go out, each repeated until
// it is answered: nobody is sent the same message twice, and what was answered was sent.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deriveApiKeys } from '@vertexsms/secrets/derived-keys'
import { bundleForTests } from '@vertexsms/service/bundle'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SHORT_LIVED_FLAGS } from '../../../scripts/short-lived.ts'
import { startVertexWorld, type VertexWorld } from './support/vertex.ts'
import { AUDIENCE, caller, EDGE_SECRET, ISSUER } from './support/world.ts'

const SERVER = 'apps/api/test/support/dying-server'
/** A sample; `test:money` takes five hundred. */
const SENDS = Number(process.env.KILLED_SENDS ?? 10)
const SENDERS = 6
/** Answers from one death to the next. */
const LIVES = { min: 2, more: Math.max(4, SENDS / 20) }

const programs = mkdtempSync(join(tmpdir(), 'vertexsms-killed-at-random-'))
let vertex: VertexWorld
let child: ChildProcess | undefined
let url = ''
beforeAll(async () => {
  vertex = await startVertexWorld({ reportAfterMs: null }, { SANDBOX_POLL_MS: '3600000' })
  await bundleForTests([`${SERVER}.ts`], programs)
  await startServer()
}, 120_000)
afterAll(async () => {
  child?.kill('SIGKILL')
  await vertex?.close()
  rmSync(programs, { recursive: true })
})

async function startServer(): Promise<void> {
  child = spawn(process.execPath, [...SHORT_LIVED_FLAGS, join(programs, `${SERVER}.js`)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: vertex.world.databaseUrl,
      EDGE_SECRET,
      API_KEYS: deriveApiKeys(Buffer.alloc(32, 7)),
      ISSUER_URL: ISSUER,
      API_RESOURCE_URL: AUDIENCE,
      RATE_LIMITS: 'off',
      UPSTREAM: 'vertexsms',
      VERTEXSMS_API_URL: vertex.standIn.url,
      SHORT_LEASES: 'on',
    },
  })
  const [port] = (await once(child, 'message')) as [number]
  url = `http://127.0.0.1:${port}`
}

test(`${SENDS} sends under an API that is killed at random are ${SENDS} hand-overs at most, and each one that was answered is one`, async () => {
  const { token, accountId } = await vertex.makeAccount()
  const outcomes = new Map<string, number>()
  let kills = 0
  let untilDeath = LIVES.min
  /** From the moment when a death is decided on. */
  let dying: Promise<void> | undefined
  /** From the death itself. */
  let reviving: Promise<void> | undefined

  /** In the middle of what the others do. */
  async function kill(): Promise<void> {
    kills++
    const died = child && once(child, 'exit')
    child?.kill('SIGKILL')
    await died
    await startServer()
  }

  async function dieSoon(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30))
    reviving = kill()
    await reviving
    reviving = undefined
    dying = undefined
  }

  async function send(key: string): Promise<number> {
    for (;;) {
      await reviving
      const answer = await caller(url)('POST /sms', {
        token,
        body: { to: '37060000001', from: 'Tests', message: key },
        headers: { 'idempotency-key': key },
      }).catch(() => null)
      if (answer?.status === 200 || answer?.body?.code === 'SEND_OUTCOME_UNKNOWN') return answer.status
      if (answer !== null && ![409, 429, 503].includes(answer.status)) throw new Error(JSON.stringify(answer.body))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  const keys = Array.from({ length: SENDS }, () => randomUUID())
  const waiting = [...keys]
  await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
        if (--untilDeath <= 0 && dying === undefined) {
          untilDeath = LIVES.min + Math.floor(Math.random() * LIVES.more)
          dying = dieSoon()
        }
        outcomes.set(key, await send(key))
      }
    }),
  )
  // One that comes last would leave a server behind that nobody ends.
  await dying

  expect(kills).toBeGreaterThan(0)
  const accepted = (key: string) => vertex.standIn.accepted.filter(({ body }) => body.message === key).length
  for (const key of keys) {
    expect(accepted(key)).toBeLessThanOrEqual(1)
    if (outcomes.get(key) === 200) expect(accepted(key)).toBe(1)
  }
  // What may be out is held or charged, and nothing else is.
  const rows = await vertex.world.db.sendMessage.findMany({ where: { accountId, state: { not: 'released' } } })
  expect(rows.length).toBe(SENDS)
  expect(rows.every(({ holdMicros, chargedMicros }) => holdMicros + chargedMicros > 0n)).toBe(true)
}, 900_000)

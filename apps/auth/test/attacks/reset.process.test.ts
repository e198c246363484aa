// A reset that is cut off in the middle, by the loss of the database or the death of its process, is done or not begun.
import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createDatabase } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { bundleForTests } from '@vertexsms/service/bundle'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SHORT_LIVED_FLAGS } from '../../../../scripts/short-lived.ts'
import { usePasswordLink } from '../../src/accounts/password-link.ts'
import { connect, register, type TestClient, type Tokens } from '../support/client.ts'
import { type DatabaseWire, databaseWire } from '../support/database-wire.ts'
import { makeAccount } from '../support/people.ts'
import type { Person } from '../support/person.ts'
import { linkOf, NO_WAYS_IN, operatorEnv, runOperator, secretOf, waysIn } from '../support/resets.ts'
import { type Stack, startStack } from '../support/stack.ts'

const MAIN = 'apps/auth/src/cli/main'
const NEW_PASSWORD = 'an entirely new password'
/** What a new connection says before its first statement: start-up and password. */
const START_MESSAGES = 2

const programs = mkdtempSync(join(tmpdir(), 'vertexsms-reset-'))
let test: TestDatabase
let stack: Stack
let client: TestClient
beforeAll(async () => {
  await bundleForTests([`${MAIN}.ts`], programs, process.env.TEST_PROGRAMS_DIR)
  test = await testDatabase()
  stack = await startStack({ test })
  client = await register(stack)
})
afterAll(async () => {
  await stack?.close()
  await test?.close()
  rmSync(programs, { recursive: true })
})

type Account = { readonly id: string; readonly email: string }

describe('a reset that is cut off', () => {
  let wire: DatabaseWire
  beforeAll(async () => {
    wire = await databaseWire(stack.env.DATABASE_URL)
  })
  afterAll(() => wire?.close())

  interface Before {
    readonly account: Account
    readonly person: Person
    readonly tokens: Tokens
    readonly state: Record<string, number>
    readonly passwordHash: string
  }

  async function before(): Promise<Before> {
    const account = await makeAccount(stack)
    const person = await stack.person(account.id)
    const passkey = { id: account.id, accountId: account.id, publicKey: new Uint8Array(1), counter: 0n }
    await stack.db.passkey.create({ data: { ...passkey, name: 'Key', createdAt: new Date() } })
    const tokens = await connect(client, person)
    const { passwordHash } = await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })
    return { account, person, tokens, state: await waysIn(stack.db, account.id), passwordHash }
  }

  async function isUntouched({ account, state, passwordHash }: Before): Promise<boolean> {
    const now = await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })
    const left = await waysIn(stack.db, account.id)
    if (now.passwordHash === passwordHash) {
      expect(left).toEqual(state)
      return true
    }
    expect(left).toEqual(NO_WAYS_IN)
    return false
  }

  it('by the loss of the database leaves all as it was and the link good, or is through', async () => {
    let untouched = 0
    for (let messages = 1; ; messages += 1) {
      const was = await before()
      const link = await linkOf(stack, was.account)
      const db = createDatabase({ url: wire.url, poolSize: 1 })
      await db.$queryRaw`SELECT 1`
      let through = false
      const broken = wire.breakAfter(messages).then(() => {
        wire.mend()
      })
      const use = usePasswordLink(db, { secret: secretOf(link), password: NEW_PASSWORD })
      through = await use.then(
        (used) => used !== null,
        () => false,
      )
      if (through) wire.mend()
      else await broken
      await db.$disconnect()
      if (through) {
        expect(await isUntouched(was)).toBe(false)
        break
      }
      if (await isUntouched(was)) {
        untouched += 1
        expect(await usePasswordLink(stack.db, { secret: secretOf(link), password: NEW_PASSWORD })).not.toBeNull()
        expect(await isUntouched(was)).toBe(false)
      }
    }
    // Begin, lock, clock, link, password, sessions, passkeys, connections, artifacts: it was cut in all of them.
    expect(untouched).toBeGreaterThanOrEqual(8)
  }, 120_000)

  it.each([4, 7, 10])('by the death of its process after %i messages leaves all as it was', async (messages) => {
    const was = await before()
    const args = [...SHORT_LIVED_FLAGS, join(programs, `${MAIN}.js`), 'reset', was.account.email]
    const broken = wire.breakAfter(START_MESSAGES + messages)
    const env = { ...process.env, ...operatorEnv(stack, wire.url) }
    const child = spawn(process.execPath, args, { env, stdio: 'ignore' })
    const ended = once(child, 'exit')
    await Promise.race([broken, ended])
    child.kill('SIGKILL')
    await ended
    wire.mend()
    expect(await isUntouched(was)).toBe(true)
    expect((await was.person.get('/settings/api')).status).toBe(200)
    await runOperator(stack, 'reset', was.account.email)
    expect(await isUntouched(was)).toBe(false)
  })
})

it('the commands of the operator run in a process of their own as well', async () => {
  const args = [...SHORT_LIVED_FLAGS, join(programs, `${MAIN}.js`), 'invite', `${randomUUID()}@example.com`]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { PATH: process.env.PATH, ...operatorEnv(stack) },
  })
  expect(stdout).toMatch(/^http:\S+\/set-password\?link=[\w-]{43}\n$/)
})

// What the process says that cannot start, to whoever has to put it right.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { on, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { MIGRATIONS_FOLDER, readMigrations } from '@vertexsms/db/migrate'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { doorTo } from '@vertexsms/db/testing/door'
import { deriveApiKeys } from '@vertexsms/secrets/derived-keys'
import { keyIdOf } from '@vertexsms/secrets/seal'
import { bundleForTests } from '@vertexsms/service/bundle'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadSigningKeys } from '../src/authorization/keys.ts'

const [SERVER, API, COMMANDS] = ['apps/auth/src/server', 'apps/api/src/server', 'apps/auth/src/cli/main']
const programs = mkdtempSync(join(tmpdir(), 'vertexsms-start-'))
const given = randomBytes(32)
const OPERATOR_KEY = given.toString('base64url')
let test: TestDatabase
beforeAll(async () => {
  await bundleForTests(
    [SERVER, API, COMMANDS].map((program) => `${program}.ts`),
    programs,
    process.env.TEST_PROGRAMS_DIR,
  )
  test = await testDatabase()
}, 120_000)
afterAll(async () => {
  await test?.close()
  rmSync(programs, { recursive: true })
})

function run([program, ...args]: readonly string[], settings: Record<string, string>) {
  const env = { ...process.env, AUTH_PORT: '0', API_PORT: '0', ...settings }
  const script = join(programs, `${program}.js`)
  return spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** What a program says, and how it ends. */
async function start(commandLine: readonly string[], settings: Record<string, string>) {
  const child = run(commandLine, settings)
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  return { said, code }
}

it('over a database whose keys are sealed under another operator key names the setting and both keys, and no value', async () => {
  const sealedUnder = randomBytes(32)
  await loadSigningKeys({ db: test.db, operatorKey: sealedUnder }, new Date())
  const { said, code } = await start([SERVER], { DATABASE_URL: test.url, OPERATOR_KEY })
  expect(code).toBe(1)
  const why = `it is sealed under key ${keyIdOf(sealedUnder)}, and this is key ${keyIdOf(given)}`
  expect(said.split('\n')).toContain(`  OPERATOR_KEY: cannot open sealed value: ${why}`)
  expect(said).not.toContain(OPERATOR_KEY)
})

const API_KEYS = deriveApiKeys(Buffer.from(OPERATOR_KEY, 'base64url'))
const PROGRAMS: readonly [string, readonly string[], Record<string, string>][] = [
  ['auth', [SERVER], { OPERATOR_KEY }],
  ['api', [API], { API_KEYS, EDGE_SECRET: `${OPERATOR_KEY}-edge` }],
  ['a command', [COMMANDS, 'accounts'], {}],
]

it.each(PROGRAMS)('over a database that was never migrated, %s says so', async (_who, program, settings) => {
  const empty = await testDatabase()
  await empty.db.$executeRawUnsafe('DROP SCHEMA public CASCADE')
  await empty.db.$executeRawUnsafe('CREATE SCHEMA public')
  const { said, code } = await start(program, { DATABASE_URL: empty.url, ...settings })
  await empty.close()
  expect(code).toBe(1)
  expect(said.split('\n')).toContain('  DATABASE_URL: this database has no tables yet; run `migrate` first')
  expect(said).not.toMatch(/Prisma| {4}at |Usage:/)
})

it.each(PROGRAMS)('over a database that an older version migrated, %s says so', async (_who, program, settings) => {
  const older = await testDatabase()
  const newest = readMigrations(MIGRATIONS_FOLDER).at(-1)?.name
  await older.db.$executeRaw`DELETE FROM "_prisma_migrations" WHERE migration_name = ${newest}`
  const { said, code } = await start(program, { DATABASE_URL: older.url, ...settings })
  await older.close()
  expect(code).toBe(1)
  const why = 'this database was migrated by an older version; run `migrate` first'
  expect(said.split('\n')).toContain(`  DATABASE_URL: ${why}`)
})

it.each([
  ['ends and says so where an older version migrated it', true],
  ['goes on where it is up to date', false],
])('started while its database is away, the API looks at it when it is back, and %s', async (_what, isOlder) => {
  const late = await testDatabase()
  const newest = isOlder ? readMigrations(MIGRATIONS_FOLDER).at(-1)?.name : ''
  await late.db.$executeRaw`DELETE FROM "_prisma_migrations" WHERE migration_name = ${newest}`
  const door = await doorTo(late.url)
  await door.shut()
  const child = run([API], { DATABASE_URL: door.url, API_KEYS, EDGE_SECRET: `${OPERATOR_KEY}-edge` })
  const said = text(child.stderr)
  const ended = once(child, 'exit')
  const address = await firstMatch(child.stdout, /Server listening at (http:[^"]+)/)
  expect((await fetch(`${address}/readyz`)).status).toBe(503)
  await door.open()
  if (!isOlder) {
    await expect.poll(() => fetch(`${address}/readyz`).then(({ status }) => status), { timeout: 20_000 }).toBe(200)
    child.kill('SIGTERM')
  }
  const [code] = await ended
  await door.close()
  await late.close()
  const why =
    'wrong configuration:\n  DATABASE_URL: this database was migrated by an older version; run `migrate` first'
  expect(await said).toEqual(isOlder ? expect.stringContaining(why) : '')
  expect(code).toBe(isOlder ? 1 : 0)
})

async function firstMatch(stream: Readable, pattern: RegExp): Promise<string> {
  let told = ''
  for await (const [chunk] of on(stream, 'data')) {
    told += String(chunk)
    const found = pattern.exec(told)?.[1]
    if (found !== undefined) return found
  }
  throw new Error('the output ended')
}

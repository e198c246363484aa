// What the process says that cannot start, to whoever has to put it right.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { keyIdOf } from '@vertexsms/secrets/seal'
import { bundleForTests } from '@vertexsms/service/bundle'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadSigningKeys } from '../src/authorization/keys.ts'

const SERVER = 'apps/auth/src/server'
const programs = mkdtempSync(join(tmpdir(), 'vertexsms-start-'))
let test: TestDatabase
beforeAll(async () => {
  await bundleForTests([`${SERVER}.ts`], programs, process.env.TEST_PROGRAMS_DIR)
  test = await testDatabase()
}, 120_000)
afterAll(async () => {
  await test?.close()
  rmSync(programs, { recursive: true })
})

it('over a database whose keys are sealed under another operator key names the setting and both keys, and no value', async () => {
  const sealedUnder = randomBytes(32)
  const given = randomBytes(32)
  await loadSigningKeys({ db: test.db, operatorKey: sealedUnder }, new Date())
  const OPERATOR_KEY = given.toString('base64url')
  const env = { ...process.env, DATABASE_URL: test.url, OPERATOR_KEY, AUTH_PORT: '0' }
  const child = spawn(process.execPath, [join(programs, `${SERVER}.js`)], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  expect(code).toBe(1)
  const why = `it is sealed under key ${keyIdOf(sealedUnder)}, and this is key ${keyIdOf(given)}`
  expect(said.split('\n')).toContain(`  OPERATOR_KEY: cannot open sealed value: ${why}`)
  expect(said).not.toContain(OPERATOR_KEY)
})

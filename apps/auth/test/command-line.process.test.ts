// The operator's commands as a process, whose readers may go before it has said all.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { bundleForTests } from '@vertexsms/service/bundle'
import { afterAll, beforeAll, expect, it } from 'vitest'

const MAIN = 'apps/auth/src/cli/main'
const programs = mkdtempSync(join(tmpdir(), 'vertexsms-command-line-'))
beforeAll(() => bundleForTests([`${MAIN}.ts`], programs, process.env.TEST_PROGRAMS_DIR))
afterAll(() => rmSync(programs, { recursive: true }))

const start = () =>
  spawn(process.execPath, [join(programs, `${MAIN}.js`), '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })

it('a command whose reader has left ends with status 1, and without a word', async () => {
  const child = start()
  child.stdout.destroy()
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  expect([code, said]).toEqual([1, ''])
})

it('one that is read to its end says all and ends with status 0', async () => {
  const child = start()
  const [out, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  expect([code, said, out]).toEqual([0, '', expect.stringContaining('Exit status:')])
})

// Connects real programs as a new user does, by the blocks of `/connect` and each with a home of its own, lets each send one
// message, and judges on our side what arrived: `npx -y pnpm clients [NAME...]`. It starts a demo of its own. The programs
// come from npm (about 1.5 GB, kept in node_modules/.cache), so this is no part of the tests.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDatabase } from '@vertexsms/db/client'
import { readOperatorEnvironment } from '../../scripts/demo/settings.ts'
import { findChromium } from '../support/chromium.ts'
import { fetchProgram, type NpxProgram } from '../support/npx-program.ts'
import { openBrowser } from '../support/pages/browser.ts'
import { startStack } from '../support/stack.ts'
import { newHome } from './home.ts'
import { type ClientProgram, PROGRAMS } from './programs.ts'
import { judge, newTrial, type Way } from './trial.ts'
import { VERSIONS } from './versions.ts'

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/clients', import.meta.url))
/** Some are hundreds of megabytes. */
const FETCH_MS = 900_000
const PREPARE_MS = 120_000
const TRIAL_MS = 360_000
const FIRST_RECIPIENT = 37_060_100_101

const wanted = process.argv.slice(2)
const chosen = wanted.length === 0 ? PROGRAMS : wanted.flatMap((name) => PROGRAMS.filter((one) => one.name === name))
if (chosen.length < wanted.length) {
  console.error(`clients: there are ${PROGRAMS.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const sum = { passed: 0, failed: 0, skipped: 0 }

/** One line for each way of each program, whatever it came to. */
function tell(verdict: keyof typeof sum, what: string, seconds: number, reason = ''): void {
  sum[verdict]++
  const mark = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' }[verdict]
  console.log(`${mark} ${what.padEnd(24)} ${String(seconds).padStart(4)} s${reason === '' ? '' : `  ${reason}`}`)
}

async function fetched({ packages, command, prepare }: ClientProgram): Promise<NpxProgram | null> {
  const program = await fetchProgram(
    packages.map((name) => `${name}@${VERSIONS[name]}`),
    command,
    { cache: CACHE, timeoutMs: FETCH_MS },
  )
  const installer = program && prepare && join(dirname(program.script), '..', prepare)
  if (installer && existsSync(installer)) spawnSync(program.node, [installer], { timeout: PREPARE_MS })
  return program
}

const since = (begun: number) => Math.round((performance.now() - begun) / 1000)

// Claude Code and Codex are known by documents that only the internet has: here they register.
const stack = await startStack({ env: { CLIENT_DOCUMENTS: 'off' } })
const operator = readOperatorEnvironment(stack.dataDir)
if (operator === undefined) throw new Error('the demo keeps no address of its database')
const db = createDatabase({ url: operator.DATABASE_URL, poolSize: 2 })
const browser = findChromium() === null ? undefined : await openBrowser()
let recipient = FIRST_RECIPIENT

async function tryProgram(program: ClientProgram, found: NpxProgram, way: Way): Promise<void> {
  const begunAt = new Date()
  const number = String(recipient++)
  const home = newHome(found)
  const call = {
    tool: 'send_sms',
    args: { to: `+${number}`, from: 'VertexDemo', message: `Hello from ${program.name}` },
  }
  const person = () => {
    if (browser === undefined) throw new Error('there is no Chromium')
    return browser.newVisitor()
  }
  let late: NodeJS.Timeout | undefined
  try {
    const tooLong = new Promise<never>((_resolve, reject) => {
      late = setTimeout(() => reject(new Error(`it took more than ${TRIAL_MS / 1000} s`)), TRIAL_MS)
    })
    const shown = await Promise.race([program.connect(newTrial({ home, stack, way, call, person })), tooLong])
    await judge(db, { way, recipient: number, since: begunAt, shown })
  } finally {
    clearTimeout(late)
    home.remove()
  }
}

try {
  for (const program of chosen) {
    const { name, packages, noSignIn, needsBrowser = false } = program
    const fetching = performance.now()
    const found = await fetched(program)
    const fetchedIn = since(fetching)
    for (const way of ['token', 'sign-in'] as const) {
      const what = `${name} by ${way}`
      const begun = performance.now()
      if (found === null) tell('failed', what, fetchedIn, `${packages.join(', ')} could not be fetched from npm`)
      else if (way === 'sign-in' && noSignIn !== undefined) tell('skipped', what, 0, noSignIn)
      else if (browser === undefined && (way === 'sign-in' || needsBrowser)) tell('skipped', what, 0, 'no Chromium')
      else {
        const problem = await tryProgram(program, found, way).then(
          () => undefined,
          (error: Error) => error.message,
        )
        tell(problem === undefined ? 'passed' : 'failed', what, since(begun), problem)
      }
    }
  }
} finally {
  await browser?.close()
  await db.$disconnect()
  await stack.stop()
  await stack.clean()
}
console.log(`clients: ${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
process.exit(sum.failed === 0 && sum.passed > 0 ? 0 : 1)

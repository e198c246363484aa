import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
// biome-ignore lint/style/noRestrictedImports: a program of its own under the tests, and no part of the app.
import { type StandIn, startStandIn } from '../../apps/api/test/stand-in/stand-in.ts'
import { descendantsOf, runningProcesses } from '../support/processes.ts'
import { rememberSecret } from '../support/secrets.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { waitUntil } from '../support/wait-until.ts'

// The demo on a real account, whose operator is the stand-in. The canary test reads the logs of this one, too.
const TOKEN = 'upstream-canary-Zk81-Qw93-Lr27'
const PHONE = '37061234567'
const TEXT = 'Your parcel waits at the canary'

let operator: StandIn
let stack: Stack
const answers: string[] = []

beforeAll(async () => {
  rememberSecret('upstream token', TOKEN)
  rememberSecret('phone number', PHONE)
  rememberSecret('message text', TEXT)
  operator = await startStandIn({ tokens: [TOKEN] })
  stack = await startStack({
    env: { VERTEXSMS_TOKEN: TOKEN, VERTEXSMS_API_URL: operator.url, VERTEXSMS_HLR_PRICE_EUR: '0.0035' },
  })
})
afterAll(async () => {
  await stack?.stop()
  await stack?.clean()
  await operator?.close()
})

async function call(path: string, body?: unknown): Promise<{ status: number; body: string }> {
  const response = await fetch(stack.apiUrl + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'x-vertexsms-token': stack.token, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  answers.push(text)
  return { status: response.status, body: text }
}

/** Every byte below a folder, a file at a time. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
}

const send = () => call('/sms', { to: `+${PHONE}`, from: 'VertexDemo', message: TEXT })

describe('The token of a real account', () => {
  test('is told to its owner as what it is before anything starts, and real SMS go out with it, within 1.00 EUR a day', async () => {
    const said = readFileSync(stack.logFile, 'utf8')
    expect(said.indexOf('REAL SMS WILL BE SENT')).toBeGreaterThanOrEqual(0)
    expect(said.indexOf('REAL SMS WILL BE SENT')).toBeLessThan(said.indexOf('starting the database'))
    expect((await send()).status).toBe(200)
    expect(operator.accepted).toMatchObject([{ to: PHONE, token: TOKEN }])
    const { left } = JSON.parse((await call('/token')).body) as { left: { day: string } }
    expect(Number(left.day)).toBeGreaterThan(0)
    expect(Number(left.day)).toBeLessThan(1)
    const lookup = await call('/hlr', { msisdn: `+${PHONE}` })
    expect([lookup.status, lookup.body.includes('CALLBACK_ADDRESS_MISSING')]).toEqual([501, true])
  })

  test('stands in no answer, whatever the operator does with it', async () => {
    for (const status of [401, 403, 404, 500]) {
      operator.fault({ route: 'POST /sms', kind: 'body', status, body: { message: `Token ${TOKEN} is wrong` } })
      expect((await send()).status).toBeGreaterThanOrEqual(400)
    }
    expect(answers.filter((answer) => answer.includes(TOKEN))).toEqual([])
  })

  test('stands in no argument of a process, and in the environment of none but the launcher', () => {
    const below = descendantsOf(stack.pid)
    expect(below.length).toBeGreaterThanOrEqual(3)
    expect(runningProcesses().filter(({ command }) => command.includes(TOKEN))).toEqual([])
    for (const { pid } of below) {
      const environment = `/proc/${pid}/environ`
      if (existsSync(environment)) expect(readFileSync(environment, 'latin1')).not.toContain(TOKEN)
    }
  })

  test('stands in no file of the data folder once the product has stopped', async () => {
    expect(await stack.stop()).toBe(0)
    await waitUntil('the database to be closed', 10_000, () => descendantsOf(stack.pid).length === 0 || undefined)
    const files = filesBelow(stack.dataDir)
    expect(files.length).toBeGreaterThan(100)
    expect(files.filter((file) => readFileSync(file, 'latin1').includes(TOKEN))).toEqual([])
    // What is sealed is there: its last four characters stand beside it.
    expect(files.some((file) => readFileSync(file, 'latin1').includes(TOKEN.slice(-4)))).toBe(true)
  })
})

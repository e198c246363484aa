// How long a token lives after its owner deletes it: makes a token on the dashboard, calls the MCP server with it without
// pause, deletes it on the dashboard, and looks at every answer. No call that was sent after the dashboard had answered may
// succeed. Runs the whole product by its one command, on a database of its own.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort, ROOT } from '../harness/process.ts'
import { median } from '../mcp/report.ts'
import { Browser } from './browser.ts'

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '200' } } })
const CALLERS = 2
const START_MS = 300_000

interface Answer {
  readonly status: number
  readonly sentAt: number
  readonly answeredAt: number
}

const [auth, mcp, api] = [await freePort(), await freePort(), await freePort()]
const folder = mkdtempSync(join(tmpdir(), 'vertexsms-revoke-'))
const demo = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts'], {
  cwd: ROOT,
  env: {
    ...process.env,
    AUTH_PORT: String(auth),
    MCP_PORT: String(mcp),
    API_PORT: String(api),
    DATA_DIR: folder,
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'warn',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
})
let output = ''
demo.stdout.on('data', (chunk) => {
  output += chunk
})

async function ready(): Promise<void> {
  const until = Date.now() + START_MS
  const urls = [auth, mcp, api].map((port) => `http://localhost:${port}/readyz`)
  for (;;) {
    const answers = await Promise.all(urls.map((url) => fetch(url).catch(() => undefined)))
    if (answers.every((answer) => answer?.ok) && /^\s*token:\s*\S+/m.test(output)) return
    if (demo.exitCode !== null || Date.now() > until) throw new Error(`the product did not start:\n${output}`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

async function call(token: string): Promise<Answer> {
  const sentAt = performance.now()
  const params = { name: 'get_operator', arguments: { operatorId: 1 } }
  const response = await fetch(`http://localhost:${mcp}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
  })
  await response.arrayBuffer()
  return { status: response.status, sentAt, answeredAt: performance.now() }
}

async function round(browser: Browser, n: number): Promise<{ deleteMs: number; refusedMs: number; lateMs: number }> {
  const form = await browser.get('/settings/api/new')
  const created = await browser.post('/settings/api/new', form, [
    ['name', `Round ${n}`],
    ['permissions', 'GET /operators'],
    ['expires_in', /<option value="([^"]*)"/.exec(form)?.[1] ?? ''],
  ])
  const token = /vsms_[\w-]{49}/.exec(created)?.[0]
  const row = (await browser.get('/settings/api')).split(`>Round ${n}<`)[1] ?? ''
  const path = /action="(\/settings\/api\/tokens\/[^"]+\/delete)"/.exec(row)?.[1]
  if (!token || !path) throw new Error('the dashboard shows no new token')
  const confirmation = await browser.get(path)
  if ((await call(token)).status !== 200) throw new Error('the new token does not work')

  const answers: Answer[] = []
  let over = false
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!over) answers.push(await call(token))
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  const deletedAt = performance.now()
  await browser.post(path, confirmation, [])
  const confirmedAt = performance.now()
  const next = await call(token)
  over = true
  await Promise.all(callers)
  if (next.status !== 401) throw new Error(`round ${n}: the next call was answered ${next.status}`)
  const late = answers.filter(({ status, sentAt }) => status !== 401 && sentAt > confirmedAt)
  if (late.length > 0) throw new Error(`round ${n}: ${late.length} calls sent after the deletion got through`)
  const refused = [...answers, next].filter(({ status }) => status === 401).map(({ answeredAt }) => answeredAt)
  return {
    deleteMs: confirmedAt - deletedAt,
    refusedMs: Math.min(...refused) - deletedAt,
    lateMs: next.answeredAt - confirmedAt,
  }
}

try {
  await ready()
  const browser = new Browser(`http://localhost:${auth}`)
  const field = (name: string): string => new RegExp(`^\\s*${name}:\\s*(\\S+)`, 'm').exec(output)?.[1] ?? ''
  await browser.post('/sign-in', await browser.get('/sign-in'), [
    ['email', /\S+@vertexsms\.test/.exec(output)?.[0] ?? ''],
    ['password', field('password')],
    ['return_to', '/settings/api'],
  ])
  const results = []
  for (let n = 1; n <= Number(options.rounds); n++) results.push(await round(browser, n))
  const line = (name: string, values: number[]): void => {
    const sorted = values.toSorted((a, b) => a - b)
    const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
    console.log(
      `${name}: median ${median(values).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${Math.max(...values).toFixed(1)} ms`,
    )
  }
  console.log(`revoke: ${results.length} rounds, in each the next call after the deletion was answered 401`)
  line(
    'deletion, from click to page',
    results.map(({ deleteMs }) => deleteMs),
  )
  line(
    'first 401 of callers already at work, from click',
    results.map(({ refusedMs }) => refusedMs),
  )
  line(
    'next call, from the page to its 401',
    results.map(({ lateMs }) => lateMs),
  )
} finally {
  demo.kill('SIGTERM')
  await new Promise((resolve) => demo.once('exit', resolve))
  rmSync(folder, { recursive: true, force: true })
}

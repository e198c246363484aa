// bench:api: what limits, a key and the guard cost the REST API, on PostgreSQL and the Node that is shipped, in interleaved
// rounds. docs/performance.md says how to read what it prints. Linux, with PostgreSQL or TEST_DATABASE_URL.
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { LoadProcess } from '../harness/apply-load.ts'
import { bundleOf } from '../harness/bundle.ts'
import { type BenchDatabase, benchDatabase } from '../harness/database.ts'
import { type LoadPlan, type LoadReport, UNIQUE } from '../harness/load.ts'
import { nodeBinary, SHIPPED_NODE } from '../harness/node-binary.ts'
import { imageEnvironment } from '../harness/ours.ts'
import { freePort, type Started, start } from '../harness/process.ts'
import { Installation } from '../harness/services.ts'
import { median } from '../mcp/report.ts'
import { committed, limitTokens, makeTokens, tokenOf } from './rows.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    'warm-up': { type: 'string', default: '3' },
    /** Rows of tokens of the databases that `GET /token` is asked on; the full run has 10000,1000000,5000000. */
    tokens: { type: 'string', default: '10000,100000' },
    /** Parts of the run. */
    only: { type: 'string', default: 'sends,tokens,guard' },
    node: { type: 'string', default: SHIPPED_NODE },
  },
})
const [SERVER_CORE, LOAD_CORE] = [0, 1]
const SPENDERS = 64
/** Messages of one account that may be with the operator at the same time. */
const AT_ONCE = 8
const COUNTED_SENDS = 200
const [SEND_MIN, TOKENS_MAX, GUARD_MIN] = [0.5, 1.2, 0.5]
const CONNECTIONS = 32
const RANDOM_TOKENS = 4_096

interface Side {
  readonly title: string
  readonly target: Started
  readonly plan: Pick<LoadPlan, 'requests' | 'expect' | 'lanes'>
  readonly reports: LoadReport[]
}

const node = nodeBinary(options.node)
const load = new LoadProcess(LOAD_CORE)
const databases: BenchDatabase[] = []
const started: Started[] = []
const seconds = Number(options.seconds)

function request(method: string, path: string, token: string, body?: unknown, headers = ''): string {
  const text = body === undefined ? '' : JSON.stringify(body)
  const entity = body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n`
  const head = `${method} ${path} HTTP/1.1\r\nHost: bench\r\nX-VertexSMS-Token: ${token}\r\n${headers}${entity}\r\n`
  return Buffer.from(head + text).toString('base64')
}

async function api(database: BenchDatabase): Promise<Started> {
  // Nothing is delivered during a run: that is the operator's work, and what comes later than the answers.
  const env = { ...imageEnvironment(), SANDBOX_DELIVERY_MS: '86400000', SANDBOX_POLL_MS: '60000' }
  const target = await new Installation(database).startApi({ core: SERVER_CORE, node, env })
  started.push(target)
  return target
}

const side = (title: string, target: Started, plan: Side['plan']): Side => ({ title, target, plan, reports: [] })

/** Rounds in turn, so that all sides see the same machine. */
async function compare(sides: readonly Side[]): Promise<void> {
  const apply = ({ target, plan }: Side, rampSeconds: number, forSeconds: number) =>
    load.apply({ port: target.port, watch: { server: target.pid }, ...plan, rampSeconds, seconds: forSeconds })
  for (const one of sides) await apply(one, 0, Number(options['warm-up']))
  for (let round = 1; round <= Number(options.rounds); round++) {
    for (const one of sides) {
      const report = await apply(one, 0.5, seconds)
      one.reports.push(report)
      const wrong = report.wrong > 0 ? `, ${report.wrong} WRONG: ${report.wrongSample}` : ''
      process.stderr.write(`${round} ${one.title}: ${report.requestsPerSecond.toFixed(0)}/s${wrong}\n`)
    }
  }
}

const rate = (report: LoadReport) => report.requestsPerSecond
/** The middle of the ratios within each round. */
function ratioOf(one: Side | undefined, of: Side | undefined, figure = rate): number {
  return median((one?.reports ?? []).map((report, at) => figure(report) / figure(of?.reports[at] ?? report)))
}

function rowOf({ title, reports }: Side): string {
  const middle = (figure: (report: LoadReport) => number, digits: number) => median(reports.map(figure)).toFixed(digits)
  const cpuMs = middle((report) => ((report.cpu.server ?? Number.NaN) * 1000) / report.requestsPerSecond, 2)
  const wrong = reports.reduce((sum, report) => sum + report.wrong, 0)
  return `| ${title} | ${middle(rate, 0)} | ${middle((report) => report.p50Ms, 1)} | ${middle((report) => report.p99Ms, 1)} | ${cpuMs} | ${wrong} |`
}

function table(sides: readonly Side[]): string[] {
  return [
    '| | a second | p50 ms | p99 ms | CPU ms | wrong |',
    '|---|---:|---:|---:|---:|---:|',
    ...sides.map(rowOf),
    '',
  ]
}

const verdict = (met: boolean, promise: string, figure: number) =>
  `- ${met ? 'met' : 'MISSED'}: ${promise}: ${figure.toFixed(2)}`

/** Transactions that one send of this side makes in all: the guard's look, sending's own, the operator's. */
async function transactionsOf(database: BenchDatabase, { target, plan }: Side): Promise<number> {
  const before = await committed(database)
  const idle = (await committed(database)) - before
  const from = await committed(database)
  const text = Buffer.from(plan.requests[0] ?? '', 'base64').toString()
  const [head = '', body] = text.split('\r\n\r\n')
  const headers = Object.fromEntries(
    head
      .split('\r\n')
      .slice(2)
      .map((line) => line.split(': ') as [string, string]),
  )
  for (let at = 0; at < COUNTED_SENDS; at++) {
    const key = 'Idempotency-Key' in headers ? { 'Idempotency-Key': `counted-${at}` } : {}
    const { 'Content-Length': _, ...own } = headers
    const answer = await fetch(`http://127.0.0.1:${target.port}/sms`, {
      method: 'POST',
      headers: { ...own, ...key },
      body: body ?? null,
    })
    if (!answer.ok) throw new Error(`a counted send was answered ${answer.status}: ${await answer.text()}`)
  }
  return ((await committed(database)) - from - idle) / COUNTED_SENDS
}

async function sends(): Promise<string[]> {
  const database = await benchDatabase()
  databases.push(database)
  await makeTokens(database, SPENDERS * 2 + 2, SPENDERS * 2 + 2)
  await limitTokens(database, SPENDERS, SPENDERS)
  await limitTokens(database, SPENDERS * 2 + 1, 1)
  const target = await api(database)
  const body = { to: '37060000001', from: 'Bench', message: 'Hello' }
  const plain = (number: number) => request('POST', '/sms', tokenOf(number), body)
  const keyed = (number: number) => request('POST', '/sms', tokenOf(number), body, `Idempotency-Key: ${UNIQUE}\r\n`)
  const of = (first: number, make: (number: number) => string) =>
    Array.from({ length: SPENDERS }, (_, at) => make(first + at))
  const expect = '["'
  const sides = [
    side(`${SPENDERS} spenders of ${SPENDERS} accounts`, target, { expect, requests: of(0, plain) }),
    side('the same with limits and a key', target, { expect, requests: of(SPENDERS, keyed) }),
    side('one spender', target, { expect, requests: Array(AT_ONCE).fill(plain(SPENDERS * 2)) }),
    side('one spender with limits and a key', target, {
      expect,
      requests: Array(AT_ONCE).fill(keyed(SPENDERS * 2 + 1)),
    }),
  ]
  await compare(sides)
  const [many, limited, one, oneLimited] = sides
  const promised = ratioOf(limited, many)
  const counted = many && limited ? [await transactionsOf(database, many), await transactionsOf(database, limited)] : []
  return [
    '## POST /sms',
    '',
    ...table(sides),
    verdict(promised >= SEND_MIN, `with limits and a key at least ${SEND_MIN} of the throughput without`, promised),
    `- for one spender: ${ratioOf(oneLimited, one).toFixed(2)}`,
    `- transactions of one send, the guard's look and the simulated operator's own among them: ${counted.map((n) => n.toFixed(2)).join(' without, ')} with limits and a key`,
    '',
  ]
}

async function tokens(): Promise<string[]> {
  const sides: Side[] = []
  for (const rows of options.tokens.split(',').map(Number)) {
    const database = await benchDatabase()
    databases.push(database)
    process.stderr.write(`writing ${rows} tokens\n`)
    await makeTokens(database, rows, Math.min(rows, 1_000))
    const target = await api(database)
    const requests = Array.from({ length: RANDOM_TOKENS }, () =>
      request('GET', '/token', tokenOf(Math.floor(Math.random() * rows))),
    )
    sides.push(side(`${rows} rows`, target, { expect: '"permissions"', requests, lanes: CONNECTIONS }))
  }
  await compare(sides)
  const [small] = sides
  const worst = Math.max(...sides.slice(1).map((one) => 1 / ratioOf(one, small)))
  return [
    '## GET /token with random tokens',
    '',
    ...table(sides),
    verdict(worst <= TOKENS_MAX, `with the most rows at most ${TOKENS_MAX} times the time with the fewest`, worst),
    '',
  ]
}

async function guard(): Promise<string[]> {
  const database = await benchDatabase()
  databases.push(database)
  await makeTokens(database, CONNECTIONS, CONNECTIONS)
  const guarded = await api(database)
  const headers = { 'x-vertexsms-token': tokenOf(0) }
  const rows = (await (await fetch(`http://127.0.0.1:${guarded.port}/mccmnc/LT`, { headers })).json()) as {
    operatorId: number
  }[]
  const id = rows[0]?.operatorId ?? 0
  const operator = await (await fetch(`http://127.0.0.1:${guarded.port}/operators/${id}`, { headers })).json()
  const port = await freePort()
  const script = await bundleOf('bench/api/contestants/unguarded.ts')
  const env = {
    ...imageEnvironment(),
    PORT: String(port),
    DATABASE_URL: database.serviceUrl('vertexsms_api'),
    ANSWER: JSON.stringify({ id, operator }),
  }
  const bare = await start({ script, plain: true, core: SERVER_CORE, node, port, env })
  started.push(bare)
  const requests = Array.from({ length: CONNECTIONS }, (_, at) => request('GET', `/operators/${id}`, tokenOf(at)))
  const sides = [
    side('without the guard, with a look at the row', bare, { expect: '"mnc"', requests }),
    side('behind the guard', guarded, { expect: '"mnc"', requests }),
  ]
  await compare(sides)
  const promised = ratioOf(sides[1], sides[0])
  return [
    '## GET /operators/{id}',
    '',
    ...table(sides),
    verdict(promised >= GUARD_MIN, `behind the guard at least ${GUARD_MIN} of the throughput without it`, promised),
  ]
}

try {
  const before = loadavg()[0] ?? 0
  const parts = { sends, tokens, guard }
  const report: string[] = []
  for (const [name, part] of Object.entries(parts)) {
    if (options.only.split(',').includes(name)) report.push(...(await part()))
  }
  console.log(
    [
      `${cpus()[0]?.model}, ${cpus().length} cores, Node ${options.node}, load average before ${before.toFixed(2)}; ` +
        `${options.rounds} rounds of ${options.seconds} s, ${new Date().toISOString()}`,
      '',
      ...report,
    ].join('\n'),
  )
} finally {
  load.stop()
  for (const target of started) await target.stop()
  // The first has started the server that the others are on.
  for (const database of databases.toReversed()) await database.close()
}

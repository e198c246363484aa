// bench:mcp: the same authenticated request to every contestant, in interleaved rounds, the server on core 0, load and
// upstream on core 1. docs/performance.md says how to read what it prints. Linux with two cores or more.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { LoadProcess } from '../harness/apply-load.ts'
import { startIssuer } from '../harness/issuer.ts'
import { nodeBinary, OLDEST_NODE, SHIPPED_NODE } from '../harness/node-binary.ts'
import { residentBytes, type Started, start } from '../harness/process.ts'
import { CONTESTANTS, type Contestant } from './contestants.ts'
import { goals, type Memory, memoryGoal, type Round, type Row, table } from './report.ts'
import { requestBytes, SCENARIOS, type Scenario } from './scenarios.ts'

const SERVER_CORE = 0
const LOAD_CORE = 1
/** Those that goals are about; the others with `--all`. */
const MAIN_ROLES: readonly Contestant['role'][] = ['limit', 'plain', 'ours']

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.9' },
    'warm-up': { type: 'string', default: '4' },
    connections: { type: 'string', default: '32' },
    all: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    scenarios: { type: 'string', default: '' },
    node: { type: 'string', default: `${SHIPPED_NODE};${OLDEST_NODE}` },
    'memory-seconds': { type: 'string', default: '60' },
    write: { type: 'boolean', default: false },
  },
})

const listed = (list: string): string[] => list.split(';').filter(Boolean)

function chosen<T extends { readonly id?: string; readonly name?: string }>(all: readonly T[], list: string): T[] {
  const wanted = listed(list)
  return all.filter((one) => wanted.length === 0 || wanted.includes(one.id ?? one.name ?? ''))
}

/** One contestant as it runs on one release of Node. */
interface Running {
  readonly contestant: Contestant
  readonly node: string
  readonly target: Started
}

const issuer = await startIssuer()
const upstream = await start({ script: 'bench/harness/upstream.ts', env: {}, core: LOAD_CORE })
const apiUrl = `http://127.0.0.1:${upstream.port}`
const tokens = await Promise.all(Array.from({ length: Number(options.connections) }, () => issuer.mint(24 * 3600)))
const loads = [new LoadProcess(LOAD_CORE), new LoadProcess(LOAD_CORE)] as const
const running: Running[] = []

async function begin(contestant: Contestant, node: string): Promise<Running> {
  const target = await contestant.start(issuer, apiUrl, { core: SERVER_CORE, node: nodeBinary(node) })
  const one = { contestant, node, target }
  running.push(one)
  return one
}

async function round(
  { contestant, target }: Running,
  scenario: Scenario,
  [rampSeconds, seconds]: readonly [number, number],
  load: LoadProcess = loads[0],
): Promise<Round> {
  const report = await load.apply({
    port: target.port,
    requests: tokens.map((token, i) => requestBytes(scenario, token, i + 1).toString('base64')),
    rampSeconds,
    seconds,
    expect: contestant.role === 'limit' ? scenario.expectOfProxy : scenario.expect,
    watch: { server: target.pid, upstream: upstream.pid },
  })
  if (report.wrong > 0) {
    throw new Error(`${report.wrong} wrong answers, the first:\n${report.wrongSample}\n${target.stderr()}`)
  }
  return { ...report, residentBytes: residentBytes(target.pid) }
}

async function measure(scenario: Scenario, warmUpSeconds: number): Promise<Row[]> {
  const rows = running
    .filter(({ contestant }) => contestant.serves(scenario))
    .map((one) => ({ one, rounds: [] as Round[] }))
  // The compiler shares core 0 with the server, so that a server of much code is slow for many seconds.
  for (const { one } of rows) await round(one, scenario, [warmUpSeconds, 0.1])
  for (let n = 0; n < Number(options.rounds); n++) {
    for (const { one, rounds } of rows) {
      const result = await round(one, scenario, [0.1, Number(options.seconds)])
      rounds.push(result)
      process.stderr.write(
        `${scenario.name} ${n + 1} ${one.contestant.id} on ${one.node}: ${Math.round(result.requestsPerSecond)}/s, core ${result.cpu.server?.toFixed(2)}\n`,
      )
    }
  }
  return rows.map(({ one: { contestant, node }, rounds }) => ({ contestant, node, rounds }))
}

/** Resident bytes of fresh servers, ours and the limit, that are under load at the same time. */
async function memory(seconds: number): Promise<Memory[]> {
  const [scenario] = SCENARIOS
  if (scenario === undefined || seconds === 0) return []
  const pair = CONTESTANTS.filter(({ role }) => role === 'limit' || role === 'ours')
  const fresh: Running[] = []
  for (const contestant of pair) fresh.push(await begin(contestant, SHIPPED_NODE))
  const measured = fresh.map(async (one, i): Promise<Memory> => {
    const startBytes = residentBytes(one.target.pid)
    const { residentBytes: endBytes } = await round(one, scenario, [0.5, seconds], loads[i])
    await one.target.stop()
    running.splice(running.indexOf(one), 1)
    return { contestant: one.contestant, startBytes, endBytes }
  })
  return Promise.all(measured)
}

try {
  const loadBefore = loadavg()[0] ?? 0
  const memorySeconds = Number(options['memory-seconds'])
  const resident = await memory(memorySeconds)
  const roles = CONTESTANTS.filter(({ role }) => options.all || options.only !== '' || MAIN_ROLES.includes(role))
  for (const node of listed(options.node)) {
    // The older release stands beside it for what the goals are about.
    const here = node === SHIPPED_NODE ? roles : roles.filter(({ role }) => MAIN_ROLES.includes(role))
    for (const contestant of chosen(here, options.only)) await begin(contestant, node)
  }
  const rows = new Map<Scenario, Row[]>()
  for (const scenario of chosen(SCENARIOS, options.scenarios)) {
    // After the first most of what runs is compiled.
    rows.set(scenario, await measure(scenario, Number(options['warm-up']) / (rows.size === 0 ? 1 : 4)))
  }
  const parts = [
    `${cpus()[0]?.model}, ${cpus().length} cores, load average before ${loadBefore.toFixed(2)}; ${options.rounds} rounds of ` +
      `${options.seconds} s, ${options.connections} connections, ${new Date().toISOString()}`,
    ...[...rows].map(([scenario, list]) => table(scenario, list)),
    [
      `Node ${SHIPPED_NODE}:`,
      ...[...rows].flatMap(([scenario, list]) => goals(scenario, list, SHIPPED_NODE)),
      ...(resident.length === 0 ? [] : [memoryGoal(memorySeconds, resident)]),
    ].join('\n'),
  ]
  const text = `${parts.join('\n\n')}\n`
  console.log(text)
  if (options.write) {
    const folder = fileURLToPath(new URL('results/', import.meta.url))
    mkdirSync(folder, { recursive: true })
    const path = `${folder}${new Date().toISOString().slice(0, 10)}-node-${SHIPPED_NODE}.md`
    writeFileSync(path, text)
    console.log(`written to ${path}`)
  }
} finally {
  for (const { target } of running) await target.stop()
  for (const load of loads) load.stop()
  await upstream.stop()
  issuer.close()
}

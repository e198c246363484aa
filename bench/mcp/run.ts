// bench/mcp: the same authenticated request to every contestant, in interleaved rounds, the server on core 0, load
// and upstream on core 1. docs/performance.md says how to read what it prints. Linux with two cores or more.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { applyLoad } from '../harness/apply-load.ts'
import { type Issuer, startIssuer } from '../harness/issuer.ts'
import { residentBytes, type Started, start } from '../harness/process.ts'
import { CONTESTANTS, type Contestant } from './contestants.ts'
import { goals, type Round, type Row, table } from './report.ts'
import { requestBytes, SCENARIOS, type Scenario } from './scenarios.ts'

const SERVER_CORE = 0
const LOAD_CORE = 1
/** A round counts when the server had its core to itself and used it: below this share something else was the limit. */
const BUSY_SHARE = 0.93
const RESIDENT_MAX_MB = 150

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '4' },
    'warm-up': { type: 'string', default: '12' },
    connections: { type: 'string', default: '32' },
    only: { type: 'string', default: '' },
    scenarios: { type: 'string', default: '' },
    'memory-seconds': { type: 'string', default: '60' },
    'keep-all': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const connections = Number(options.connections)

function chosen<T extends { readonly id?: string; readonly name?: string }>(all: readonly T[], list: string): T[] {
  const wanted = list.split(';').filter(Boolean)
  return all.filter((one) => wanted.length === 0 || wanted.includes(one.id ?? one.name ?? ''))
}

async function round(
  contestant: Contestant,
  target: Started,
  upstream: Started,
  tokens: readonly string[],
  scenario: Scenario,
  times: readonly [ramp: number, seconds: number],
): Promise<Round> {
  const report = await applyLoad(
    {
      port: target.port,
      requests: tokens.map((token, i) => requestBytes(scenario, token, i + 1).toString('base64')),
      rampSeconds: times[0],
      seconds: times[1],
      expect: contestant.role === 'limit' ? scenario.expectOfProxy : scenario.expect,
      watch: { server: target.pid, upstream: upstream.pid },
    },
    LOAD_CORE,
  )
  if (report.wrong > 0) {
    throw new Error(`${report.wrong} wrong answers, the first:\n${report.wrongSample}\n${target.stderr()}`)
  }
  return { ...report, residentBytes: residentBytes(target.pid) }
}

async function measure(
  running: Map<Contestant, Started>,
  upstream: Started,
  tokens: readonly string[],
): Promise<Map<Scenario, Row[]>> {
  const rows = new Map<Scenario, Row[]>()
  const seconds = Number(options.seconds)
  for (const scenario of chosen(SCENARIOS, options.scenarios)) {
    const here = [...running].filter(([contestant]) => contestant.serves(scenario))
    const kept = new Map(here.map(([contestant]) => [contestant, { rounds: [] as Round[], discarded: 0 }]))
    // The compiler shares core 0 with the server, so that a server of much code is slow for many seconds.
    const warmUp = Number(options['warm-up'])
    for (const [contestant, target] of here) await round(contestant, target, upstream, tokens, scenario, [warmUp, 0.2])
    for (let n = 0; n < Number(options.rounds); n++) {
      for (const [contestant, target] of here) {
        const result = await round(contestant, target, upstream, tokens, scenario, [0.5, seconds])
        const counts = options['keep-all'] || (result.cpu.server ?? 0) >= BUSY_SHARE
        const row = kept.get(contestant)
        if (counts) row?.rounds.push(result)
        else if (row) row.discarded += 1
        process.stderr.write(
          `${scenario.name} ${n + 1} ${contestant.id}: ${Math.round(result.requestsPerSecond)}/s, core ${result.cpu.server?.toFixed(2)}${counts ? '' : ', discarded'}\n`,
        )
      }
    }
    rows.set(
      scenario,
      here.map(([contestant]) => ({ contestant, ...(kept.get(contestant) ?? { rounds: [], discarded: 0 }) })),
    )
  }
  return rows
}

/** Resident megabytes of a fresh server of ours after a load of the given length. */
async function memory(issuer: Issuer, apiUrl: string, upstream: Started, tokens: readonly string[]): Promise<string> {
  const scenario = SCENARIOS[0]
  const ours = CONTESTANTS.find((one) => one.role === 'ours')
  const seconds = Number(options['memory-seconds'])
  if (!ours || !scenario || seconds === 0) return ''
  const target = await ours.start(issuer, apiUrl, SERVER_CORE)
  const before = residentBytes(target.pid) / 1e6
  const after = (await round(ours, target, upstream, tokens, scenario, [0, seconds])).residentBytes / 1e6
  await target.stop()
  const met = after < RESIDENT_MAX_MB ? 'met' : 'MISSED'
  return `- ${met}: under ${RESIDENT_MAX_MB} MB resident after ${seconds} s of load: ${after.toFixed(0)} MB, ${before.toFixed(0)} MB at start`
}

const issuer = await startIssuer()
const upstream = await start({ script: 'bench/harness/upstream.ts', env: {}, core: LOAD_CORE })
const apiUrl = `http://127.0.0.1:${upstream.port}`
const tokens = await Promise.all(Array.from({ length: connections }, () => issuer.mint(24 * 3600)))
const running = new Map<Contestant, Started>()
try {
  const loadBefore = loadavg()[0] ?? 0
  const memoryLine = await memory(issuer, apiUrl, upstream, tokens)
  for (const contestant of chosen(CONTESTANTS, options.only)) {
    running.set(contestant, await contestant.start(issuer, apiUrl, SERVER_CORE))
  }
  const rows = await measure(running, upstream, tokens)
  const parts = [
    `Node ${process.version}, ${cpus()[0]?.model}, ${cpus().length} cores, load average before ${loadBefore.toFixed(2)}; ` +
      `${options.rounds} rounds of ${options.seconds} s, ${connections} connections, ${new Date().toISOString()}`,
    ...[...rows].flatMap(([scenario, list]) => [
      table(scenario, list),
      ...(scenario.method === 'tools/call' ? [goals(list).join('\n')] : []),
    ]),
    memoryLine,
  ]
  const text = `${parts.filter(Boolean).join('\n\n')}\n`
  console.log(text)
  if (options.write) {
    const folder = fileURLToPath(new URL('results/', import.meta.url))
    mkdirSync(folder, { recursive: true })
    const path = `${folder}${new Date().toISOString().slice(0, 10)}-node-${process.versions.node}.md`
    writeFileSync(path, text)
    console.log(`written to ${path}`)
  }
} finally {
  for (const target of running.values()) await target.stop()
  await upstream.stop()
  issuer.close()
}

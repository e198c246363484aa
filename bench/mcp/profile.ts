// Where a contestant spends its time: runs one scenario against it under --cpu-prof and prints the self time by function
// and by package. `node --import tsx bench/mcp/profile.ts ours --scenario "tools/call, 2026-07-28"`.
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LoadProcess } from '../harness/apply-load.ts'
import { startIssuer } from '../harness/issuer.ts'
import { nodeBinary, SHIPPED_NODE } from '../harness/node-binary.ts'
import { start } from '../harness/process.ts'
import { CONTESTANTS } from './contestants.ts'
import { requestBytes, SCENARIOS } from './scenarios.ts'

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: readonly number[]
}

interface Profile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Self time in microseconds by key, over the samples after `fromShare` of the profile, with the idle time left out. */
export function selfTimes(
  profile: Profile,
  keyOf: (node: ProfileNode) => string,
  fromShare: number,
): Map<string, number> {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  const times = new Map<string, number>()
  const total = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0)
  let at = 0
  profile.samples.forEach((id, i) => {
    const delta = profile.timeDeltas[i] ?? 0
    at += delta
    const node = byId.get(id)
    if (!node || at < total * fromShare || node.callFrame.functionName === '(idle)') return
    const key = keyOf(node)
    times.set(key, (times.get(key) ?? 0) + delta)
  })
  return times
}

/** `package/file` of a module's URL, short enough for a table. */
function place(url: string): string {
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(url)
  if (inPackage) return `${inPackage[1]} ${(inPackage[2] ?? '').split('/').at(-1)}`
  if (url.startsWith('node:')) return url
  return url.replace(/^.*\/(apps|packages|bench)\//, '$1/') || '(engine)'
}

function print(title: string, times: Map<string, number>, rows: number): void {
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  console.log(`\n${title}`)
  for (const [key, time] of [...times].toSorted((a, b) => b[1] - a[1]).slice(0, rows)) {
    console.log(`${((100 * time) / total).toFixed(1).padStart(6)} %  ${key}`)
  }
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scenario: { type: 'string', default: SCENARIOS[0]?.name ?? '' },
    seconds: { type: 'string', default: '8' },
    rows: { type: 'string', default: '45' },
    node: { type: 'string', default: SHIPPED_NODE },
  },
})
const contestant = CONTESTANTS.find(({ id }) => id === (positionals[0] ?? 'ours'))
const scenario = SCENARIOS.find(({ name }) => name === options.scenario)
if (!contestant || !scenario) throw new Error('no such contestant or scenario')

const folder = mkdtempSync(join(tmpdir(), 'bench-profile-'))
const issuer = await startIssuer()
const upstream = await start({ script: 'bench/harness/upstream.ts', env: {}, core: 1 })
const target = await contestant.start(issuer, `http://127.0.0.1:${upstream.port}`, {
  core: 0,
  node: nodeBinary(options.node),
  nodeArguments: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=250'],
})
const tokens = await Promise.all(Array.from({ length: 32 }, () => issuer.mint(3600)))
const load = new LoadProcess(1)
const report = await load.apply({
  port: target.port,
  requests: tokens.map((token, i) => requestBytes(scenario, token, i + 1).toString('base64')),
  rampSeconds: 0.5,
  seconds: Number(options.seconds),
  expect: contestant.role === 'limit' ? scenario.expectOfProxy : scenario.expect,
  watch: { server: target.pid },
})
load.stop()
await target.stop()
await upstream.stop()
issuer.close()
console.log(
  `${contestant.id}, ${scenario.name}: ${Math.round(report.requestsPerSecond)}/s under the profiler, ${report.wrong} wrong`,
)
// The loader's thread writes a profile of its own; the server's is the one with the most samples.
const profiles = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Profile)
const [profile] = profiles.toSorted((a, b) => b.nodes.length - a.nodes.length)
if (!profile) throw new Error(`no profile in ${folder}`)
print(
  'by module',
  selfTimes(profile, (node) => place(node.callFrame.url), 0.3),
  25,
)
print(
  'by function',
  selfTimes(
    profile,
    (node) =>
      `${node.callFrame.functionName || '(anonymous)'}  ${place(node.callFrame.url)}:${node.callFrame.lineNumber + 1}`,
    0.3,
  ),
  Number(options.rows),
)
console.log(`\nprofiles: ${folder}`)

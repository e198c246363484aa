// The full fuzz run: 100 000 HTTP requests against the running MCP server. Prints the distribution of statuses and the memory,
// ends with 1 when anything was wrong. `--case N` runs one case of the same seed and prints what was sent and answered.
import { parseArgs } from 'node:util'
import { caseOf } from './cases.ts'
import { growth, runFuzz } from './engine.ts'

const MEMORY_GROWTH_MAX_BYTES = 20e6

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '20260728' },
    from: { type: 'string', default: '0' },
    count: { type: 'string', default: '100000' },
    connections: { type: 'string', default: '24' },
    stalled: { type: 'string', default: '200' },
    case: { type: 'string' },
  },
})
const seed = Number(options.seed)

if (options.case !== undefined) {
  const { kind, pieces, ...rest } = caseOf(seed, Number(options.case), '<token>')
  console.log(kind, rest)
  for (const { bytes, afterMs } of pieces)
    console.log(afterMs ?? 0, JSON.stringify(bytes.toString('latin1').slice(0, 3000)))
}

const report = await runFuzz({
  seed,
  from: Number(options.case ?? options.from),
  count: options.case === undefined ? Number(options.count) : 1,
  connections: Number(options.connections),
  stalled: options.case === undefined ? Number(options.stalled) : 0,
  onProgress: (line) => console.log(line),
})

console.log('\n| kind of request | cases | statuses |\n|---|---:|---|')
let total = 0
for (const [kind, counts] of [...report.statuses].toSorted()) {
  const sum = [...counts.values()].reduce((all, one) => all + one, 0)
  total += sum
  const list = [...counts].toSorted().map(([status, times]) => `${status}: ${times}`)
  console.log(`| ${kind} | ${sum} | ${list.join(', ')} |`)
}
const { rss, heap } = growth(report.memory)
console.log(`\nseed ${seed}, ${total} outcomes in ${report.seconds.toFixed(0)} s`)
console.log(`memory over the last half: resident ${(rss / 1e6).toFixed(1)} MB, heap ${(heap / 1e6).toFixed(1)} MB`)
console.log(`connections left open: ${report.connectionsLeft}; stalled requests not ended: ${report.stalledLeft}`)
console.log(`error lines in the log: ${report.errorLines.length}; token in the log: ${report.tokenInOutput}`)
for (const line of report.errorLines.slice(0, 10)) console.log(`  ${line}`)
console.log(`failures: ${report.failures.length}`)
for (const failure of report.failures.slice(0, 40)) console.log(`  ${failure}`)

const isFlat = rss < MEMORY_GROWTH_MAX_BYTES && heap < MEMORY_GROWTH_MAX_BYTES
const isClean =
  report.failures.length === 0 &&
  report.errorLines.length === 0 &&
  !report.tokenInOutput &&
  report.connectionsLeft === 0 &&
  report.stalledLeft === 0
console.log(isClean && isFlat ? 'fuzz: passed' : 'fuzz: FAILED')
process.exit(isClean && isFlat ? 0 : 1)

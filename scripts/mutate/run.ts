// npx -y pnpm mutate [ZONE...] [--sample N] [--seed N] [--only FILE] [--list]
//
// Changes the meaning of a zone's code in one place at a time and runs the tests that judge it: a change that none of
// them notices has survived, and either a test is missing or `standing.ts` says why it may stay.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import startServer from '@vertexsms/db/testing/server'
import { type Candidate, survivorsOf } from './judge.ts'
import { mutantsOf } from './mutants.ts'
import { STANDING } from './standing.ts'
import { ZONES, type Zone } from './zones.ts'

const ROOT = join(import.meta.dirname, '../..')

const AT_ONCE = 60

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const names = positionals.length > 0 ? positionals : Object.keys(ZONES)
const unknown = names.find((name) => !Object.hasOwn(ZONES, name))
if (unknown !== undefined) throw new Error(`no zone ${unknown}; there are ${Object.keys(ZONES).join(', ')}`)
// The server is ended at the exit. The test runner makes one of a signal too, but only while it runs.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
const endServer = await startServer()
let unexplained = 0
try {
  for (const [name, zone] of Object.entries(ZONES)) if (names.includes(name)) unexplained += await runZone(name, zone)
} finally {
  endServer?.()
}
process.exit(unexplained === 0 ? 0 : 1)

async function runZone(name: string, zone: Zone): Promise<number> {
  const all = zone.files.filter((file) => file.includes(values.only ?? '')).flatMap((file) => candidatesOf(file))
  const chosen = (values.sample === undefined ? all : sampled(all, Number(values.sample), seed)).map(
    (candidate, index) => ({ ...candidate, id: index + 1 }),
  )
  say(`${name}: ${chosen.length} of ${all.length} mutants${values.sample === undefined ? '' : `, seed ${seed}`}`)
  if (values.list) {
    for (const candidate of chosen) say(`  ${describe(candidate)}`)
    return 0
  }
  // Each file sees only what those before it let pass.
  let left = chosen
  for (const test of zone.tests) {
    const began = performance.now()
    const before = left.length
    left = await passedBy(test, left)
    const noticed = before - left.length
    say(`  ${test}: ${noticed} noticed, ${left.length} left, ${Math.round((performance.now() - began) / 1000)} s`)
    if (left.length === 0) break
  }
  const open = left.filter((candidate) => !isExplained(candidate))
  say(
    `${name}: ${chosen.length - left.length} noticed, ${left.length - open.length} explained, ${open.length} survived`,
  )
  for (const candidate of open) say(`  SURVIVED ${describe(candidate)}`)
  return open.length
}

/** Of these mutants those that a test file does not notice. A process takes only so many: what they broke stays in it. */
async function passedBy(test: string, candidates: readonly Candidate[]): Promise<Candidate[]> {
  const passed: Candidate[] = []
  for (let at = 0; at < candidates.length; at += AT_ONCE) {
    const some = candidates.slice(at, at + AT_ONCE)
    const survivors = await survivorsOf(ROOT, test, some, (id, isNoticed) => {
      if (process.stdout.isTTY) process.stdout.write(`\r  ${id} ${isNoticed ? 'noticed' : 'passed '}`)
    })
    passed.push(...some.filter(({ id }) => survivors.has(id)))
  }
  return passed
}

/** Those that act while a module is loaded are left out: they are constants, and nothing switches them afterwards. */
function candidatesOf(file: string): Omit<Candidate, 'id'>[] {
  const mutants = mutantsOf(readFileSync(join(ROOT, file), 'utf8'))
  return mutants.filter(({ isStatic }) => !isStatic).map((mutant) => ({ file, ...mutant }))
}

/** `count` of them, the same for the same seed, in the order of the files. */
function sampled<T>(all: readonly T[], count: number, from: number): T[] {
  let state = from
  const next = () => {
    // mulberry32: small, and the same on every machine.
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const drawn = all.map((item) => ({ item, at: next() })).sort((one, other) => one.at - other.at)
  const kept = new Set(drawn.slice(0, count).map(({ item }) => item))
  return all.filter((item) => kept.has(item))
}

function isExplained({ file, change }: Candidate): boolean {
  return STANDING.some((row) => file.endsWith(row.file) && row.change === change)
}

function describe({ file, line, change }: Candidate): string {
  return `${file}:${line}  ${change}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

// npx -y pnpm mutate [ZONE...] [--sample N] [--seed N] [--only TEXT] [--list]
//
// Changes the meaning of a zone's code in one place at a time and runs the tests that judge it: a change that none of
// them notices has survived, and either a test is missing or `standing.ts` says why it may stay.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import startServer from '@vertexsms/db/testing/server'
import { type Candidate, startJudge } from './judge.ts'
import { mutantsOf } from './mutants.ts'
import { STANDING } from './standing.ts'
import { filesOf, ZONES, type Zone } from './zones.ts'

const ROOT = join(import.meta.dirname, '../..')

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
const endServer = values.list ? undefined : await startServer()
// Of tests that try many seeds, so many; each mutant runs them again.
process.env.PROPERTY_RUNS ??= '2'
let unexplained = 0
try {
  for (const [name, zone] of Object.entries(ZONES)) if (names.includes(name)) unexplained += await runZone(name, zone)
} finally {
  endServer?.()
}
process.exit(unexplained === 0 ? 0 : 1)

async function runZone(name: string, zone: Zone): Promise<number> {
  const all = filesOf(ROOT, zone)
    .flatMap((file) => candidatesOf(file))
    .filter((candidate) => describe(candidate).includes(values.only ?? ''))
  if (all.length === 0) throw new Error(`${name}: nothing to change`)
  const chosen = (values.sample === undefined ? all : sampled(all, Number(values.sample), seed)).map(
    (candidate, index) => ({ ...candidate, id: index + 1 }),
  )
  say(`${name}: ${chosen.length} of ${all.length} mutants${values.sample === undefined ? '' : `, seed ${seed}`}`)
  if (values.list) {
    for (const candidate of chosen) say(`  ${describe(candidate)}`)
    return 0
  }
  const judge = await startJudge(ROOT, chosen)
  // Each file sees only what those before it let pass.
  let left = chosen
  for (const test of zone.tests) {
    const began = performance.now()
    const { reached, noticed } = await judge.judge(test, new Set(left.map(({ id }) => id)))
    left = left.filter(({ id }) => !noticed.has(id))
    const seconds = Math.round((performance.now() - began) / 1000)
    say(`  ${test}: ${reached.size} reached, ${noticed.size} noticed, ${left.length} left, ${seconds} s`)
    if (left.length === 0) break
  }
  await judge.close()
  const open = left.filter((candidate) => !isExplained(candidate))
  say(
    `${name}: ${chosen.length - left.length} noticed, ${left.length - open.length} explained, ${open.length} survived`,
  )
  for (const candidate of open) say(`  SURVIVED ${describe(candidate)}`)
  return open.length
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

function describe({ file, line, change }: Omit<Candidate, 'id'>): string {
  return `${file}:${line}  ${change}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

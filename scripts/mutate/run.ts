// npx -y pnpm mutate [ZONE...] [--sample N] [--seed N] [--only TEXT] [--known FILE] [--list]
//
// Changes the meaning of a zone's code in one place at a time and runs the tests that judge it: a change that none of
// them notices has survived, and either a test is missing or `standing` says why it may stay. A run may be ended and taken
// up again: in the file of `--known` stands what was noticed.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
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
    known: { type: 'string' },
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
let survived = 0
try {
  for (const [name, zone] of Object.entries(ZONES)) if (names.includes(name)) survived += await runZone(name, zone)
} finally {
  endServer?.()
}
process.exit(survived === 0 ? 0 : 1)

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
  // A change that nobody can notice would run every test that reaches it.
  const unexplained = chosen.filter((candidate) => !isExplained(candidate))
  const known = new Set(values.known && existsSync(values.known) ? readFileSync(values.known, 'utf8').split('\n') : [])
  const judged = unexplained.filter((candidate) => !known.has(describe(candidate)))
  const judge = await startJudge(ROOT, judged)
  // Each file sees only what those before it let pass.
  let left = judged
  const allLate: typeof judged = []
  for (const test of zone.tests) {
    const began = performance.now()
    const { reached, noticed, late } = await judge.judge(test, new Set(left.map(({ id }) => id)))
    allLate.push(...left.filter(({ id }) => late.has(id)))
    const lines = left.filter(({ id }) => noticed.has(id)).map((candidate) => `${describe(candidate)}\n`)
    if (values.known !== undefined) appendFileSync(values.known, lines.join(''))
    left = left.filter(({ id }) => !noticed.has(id))
    const seconds = Math.round((performance.now() - began) / 1000)
    say(`  ${test}: ${reached.size} reached, ${noticed.size} noticed, ${left.length} left, ${seconds} s`)
    if (left.length === 0) break
  }
  await judge.close()
  const [noticed, explained] = [unexplained.length - left.length, chosen.length - unexplained.length]
  say(`${name}: ${noticed} noticed (${allLate.length} by time), ${explained} explained, ${left.length} survived`)
  for (const candidate of allLate) say(`  BY TIME ${describe(candidate)}`)
  for (const candidate of left) say(`  SURVIVED ${describe(candidate)}`)
  return left.length
}

/** Those that act while a module is loaded are left out: they are constants, and nothing switches them afterwards. */
function candidatesOf(file: string): Omit<Candidate, 'id'>[] {
  const alike = new Map<string, number>()
  const mutants = mutantsOf(readFileSync(join(ROOT, file), 'utf8')).filter(({ isStatic }) => !isStatic)
  return mutants.map((mutant) => {
    const nth = (alike.get(mutant.change) ?? 0) + 1
    alike.set(mutant.change, nth)
    return { file, nth, ...mutant }
  })
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

function isExplained({ file, change, nth }: Candidate): boolean {
  return STANDING.some(
    (row) => file.endsWith(row.file) && row.change === change && (row.nth === undefined || row.nth === nth),
  )
}

function describe({ file, line, change }: Omit<Candidate, 'id'>): string {
  return `${file}:${line}  ${change}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

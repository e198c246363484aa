import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createVitest, type TestSuite, type Vitest } from 'vitest/node'
import { instrument } from './instrument.ts'
import type { Mutant } from './mutants.ts'
import { OUTSIDE, RECORDS, type Turn } from './turns.ts'

/** A mutant of a file, by the number it has in this run. */
export interface Candidate extends Mutant {
  /** Above zero. */
  readonly id: number
  readonly file: string
  /** Which of those of the file that read alike, counted from one. */
  readonly nth: number
}

/** Mutants of one process: what they broke stays in it. */
const AT_ONCE = 200

/** How long a test may take under a mutant: so many times the slowest of its file without one, and this at least. */
const SLOWER = 10
const LIMIT_MIN_MS = 4000
const ALONE_LIMIT_MS = 40_000

/** What judges mutants, test file by test file. */
export interface Judge {
  /**
   * Runs the tests of one file once for each of these mutants that they reach, of these only those that reach it and up to
   * the first that fails, and returns which were run and which failed. Rejects when the tests fail without any mutant.
   */
  judge(test: string, ids: ReadonlySet<number>): Promise<Judged>
  close(): Promise<void>
}

export interface Judged {
  readonly reached: ReadonlySet<number>
  readonly noticed: ReadonlySet<number>
  /** Those of `noticed` whose test did not end in its time; a machine that is busy with other things may be why. */
  readonly late: ReadonlySet<number>
}

/** Loads the files with all their mutants asleep in them; the files themselves are never touched. */
export async function startJudge(root: string, candidates: readonly Candidate[]): Promise<Judge> {
  const vitest = await startVitest(root, candidates)
  return {
    async judge(test, ids) {
      const path = join(root, test)
      const recorded = await turnsOf(vitest, path)
      const turns = recorded.turns.filter(({ id }) => ids.has(id))
      const alone = new Map<string, boolean>()
      const judgeFile = (some: readonly Turn[]) =>
        judgeSome({ vitest, test: path, limitMs: recorded.limitMs, alone }, some)
      const noticed: Noticed = new Map()
      for (let at = 0; at < turns.length; at += AT_ONCE)
        for (const [id, how] of await judgeFile(turns.slice(at, at + AT_ONCE))) noticed.set(id, how)
      return {
        reached: new Set(turns.map(({ id }) => id)),
        noticed: new Set(noticed.keys()),
        late: new Set([...noticed].filter(([, how]) => how === 'late').map(([id]) => id)),
      }
    },
    close: () => vitest.close(),
  }
}

function startVitest(root: string, candidates: readonly Candidate[]): Promise<Vitest> {
  return createVitest(
    'test',
    {
      root,
      config: false,
      watch: false,
      hookTimeout: 60_000,
      maxWorkers: 1,
      isolate: false,
      include: ['scripts/mutate/driver.ts'],
      // A mutant may break what runs on beside a test.
      dangerouslyIgnoreUnhandledErrors: true,
      onConsoleLog: () => false,
      reporters: [{}],
    },
    {
      plugins: [
        {
          name: 'mutants',
          enforce: 'pre',
          transform(_code, id) {
            const own = candidates.filter(({ file }) => join(root, file) === id)
            if (own.length === 0) return undefined
            const ids = own.map((one) => one.id)
            return { code: instrument(readFileSync(id, 'utf8'), own, ids), map: null }
          },
        },
      ],
    },
  )
}

/** A test file under judgement. */
interface Bench {
  readonly vitest: Vitest
  readonly test: string
  /** What a test may take. What cannot end is noticed by it. */
  readonly limitMs: number
  /** Which of its tests, run by themselves without any mutant, pass. */
  readonly alone: Map<string, boolean>
}

/** The ids of those that are noticed, and how. */
type Noticed = Map<number, 'failed' | 'late'>

async function run({ vitest, test, limitMs }: Omit<Bench, 'alone'>, turns: readonly Turn[]): Promise<TestSuite[]> {
  vitest.provide('mutation', { test, turns, limitMs })
  const { testModules } = await vitest.runTestSpecifications(await vitest.globTestSpecifications())
  const suites = testModules.flatMap((module) => [...module.children.suites()])
  if (suites.length === turns.length) return suites
  const errors = testModules.flatMap((module) => module.errors().map(({ message }) => message))
  throw new Error(`${test} did not run: ${errors.join('; ')}`)
}

/** A turn for each mutant that the tests of a file reach, and what a test of it may take. */
async function turnsOf(vitest: Vitest, test: string): Promise<{ turns: Turn[]; limitMs: number }> {
  const [suite] = await run({ vitest, test, limitMs: ALONE_LIMIT_MS }, [{ id: RECORDS, tests: null }])
  if (!suite?.ok()) throw new Error(`${test} fails as it is: ${suite && errorsOf(suite).join('; ')}`)
  const reached = new Map<number, Set<number>>()
  let slowestMs = 0
  for (const one of suite.children.allTests()) {
    slowestMs = Math.max(slowestMs, one.diagnostic()?.duration ?? 0)
    for (const [id, tests] of one.meta().reached ?? []) reached.set(id, new Set([...(reached.get(id) ?? []), ...tests]))
  }
  const turns = [...reached]
    .sort(([one], [other]) => one - other)
    .map(([id, tests]) => ({ id, tests: tests.has(OUTSIDE) ? null : [...tests].sort((one, other) => one - other) }))
  return { turns, limitMs: Math.max(LIMIT_MIN_MS, SLOWER * slowestMs) }
}

async function judgeSome(bench: Bench, turns: readonly Turn[]): Promise<Noticed> {
  const suites = await run(bench, [...turns, unchanged(0)])
  // Where all tests fail at the end without any, a mutant broke something that those after it met too.
  if (!suites.at(-1)?.ok() && turns.length > 1) {
    const half = Math.ceil(turns.length / 2)
    const [one, other] = [await judgeSome(bench, turns.slice(0, half)), await judgeSome(bench, turns.slice(half))]
    return new Map([...one, ...other])
  }
  const noticed: Noticed = new Map()
  const ran = new Map<number, readonly number[]>()
  for (const [index, { id, tests }] of turns.entries()) {
    const suite = suites[index]
    if (!suite || suite.ok()) continue
    noticed.set(id, isLate(suite) ? 'late' : 'failed')
    const failed = [...suite.children.allTests('failed')].map((one) => one.meta().number)[0]
    if (tests !== null) ran.set(id, failed === undefined ? tests : tests.slice(0, tests.indexOf(failed) + 1))
  }
  // Some that ran fail without the mutant too where they need the tests before them: then all of them run.
  const untried = new Map([...ran.values()].map((tests) => [String(tests), tests]))
  for (const known of bench.alone.keys()) untried.delete(known)
  if (untried.size > 0) {
    const tried = await run(
      bench,
      [...untried.values()].map((tests, index) => unchanged(index, tests)),
    )
    for (const [index, tests] of [...untried.keys()].entries()) bench.alone.set(tests, tried[index]?.ok() === true)
  }
  const again = [...ran].filter(([, tests]) => !bench.alone.get(String(tests))).map(([id]) => id)
  if (again.length === 0) return noticed
  for (const id of again) noticed.delete(id)
  return new Map([
    ...noticed,
    ...(await judgeSome(
      bench,
      again.map((id) => ({ id, tests: null })),
    )),
  ])
}

/** A turn without any mutant, of those that have none. */
function unchanged(index: number, tests: readonly number[] | null = null): Turn {
  return { id: RECORDS - 1 - index, tests }
}

function isLate(suite: TestSuite): boolean {
  return errorsOf(suite).some((message) => /^(?:Test|Hook) timed out/.test(message))
}

function errorsOf(suite: TestSuite): string[] {
  const errors = [
    ...suite.errors(),
    ...[...suite.children.allSuites()].flatMap((one) => one.errors()),
    ...[...suite.children.allTests('failed')].flatMap((one) => one.result().errors ?? []),
  ]
  return errors.map(({ message }) => message)
}

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
}

/** Mutants of one process: what they broke stays in it. */
const AT_ONCE = 60

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
}

/** Loads the files with all their mutants asleep in them; the files themselves are never touched. */
export async function startJudge(root: string, candidates: readonly Candidate[]): Promise<Judge> {
  const vitest = await startVitest(root, candidates)
  return {
    async judge(test, ids) {
      const path = join(root, test)
      const turns = (await turnsOf(vitest, path)).filter(({ id }) => ids.has(id))
      const noticed = new Set<number>()
      for (let at = 0; at < turns.length; at += AT_ONCE)
        for (const id of await judgeSome(vitest, path, turns.slice(at, at + AT_ONCE))) noticed.add(id)
      return { reached: new Set(turns.map(({ id }) => id)), noticed }
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
      // What cannot end is noticed by its time.
      testTimeout: 40_000,
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

async function run(vitest: Vitest, test: string, turns: readonly Turn[]): Promise<TestSuite[]> {
  vitest.provide('mutation', { test, turns })
  const { testModules } = await vitest.runTestSpecifications(await vitest.globTestSpecifications())
  const suites = testModules.flatMap((module) => [...module.children.suites()])
  if (suites.length === turns.length) return suites
  const errors = testModules.flatMap((module) => module.errors().map(({ message }) => message))
  throw new Error(`${test} did not run: ${errors.join('; ')}`)
}

/** A turn for each mutant that the tests of a file reach. */
async function turnsOf(vitest: Vitest, test: string): Promise<Turn[]> {
  const [suite] = await run(vitest, test, [{ id: RECORDS, tests: null }])
  if (!suite?.ok()) throw new Error(`${test} fails as it is: ${suite && errorsOf(suite)}`)
  const reached = new Map<number, Set<number>>()
  for (const one of suite.children.allTests()) {
    for (const [id, tests] of one.meta().reached ?? []) reached.set(id, new Set([...(reached.get(id) ?? []), ...tests]))
  }
  return [...reached]
    .sort(([one], [other]) => one - other)
    .map(([id, tests]) => ({ id, tests: tests.has(OUTSIDE) ? null : [...tests].sort((one, other) => one - other) }))
}

/** The ids of those that are noticed. */
async function judgeSome(vitest: Vitest, test: string, turns: readonly Turn[]): Promise<number[]> {
  // First each choice of tests without any mutant: one that fails so needs the tests before it, and then all of them run.
  const choices = new Map(turns.flatMap(({ tests }) => (tests === null ? [] : [[String(tests), tests]])))
  const tried = [...choices.values()].map((tests, index) => ({ id: RECORDS - 1 - index, tests }))
  const suites = await run(vitest, test, [...tried, ...turns])
  const needy = new Set(tried.flatMap(({ tests }, index) => (suites[index]?.ok() ? [] : [String(tests)])))
  const isNoticed = (index: number) => !suites[tried.length + index]?.ok()
  const again = turns.filter(({ tests }, index) => needy.has(String(tests)) && isNoticed(index))
  const noticed = turns.filter((turn, index) => isNoticed(index) && !again.includes(turn)).map(({ id }) => id)
  if (again.length === 0) return noticed
  return [
    ...noticed,
    ...(await judgeSome(
      vitest,
      test,
      again.map(({ id }) => ({ id, tests: null })),
    )),
  ]
}

function errorsOf(suite: TestSuite): string {
  const errors = [
    ...suite.errors(),
    ...[...suite.children.allSuites()].flatMap((one) => one.errors()),
    ...[...suite.children.allTests('failed')].flatMap((one) => one.result().errors ?? []),
  ]
  return errors.map(({ message }) => message).join('; ')
}

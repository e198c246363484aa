import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createVitest, type TestSuite } from 'vitest/node'
import { instrument } from './instrument.ts'
import type { Mutant } from './mutants.ts'

/** A mutant of a file, by the number it has in this run. */
export interface Candidate extends Mutant {
  readonly id: number
  readonly file: string
}

/** The id of no mutant: the program as it is. */
const UNCHANGED = 0

/**
 * Runs the tests of one file once for each mutant and returns the ids of those that no test noticed. The files themselves
 * are never touched: the mutants stand in what the runner loads. Rejects when the tests fail without any mutant.
 */
export async function survivorsOf(
  root: string,
  test: string,
  candidates: readonly Candidate[],
  onVerdict: (id: number, isNoticed: boolean) => void,
): Promise<Set<number>> {
  const survivors = new Set<number>()
  let whyUnchangedFails: string | null = 'it did not run'
  const vitest = await createVitest(
    'test',
    {
      root,
      config: false,
      watch: false,
      // What cannot end is noticed by its time.
      testTimeout: 15_000,
      hookTimeout: 30_000,
      maxWorkers: 1,
      isolate: false,
      include: ['scripts/mutate/driver.ts'],
      provide: { mutation: { ids: [UNCHANGED, ...candidates.map(({ id }) => id)], test: join(root, test) } },
      // A mutant may break what runs on beside a test.
      dangerouslyIgnoreUnhandledErrors: true,
      onConsoleLog: () => false,
      reporters: [
        {
          onTestSuiteResult(suite) {
            if (!isTop(suite)) return
            const id = Number(suite.name)
            const isNoticed = !suite.ok()
            if (id === UNCHANGED) whyUnchangedFails = isNoticed ? errorsOf(suite) : null
            else onVerdict(id, isNoticed)
            if (!isNoticed) survivors.add(id)
          },
        },
      ],
    },
    {
      plugins: [
        {
          name: 'mutants',
          enforce: 'pre',
          transform(_code, id) {
            const own = candidates.filter(({ file }) => join(root, file) === id)
            if (own.length === 0) return undefined
            return {
              code: instrument(
                readFileSync(id, 'utf8'),
                own,
                own.map((one) => one.id),
              ),
              map: null,
            }
          },
        },
      ],
    },
  )
  try {
    await vitest.runTestSpecifications(await vitest.globTestSpecifications())
    if (whyUnchangedFails !== null) throw new Error(`${test} fails as it is: ${whyUnchangedFails}`)
  } finally {
    await vitest.close()
  }
  survivors.delete(UNCHANGED)
  return survivors
}

function isTop(suite: TestSuite): boolean {
  return suite.parent.type === 'module'
}

function errorsOf(suite: TestSuite): string {
  const errors = [
    ...suite.errors(),
    ...[...suite.children.allSuites()].flatMap((one) => one.errors()),
    ...[...suite.children.allTests('failed')].flatMap((one) => one.result().errors ?? []),
  ]
  return errors.map(({ message }) => message).join('; ')
}

import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { TestError } from 'vitest'
import type { Reporter, SerializedError, TestCase, TestModule, TestRunEndReason, TestSuite } from 'vitest/node'

const LINES_OF_AN_ERROR = 12
const ERRORS_IN_FULL = 8

interface Failure {
  /** Project, file and full title, or what it was where no test was running. */
  where: string
  errors: readonly SerializedError[]
}

/**
 * A reporter of vitest for CI: writes into the folder CI_SUM_DIR `count` (`passed failed skipped`, one line), `files` (the
 * files that ran, one a line, from the folder it was started in) and, where anything failed, `failures` (each with project, file, full title and the first lines of its error). Beside tests it
 * counts as one failure each: a file that does not load, a suite whose hooks fail, an error outside of any test, and a
 * run that ends badly with none of these.
 */
export default class Sum implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[], reason: TestRunEndReason): void {
    const directory = process.env.CI_SUM_DIR
    if (directory === undefined) throw new Error('CI_SUM_DIR is not set')
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const failures = [
      ...modules.flatMap(failuresOf),
      ...unhandled.map((error) => ({ where: placeOf(error), errors: [error] })),
    ]
    if (failures.length === 0 && reason !== 'passed') failures.push({ where: `the run was ${reason}`, errors: [] })
    const passed = tests.filter((test) => test.result().state === 'passed').length
    const skipped = tests.filter((test) => ['skipped', 'pending'].includes(test.result().state)).length
    writeFileSync(join(directory, 'count'), `${passed} ${failures.length} ${skipped}\n`)
    const files = modules.map(({ moduleId }) => `${relative(process.cwd(), moduleId)}\n`)
    writeFileSync(join(directory, 'files'), files.join(''))
    if (failures.length > 0) writeFileSync(join(directory, 'failures'), textOf(failures))
  }
}

function failuresOf(module: TestModule): Failure[] {
  const place = `${module.project.name} ${relative(process.cwd(), module.moduleId)}`.trim()
  const suites: TestSuite[] = [...module.children.allSuites()]
  const tests: TestCase[] = [...module.children.allTests()].filter((test) => test.result().state === 'failed')
  return [
    ...ownErrors(place, 'does not load, or its hooks fail', module.errors()),
    ...suites.flatMap((suite) => ownErrors(place, `${suite.fullName} (its hooks)`, suite.errors())),
    ...tests.map((test) => ({ where: `${place}: ${test.fullName}`, errors: test.result().errors ?? [] })),
  ]
}

function ownErrors(place: string, what: string, errors: readonly SerializedError[]): Failure[] {
  return errors.length === 0 ? [] : [{ where: `${place}: ${what}`, errors }]
}

/** Vitest notes what was running when an error was thrown outside of a test; it need not be the cause. */
function placeOf(error: SerializedError): string {
  const { type, VITEST_TEST_PATH: path, VITEST_TEST_NAME: test } = error as Record<string, unknown>
  const file = typeof path === 'string' ? ` while ${relative(process.cwd(), path)} ran` : ''
  return `${type ?? 'an error'} outside of any test${file}${typeof test === 'string' ? `, in: ${test}` : ''}`
}

function textOf(failures: readonly Failure[]): string {
  const blocks = failures.map(({ where, errors }, index) =>
    index < ERRORS_IN_FULL ? [`FAILED ${where}`, ...errors.flatMap(linesOf)].join('\n') : `FAILED ${where}`,
  )
  return `${stripVTControlCharacters(blocks.join('\n'))}\n`
}

/** What was said, what differed, and where: in our own files if any of them stands in the trace. */
function linesOf(error: SerializedError): string[] {
  const { name = 'Error', message, stack = '', diff = '', cause } = error as Partial<TestError> & { message: string }
  const frames = stack.split('\n').filter((line) => /^\s+at .*\d/.test(line))
  const own = frames.filter((line) => !/node_modules|node:/.test(line))
  const lines = [
    ...`${name}: ${message}`.split('\n').slice(0, LINES_OF_AN_ERROR),
    ...diff.split('\n').filter(Boolean).slice(0, LINES_OF_AN_ERROR),
    ...(own.length > 0 ? own : frames).slice(0, LINES_OF_AN_ERROR).map((line) => line.replace(`${process.cwd()}/`, '')),
  ].map((line) => `    ${line}`)
  return cause === undefined ? lines : [...lines, '    caused by:', ...linesOf(cause)]
}

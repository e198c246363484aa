import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { embeddedDump } from '@vertexsms/db/testing'
import { bundleForTests } from '@vertexsms/service/bundle'
import type { TestProject } from 'vitest/node'
import { PROGRAMS } from '../../scripts/demo/program.ts'
import { findChromium } from './chromium.ts'
import { keepSecretsIn } from './secrets.ts'
import { type StackFacts, startStack } from './stack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The product that all test files share. */
    readonly stack: StackFacts
  }
}

const RESULTS = join(dirname(dirname(fileURLToPath(import.meta.url))), 'test-results')

/**
 * Starts the product once for all test files and ends it after them: from bundles that are made here, or as
 * `pnpm demo` does with E2E_FROM=sources.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (findChromium() === null) {
    console.log(
      'e2e: no Chromium found (CHROMIUM_PATH, or `apt-get install chromium`): tests in a browser are skipped.',
    )
  }
  mkdirSync(RESULTS, { recursive: true })
  const runDir = mkdtempSync(join(RESULTS, 'run-'))
  process.env.E2E_RUN_DIR = runDir
  const secretsFile = join(runDir, 'secrets.jsonl')
  keepSecretsIn(secretsFile)
  const bundled = process.env.E2E_FROM !== 'sources'
  if (bundled) {
    process.env.TEST_PROGRAMS_DIR = join(runDir, 'programs')
    await bundleForTests(PROGRAMS, process.env.TEST_PROGRAMS_DIR)
    // What is watched has changed by then: from now on the sources.
    project.onTestsRerun(() => {
      delete process.env.TEST_PROGRAMS_DIR
    })
  }
  // The tables that test files start their own products on are made once, not by each of the first ones at the same time.
  const [stack] = await Promise.all([startStack({ fromNothing: true }), bundled && embeddedDump()])
  const { stop, crash, clean, ...facts } = stack
  project.provide('stack', facts)
  // The canary test ends it; without that test it ends with the run.
  process.env.E2E_STACK_PID = String(stack.pid)
  return async () => {
    delete process.env.TEST_PROGRAMS_DIR
    const code = await stop()
    await clean()
    rmSync(runDir, { recursive: true, force: true })
    if (code === 0) return
    // Vitest only prints what is thrown here.
    process.exitCode = 1
    throw new Error(`The demo did not end in good order: exit code ${code}.`)
  }
}

import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The canary goes last: it reads the logs of everything before it. */
class CanaryLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isCanary = ({ moduleId }: TestSpecification) => moduleId.includes('canary')
    const sorted = await super.sort(files)
    return [...sorted.filter((file) => !isCanary(file)), ...sorted.filter(isCanary)]
  }
}

// One queue for the files of all suites, so that no processor waits at the end of each. A suite's own settings stand in
// its folder; so does what it needs to run by itself (`npx vitest run` there).
export default defineConfig({
  test: {
    projects: ['packages/*', 'apps/*', 'scripts', 'bench', 'e2e'],
    globalSetup: ['packages/db/src/testing/server.ts'],
    sequence: { sequencer: CanaryLast },
    // By itself vitest leaves one processor free.
    maxWorkers: '100%',
  },
})

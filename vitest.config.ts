import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { FirstThingsFirst, TURN } from './vitest.suite.ts'

// One queue for the files of all suites, so that no processor waits at the end of each. A suite's own settings stand in
// its folder; so does what it needs to run by itself (`npx vitest run` there).
export default defineConfig({
  test: {
    projects: [
      ...['packages/*', 'apps/*', 'scripts', 'bench', 'e2e'],
      {
        test: {
          name: 'e2e-canary',
          root: 'e2e',
          include: ['test/canary.test.ts'],
          isolate: false,
          sequence: { groupOrder: TURN.others },
        },
      },
    ],
    sequence: { sequencer: FirstThingsFirst },
    globalSetup: ['packages/db/src/testing/server.ts'],
    // One more than there are processors: tests wait for what they have brought about, and for time to pass.
    maxWorkers: availableParallelism() + 1,
  },
})

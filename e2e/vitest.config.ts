import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Alphabetical, and the canary last: it reads the logs of everything before it. */
class CanaryLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const key = ({ moduleId }: TestSpecification) => (moduleId.includes('canary') ? '~' : moduleId)
    return [...files].sort((left, right) => key(left).localeCompare(key(right), 'en'))
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['support/global-setup.ts'],
    // One product, one account, one browser at a time.
    fileParallelism: false,
    sequence: { sequencer: CanaryLast },
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
})

import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { SHORT_LIVED_FLAGS } from './scripts/short-lived.ts'

/**
 * When a suite has its turn in a run of all. The end-to-end tests come first: their product, which asks its database for
 * work every second, is ended after them instead of running on beside all others.
 */
export const TURN = { endToEnd: 0, afterEndToEnd: 1, others: 2 }

/** The suite of a folder: its `test/**` in processes that its files share one after another. */
export function suite(name: string, options: TestProjectInlineConfiguration['test'] = {}) {
  return defineConfig({
    test: {
      name,
      include: ['test/**/*.test.ts'],
      isolate: false,
      // What comes, comes in its time on a busy machine too; the second that is usual is none of our promises.
      expect: { poll: { timeout: 20_000 } },
      execArgv: [...SHORT_LIVED_FLAGS],
      sequence: { groupOrder: TURN.others },
      ...options,
    },
  })
}

import { basename } from 'node:path'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { SHORT_LIVED_FLAGS } from './scripts/short-lived.ts'

/** When a suite has its turn in a run of all. The product of the end-to-end tests ends before most of the others begin. */
export const TURN = { endToEnd: 0, others: 1 }

/**
 * Files that begin their turn, which are the largest otherwise: what takes longest, so that it does not run on alone at the
 * end, and what ends the product of the end-to-end tests.
 */
const FIRST = ['kill.test.ts', 'connect-http.test.ts', 'canary.test.ts']

/** Vitest's order, but for the files that come first. */
export class FirstThingsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const turnOf = ({ project }: TestSpecification) => project.config.sequence.groupOrder
    const placeOf = ({ moduleId }: TestSpecification) => {
      const at = FIRST.indexOf(basename(moduleId))
      return at < 0 ? FIRST.length : at
    }
    const sorted = await super.sort(files)
    return sorted.sort((one, other) => turnOf(one) - turnOf(other) || placeOf(one) - placeOf(other))
  }
}

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

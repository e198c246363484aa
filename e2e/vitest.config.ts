import { availableParallelism } from 'node:os'
import { suite, TURN } from '../vitest.suite.ts'

export default suite('e2e', {
  // The canary reads the logs of everything before it, and so is a project of its own that comes after (the root's config).
  include: ['test/**/!(canary).test.ts'],
  globalSetup: ['support/global-setup.ts'],
  sequence: { groupOrder: TURN.endToEnd },
  // Each brings processes of its own.
  maxWorkers: availableParallelism(),
  testTimeout: 120_000,
  hookTimeout: 240_000,
})

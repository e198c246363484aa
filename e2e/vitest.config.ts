import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'e2e',
    include: ['test/**/*.test.ts'],
    globalSetup: ['support/global-setup.ts'],
    isolate: false,
    // One product, one account, one browser at a time, after everything else.
    maxWorkers: 1,
    sequence: { groupOrder: 2 },
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
})

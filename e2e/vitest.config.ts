import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'e2e',
    include: ['test/**/*.test.ts'],
    // It reads the logs of everything before it, and so is a project of its own that comes last (the root's config).
    exclude: ['test/canary.test.ts'],
    globalSetup: ['support/global-setup.ts'],
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
})

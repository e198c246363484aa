import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { name: 'access-token', include: ['test/**/*.test.ts'], isolate: false },
})

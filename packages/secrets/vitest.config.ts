import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { name: 'secrets', include: ['test/**/*.test.ts'], isolate: false },
})

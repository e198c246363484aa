import { suite } from '../../vitest.suite.ts'

export default suite('mcp', { testTimeout: 30_000, hookTimeout: 60_000 })

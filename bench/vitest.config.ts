import { suite } from '../vitest.suite.ts'

export default suite('bench', { testTimeout: 300_000, hookTimeout: 300_000 })

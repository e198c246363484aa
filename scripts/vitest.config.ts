import { suite } from '../vitest.suite.ts'

export default suite('scripts', { testTimeout: 120_000, hookTimeout: 120_000 })

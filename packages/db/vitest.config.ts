import { suite } from '../../vitest.suite.ts'

export default suite('db', { testTimeout: 120_000, hookTimeout: 120_000 })

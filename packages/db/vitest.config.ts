import { suite } from '../../vitest.suite.ts'

export default suite('db', { testTimeout: 240_000, hookTimeout: 240_000 })

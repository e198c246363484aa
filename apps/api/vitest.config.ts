import { suite } from '../../vitest.suite.ts'

export default suite('api', { testTimeout: 60_000, hookTimeout: 60_000 })

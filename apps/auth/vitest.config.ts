import { suite } from '../../vitest.suite.ts'

export default suite('auth', { testTimeout: 60_000, hookTimeout: 60_000 })

import { suite } from '../../vitest.suite.ts'

export default suite('service', { testTimeout: 60_000, hookTimeout: 60_000 })

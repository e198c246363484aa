import { suite } from '../../vitest.suite.ts'

export default suite('db', { execArgv: ['--liftoff-only'], testTimeout: 120_000, hookTimeout: 120_000 })

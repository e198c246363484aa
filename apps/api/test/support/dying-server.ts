// The API as a process of its own, in which a call stops for ever at the step that its parent names, until the parent
// kills the process. The product knows no such setting: it is this wrapper's, which hands the steps in as a dependency.
import type { AddressInfo } from 'node:net'
import { createDatabase, databaseOptions } from '@vertexsms/db/client'
import { createLogger } from '@vertexsms/service/logger'
import { createOutbound } from '@vertexsms/service/outbound'
import { buildApp } from '../../src/app.ts'
import { readApiEnv } from '../../src/env.ts'
import { SENDING_TIMES } from '../../src/sending/deps.ts'

let stopsAt: string | null = null
process.on('message', (step: string) => {
  stopsAt = step
  process.send?.('ready')
})
process.once('disconnect', () => process.exit(0))

const env = readApiEnv()
const app = buildApp({
  env,
  db: createDatabase(databaseOptions(env)),
  logger: createLogger({ service: 'api', level: 'error', destination: { write: () => {} } }),
  outbound: createOutbound({ allowLocalhost: true }),
  sendingChanges: {
    // What a dead process had is free soon, where its parent does not want to wait.
    ...(process.env.SHORT_LEASES && {
      times: { ...SENDING_TIMES, handOverMs: 1_000, leaseSlackMs: 1_000, repeatMs: 200 },
    }),
    at: (step) => {
      if (step !== stopsAt) return
      stopsAt = null
      process.send?.(step)
      return new Promise<void>(() => {})
    },
  },
})
await app.listen({ host: '127.0.0.1', port: 0 })
process.send?.((app.server.address() as AddressInfo).port)

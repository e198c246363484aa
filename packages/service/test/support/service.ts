// A small service in a process of its own, so that a test can signal it. BREAK=configuration starts with wrong settings.
import * as z from 'zod'
import { portSchema, readEnv, secretSchema } from '../../src/env.ts'
import { createHttp } from '../../src/http.ts'
import { createLogger } from '../../src/logger.ts'
import { runService } from '../../src/run.ts'

await runService(() => {
  const logger = createLogger({ service: 'small', level: 'info' })
  if (process.env.BREAK === 'configuration') readEnv(z.object({ A_PORT: portSchema, A_SECRET: secretSchema }))
  if (process.env.BREAK === 'code')
    throw Object.assign(new Error('canary postgresql://user:password@host'), { code: 'E_X' })
  const http = () =>
    createHttp({
      service: 'small',
      logger,
      trustProxy: false,
      bodyLimitBytes: 1_000,
      requestTimeoutMs: 10_000,
      ready: async () => true,
    })
  const app = http()
  app.get('/wait/:ms', async (request) => {
    const { ms } = request.params as { ms: string }
    process.send?.('waiting')
    await new Promise((resolve) => setTimeout(resolve, Number(ms)))
    return 'waited'
  })
  app.get('/crash', async () => {
    setImmediate(() => Promise.reject(new Error('canary')))
    return 'soon'
  })
  app.addHook('onListen', async () => {
    process.send?.(app.server.address())
  })
  const { HOST = '127.0.0.1', PORT = 0, STOP_WITHIN_MS, INTERNAL_PORT, INTERNAL_HOST = '127.0.0.1' } = process.env
  const inner = INTERNAL_PORT === undefined ? undefined : http()
  app.addHook('onClose', () => inner?.close())
  const internal = inner && {
    app: inner,
    host: INTERNAL_HOST,
    port: Number(INTERNAL_PORT),
    hostSetting: 'INTERNAL_HOST',
  }
  const soon = STOP_WITHIN_MS === undefined ? {} : { stopWithinMs: Number(STOP_WITHIN_MS) }
  return { app, host: HOST, port: Number(PORT), logger, internal, ...soon }
})

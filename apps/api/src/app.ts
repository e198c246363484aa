import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { takesWrites } from '@vertexsms/db/readiness'
import { createHttp } from '@vertexsms/service/http'
import { createJobRunner } from '@vertexsms/service/jobs'
import type { Logger } from '@vertexsms/service/logger'
import type { Outbound } from '@vertexsms/service/outbound'
import { createTokenLookups } from '@vertexsms/service/token-lookups'
import type { FastifyInstance } from 'fastify'
import { createCallbackPost, createCallbackUrlCheck } from './callback-urls.ts'
import type { ApiEnv } from './env.ts'
import { registerGuard } from './guard/guard.ts'
import { createRequestLimits } from './guard/request-limits.ts'
import { errorHandler, notFoundHandler } from './http/error-answers.ts'
import { registerJsonBodies } from './http/json-body.ts'
import { collectRoutes } from './http/wrong-methods.ts'
import { createCallbackJob } from './jobs/callbacks.ts'
import { createCleanUpJob } from './jobs/clean-up.ts'
import { hlrRoutes } from './routes/hlr.ts'
import { numberRoutes } from './routes/numbers.ts'
import { ratesRoutes } from './routes/rates.ts'
import { senderIdRoutes } from './routes/sender-ids.ts'
import { smsRoutes } from './routes/sms.ts'
import { tokenRoutes } from './routes/token.ts'
import { createSandbox } from './upstream/sandbox/sandbox.ts'

/** What the API is built from. */
export interface ApiDeps {
  readonly env: ApiEnv
  readonly db: Database
  readonly logger: Logger
  readonly outbound: Outbound
}

/** The largest body is a batch of a hundred numbers, or a long message. */
const BODY_LIMIT_BYTES = 64 * 1024

/** For a whole request to arrive. */
const REQUEST_TIMEOUT_MS = 15_000

/** The REST API: one guard, one upstream behind it, and the jobs that let time pass. Jobs start with the instance. */
export function buildApp({ env, db, logger, outbound }: ApiDeps): FastifyInstance {
  const app = createHttp({
    service: 'api',
    logger,
    trustProxy: env.TRUST_PROXY,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    ready: () => takesWrites(db),
    errorHandler,
    notFoundHandler,
  })

  const upstream = createSandbox({
    db,
    times: { deliveryMs: env.SANDBOX_DELIVERY_MS, hlrMs: env.SANDBOX_HLR_MS, reviewMs: env.SANDBOX_REVIEW_MS },
    pinKey: env.API_KEYS['sender-pin'],
    checkCallbackUrl: createCallbackUrlCheck(outbound),
    wakeIn: (ms) => jobs.wakeIn(ms),
  })

  const everyMs = env.SANDBOX_POLL_MS
  const jobs = createJobRunner(
    [
      { name: 'sandbox', everyMs, run: upstream.advance },
      createCallbackJob(db, createCallbackPost(outbound), everyMs),
      createCleanUpJob(db),
    ],
    () => databaseNow(db),
    app.log,
  )
  app.addHook('onReady', async () => jobs.start())
  app.addHook('onClose', () => jobs.stop())

  registerJsonBodies(app)
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })

  const limits = createRequestLimits(env.RATE_LIMITS)
  const answerWrongMethods = collectRoutes(app)
  app.register(async (scope) => {
    registerGuard(scope, {
      db,
      issuer: env.ISSUER_URL,
      audience: env.API_RESOURCE_URL,
      edgeSecret: env.EDGE_SECRET,
      limits,
      checkTimeoutMs: env.DATABASE_STATEMENT_TIMEOUT_MS,
      lookups: createTokenLookups(env.RATE_LIMITS ? env.FAILURES_PER_MINUTE : null),
    })
    tokenRoutes(scope)
    smsRoutes(scope, { upstream })
    ratesRoutes(scope, { upstream })
    hlrRoutes(scope, { upstream, limits })
    senderIdRoutes(scope, { upstream })
    numberRoutes(scope, { upstream })
  })
  app.register(async (scope) => answerWrongMethods(scope))
  return app
}

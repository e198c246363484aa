import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { takesWrites } from '@vertexsms/db/readiness'
import { explainToBrowsers } from '@vertexsms/service/browser-page'
import { createHttp } from '@vertexsms/service/http'
import { createJobRunner, type Job, type JobRunner } from '@vertexsms/service/jobs'
import type { Logger } from '@vertexsms/service/logger'
import type { Outbound } from '@vertexsms/service/outbound'
import { createTokenLookups } from '@vertexsms/service/token-lookups'
import type { FastifyInstance } from 'fastify'
import manifest from '../../../package.json' with { type: 'json' }
import { createRefusalLog } from './activity/record.ts'
import { createCallbackPost, createCallbackUrlCheck } from './callback-urls.ts'
import type { ApiEnv } from './env.ts'
import { registerGuard } from './guard/guard.ts'
import { createRequestLimits } from './guard/request-limits.ts'
import { passEmptyBodies } from './http/empty-body.ts'
import { errorHandler, notFoundHandler } from './http/error-answers.ts'
import { registerJsonBodies } from './http/json-body.ts'
import { collectRoutes } from './http/wrong-methods.ts'
import { CALLBACKS, createCallbackJob } from './jobs/callbacks.ts'
import { createCleanUpJob } from './jobs/clean-up.ts'
import { createPauseWatch } from './limits/watch.ts'
import { hlrRoutes } from './routes/hlr.ts'
import { internalRoutes } from './routes/internal.ts'
import { numberRoutes } from './routes/numbers.ts'
import { ratesRoutes } from './routes/rates.ts'
import { referenceRoutes } from './routes/reference.ts'
import { reportRoutes } from './routes/reports.ts'
import type { RouteOptions } from './routes/route-options.ts'
import { senderIdRoutes } from './routes/sender-ids.ts'
import { smsRoutes } from './routes/sms.ts'
import { tokenRoutes } from './routes/token.ts'
import { type SendingDeps, sendingTimes } from './sending/deps.ts'
import { idle } from './sending/hand-over.ts'
import { createCrowd, createPlaces } from './sending/places.ts'
import { createScheduleJob, SCHEDULE } from './sending/schedule.ts'
import { createSending } from './sending/send.ts'
import { createRetentionJob, createSweepJob } from './sending/sweep.ts'
import { LIMITS } from './service-limits.ts'
import { type ChosenUpstream, chooseUpstream, SIMULATION } from './upstreams.ts'

/** What the API is built from. */
export interface ApiDeps {
  readonly env: ApiEnv
  readonly db: Database
  readonly logger: Logger
  readonly outbound: Outbound
  /** Where the authorization server asks, on a port of its own; absent where nobody does. */
  readonly internal?: FastifyInstance | undefined
  /** What a test has otherwise in sending: its times, the upstream, what happens between its steps. */
  readonly sendingChanges?: Partial<SendingDeps>
}

/** The largest body is a batch of a hundred numbers, or a long message. */
const BODY_LIMIT_BYTES = 64 * 1024

/** Between two looks at what one connection does. */
const PAUSE_LOOK_MS = 5_000

/** For a whole request to arrive. */
const REQUEST_TIMEOUT_MS = 15_000

/** The REST API: one guard, one upstream behind it, and the jobs that let time pass. Jobs start with the instance. */
export function buildApp(given: ApiDeps): FastifyInstance {
  const { env, db, logger, internal } = given
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
  const { checkToken, reports, ...options } = addSending(app, given)
  if (internal) internalRoutes(internal, { ...options, keys: env.API_KEYS, checkToken })

  explainToBrowsers(app, {
    of: 'api',
    address: env.API_RESOURCE_URL,
    links: {
      routes: '/reference',
      first: `${env.ISSUER_URL}${PAGE_PATHS.connect}#rest`,
      token: `${env.ISSUER_URL}${PAGE_PATHS.tokens}`,
    },
  })
  passEmptyBodies(app)
  registerJsonBodies(app)
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })

  const answerWrongMethods = collectRoutes(app)
  referenceRoutes(app, env.API_RESOURCE_URL.replace(/\/$/, ''), manifest.version)
  app.register(async (scope) => guardedRoutes(scope, given, options))
  if (reports !== null) app.register(async (scope) => reportRoutes(scope, reports))
  app.register(async (scope) => answerWrongMethods(scope))
  return app
}

/** What sends, over the upstream of the settings, and the jobs of both. */
function addSending(
  app: FastifyInstance,
  { env, db, outbound, sendingChanges }: ApiDeps,
): RouteOptions & Pick<ChosenUpstream, 'checkToken' | 'reports'> {
  const checkCallbackUrl = createCallbackUrlCheck(outbound)
  const wakePosts = () => jobs.wakeIn(CALLBACKS, 0)
  const chosen = chooseUpstream({
    env,
    db,
    checkCallbackUrl,
    wakeIn: (ms) => jobs.wakeIn(SIMULATION, ms),
    owed: wakePosts,
  })
  const { operator, upstream, registerNumber, checkToken, reports } = chosen
  const watch = createPauseWatch(db, app.log, PAUSE_LOOK_MS)
  const deps: SendingDeps = {
    db,
    operator,
    registerNumber,
    keys: env.API_KEYS,
    issuer: env.ISSUER_URL,
    checkCallbackUrl,
    times: sendingTimes(env.VERTEXSMS_SEND_TIMEOUT_MS, env.VERTEXSMS_COST_TIMEOUT_MS),
    places: createPlaces(),
    turns: createPlaces(),
    lists: createCrowd(LIMITS.lists.perAccount),
    refusals: createRefusalLog(db),
    watch,
    log: app.log,
    wakeIn: (ms) => jobs.wakeIn(SCHEDULE, ms),
    at: () => {},
    ...sendingChanges,
  }
  const sending = createSending(deps)
  // A list that is under way ends with the chunk that is out, which is waited for.
  app.addHook('preClose', async () => sending.stop())

  const everyMs = env.SANDBOX_POLL_MS
  const all = [
    ...chosen.jobs,
    createScheduleJob(deps, sending, everyMs),
    createSweepJob(db, deps.operator.name, everyMs),
    createRetentionJob(db),
    createCallbackJob(db, createCallbackPost(outbound), everyMs, wakePosts),
    createCleanUpJob(db),
  ]
  const jobs = runJobs(app, db, all, async () => {
    await idle(deps)
    await watch.finish()
    await chosen.close()
  })
  return { upstream, sending, deps, checkToken, reports }
}

/** Jobs that start with the app; `thereafter` is waited for once they have stopped with it. */
function runJobs(app: FastifyInstance, db: Database, all: readonly Job[], thereafter: () => Promise<void>): JobRunner {
  const jobs = createJobRunner(all, () => databaseNow(db), app.log)
  app.addHook('onReady', async () => jobs.start())
  // In a scope of its own: its hooks run before those of the app, which close the database.
  app.register(async (scope) => {
    scope.addHook('onClose', async () => {
      await jobs.stop()
      await thereafter()
    })
  })
  return jobs
}

/** Every route that asks for a token, behind the guard. */
function guardedRoutes(scope: FastifyInstance, { env, db }: ApiDeps, options: RouteOptions): void {
  const limits = createRequestLimits(env.RATE_LIMITS)
  registerGuard(scope, {
    db,
    issuer: env.ISSUER_URL,
    audience: env.API_RESOURCE_URL,
    edgeSecret: env.EDGE_SECRET,
    limits,
    checkTimeoutMs: env.DATABASE_STATEMENT_TIMEOUT_MS,
    lookups: createTokenLookups(env.RATE_LIMITS ? env.FAILURES_PER_MINUTE : null),
  })
  tokenRoutes(scope, options)
  smsRoutes(scope, options)
  ratesRoutes(scope, options)
  hlrRoutes(scope, { ...options, limits })
  senderIdRoutes(scope, options)
  numberRoutes(scope, options)
}

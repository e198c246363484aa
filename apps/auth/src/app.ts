import { fastifyCookie } from '@fastify/cookie'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { takesWrites } from '@vertexsms/db/readiness'
import { createHttp } from '@vertexsms/service/http'
import { createJobRunner } from '@vertexsms/service/jobs'
import type { Logger } from '@vertexsms/service/logger'
import { createOutbound, type Outbound } from '@vertexsms/service/outbound'
import type { FastifyInstance } from 'fastify'
import { createSignInDelay } from './accounts/sign-in-delay.ts'
import { createAuthorizationServer } from './authorization/authorization-server.ts'
import { registerOAuth } from './authorization/endpoints.ts'
import { createInternalApi } from './connections/internal-api.ts'
import { COST_TIMEOUT_MS } from './consent/cost.ts'
import { registerConsent } from './consent/page.ts'
import type { AuthEnv } from './env.ts'
import { createCleanUpJobs } from './jobs/clean-up.ts'
import { createFollowKeysJob } from './jobs/follow-keys.ts'
import { createMailer } from './jobs/mailer.ts'
import { createNoticeMailJob } from './jobs/notice-mails.ts'
import { createPasswordMailJob } from './jobs/password-mails.ts'
import { SIZES } from './service-limits.ts'
import { registerSettings } from './settings/settings.ts'
import { registerConnect } from './sign-in/connect.ts'
import { registerSignInPages } from './sign-in/pages.ts'
import { registerAssets } from './web/assets.ts'
import { registerCompression, unpackedForOthers } from './web/compression.ts'
import { registerFormBodies } from './web/form-body.ts'
import { createForms } from './web/forms.ts'
import { createKnownMethods } from './web/known-methods.ts'
import { registerLanguage } from './web/language.ts'
import { createNotFound, failureOutside, failurePage, registerViews } from './web/page.ts'
import { createRateLimiter } from './web/rate-limit.ts'

const REQUEST_TIMEOUT_MS = 15_000
const SIGN_IN_DELAY_MS = 2000
/** As long as a database takes to be back, or another in its place. */
const TOKENS_AGAIN_MS = 10_000

/** What the app is built from. */
export interface AppDeps {
  readonly env: AuthEnv
  readonly db: Database
  readonly logger: Logger
  /** How documents and key sets of clients are fetched; the SSRF guard when absent. */
  readonly outbound?: Outbound
  /** How often to look for new signing keys; 30 s when absent. */
  readonly keyPollMs?: number
  /** How long a try waits at an account that many are guessing at, in a browser that never signed in to it; 2 s when absent. */
  readonly signInDelayMs?: number
  /** How often to look for mail to send; seconds when absent. */
  readonly mailPollMs?: number
  /** How long it is asked what became of a token request whose answer from the database was lost; 10 s when absent. */
  readonly tokensAgainMs?: number
}

/**
 * The authorization server with its pages. Reads the signing keys, so it rejects when the database cannot be reached
 * or the operator key is not the one they were sealed under.
 */
export async function buildApp({
  env,
  db,
  logger,
  outbound,
  keyPollMs,
  signInDelayMs,
  mailPollMs,
  tokensAgainMs = TOKENS_AGAIN_MS,
}: AppDeps): Promise<FastifyInstance> {
  const { ISSUER_URL: issuer, OPERATOR_KEY: operatorKey, OUTBOUND_ALLOW_LOCALHOST: allowLocalhost } = env
  const guard = outbound ?? createOutbound({ allowLocalhost, proxy: env.OUTBOUND_PROXY })
  const limiter = createRateLimiter({ db, enabled: env.RATE_LIMITS })
  const forms = createForms({ operatorKey, issuerUrl: issuer })
  const provider = await createAuthorizationServer({ env, db, logger, outbound: guard, limiter, tokensAgainMs })

  const session = { db, issuerUrl: issuer, sessionSeconds: env.SESSION_SECONDS }
  const signInDelay = createSignInDelay(signInDelayMs ?? SIGN_IN_DELAY_MS)
  const { SMTP_URL: smtp, MAIL_FROM: from, SMTP_SEND_TIMEOUT_MS: sendWithinMs } = env
  const mailer = smtp && from ? await createMailer({ smtp, from, sendWithinMs }) : null
  const help = { sendsMail: mailer !== null, operatorContact: env.OPERATOR_CONTACT ?? null }
  const web = { ...session, operatorKey, forms, rateLimiter: limiter, signInDelay, help }
  const resources = { mcp: env.MCP_RESOURCE_URL, api: env.API_RESOURCE_URL }

  const methods = createKnownMethods()
  const app = createHttp({
    service: 'auth',
    logger,
    trustProxy: env.TRUST_PROXY,
    bodyLimitBytes: SIZES.pageBodyBytes,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    ready: () => takesWrites(db),
    errorHandler: failureOutside,
    notFoundHandler: createNotFound(web, methods),
  })
  const mail = mailer && { db, issuerUrl: issuer, mailer, log: app.log, ...(mailPollMs && { everyMs: mailPollMs }) }
  const mailJobs = mail ? [createPasswordMailJob(mail), createNoticeMailJob(mail)] : []
  methods.watch(app)
  const followKeys = createFollowKeysJob(provider, keyPollMs)
  const jobs = createJobRunner([followKeys, ...createCleanUpJobs(db), ...mailJobs], () => databaseNow(db), app.log)
  app.addHook('onReady', async () => jobs.start())
  app.addHook('onClose', async () => {
    await jobs.stop()
    if (!outbound) await guard.close()
  })

  // The protocol's zone: bodies unparsed, errors in OAuth's shape.
  await app.register(registerOAuth, {
    issuer,
    resources,
    provider,
    db,
    limiter,
    clientDocuments: env.CLIENT_DOCUMENTS,
  })

  // The pages' zone: forms parsed, errors as pages.
  await app.register(fastifyCookie)
  await registerCompression(app)
  await registerViews(app)
  await registerAssets(app)
  await app.register(async (pages) => {
    pages.setErrorHandler(failurePage)
    unpackedForOthers(pages)
    registerFormBodies(pages)
    registerLanguage(pages, session)
    registerConnect(pages, { issuer, resources })
    await pages.register(registerSignInPages, web)
    await pages.register(registerConsent, {
      ...web,
      provider,
      connectionSeconds: env.CONNECTION_SECONDS,
      maxPerDayMicros: env.CONNECTION_MAX_PER_DAY_EUR,
      allowLocalhost,
      internalApi: createInternalApi({ url: env.API_INTERNAL_URL, operatorKey, timeoutMs: COST_TIMEOUT_MS }),
    })
    await pages.register(registerSettings, {
      ...web,
      resources,
      upstream: env.UPSTREAM,
      internalApi: createInternalApi({ url: env.API_INTERNAL_URL, operatorKey }),
    })
  })
  return app
}

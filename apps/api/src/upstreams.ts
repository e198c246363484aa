// Which upstream stands behind the guard: the one place that knows both.
import type { Database } from '@vertexsms/db/client'
import type { Job } from '@vertexsms/service/jobs'
import type { ApiEnv } from './env.ts'
import type { InternalOptions } from './routes/internal.ts'
import type { ReportRouteOptions } from './routes/reports.ts'
import { createStatusJob } from './sending/ask-status.ts'
import type { SendingDeps } from './sending/deps.ts'
import { createReportDoor } from './sending/reports.ts'
import { createOperator } from './upstream/sandbox/operator.ts'
import { createSandbox } from './upstream/sandbox/sandbox.ts'
import type { SendingUpstream, Upstream } from './upstream/upstream.ts'
import { createUpstreamClient } from './upstream/vertexsms/client.ts'
import { createVertexAccess, createVertexOperator } from './upstream/vertexsms/operator.ts'
import { createReportAddresses } from './upstream/vertexsms/report-address.ts'
import { takeReview } from './upstream/vertexsms/senders.ts'
import { createVertexUpstream } from './upstream/vertexsms/upstream.ts'

/** What an upstream is to the rest of this service. */
export interface ChosenUpstream {
  readonly operator: SendingUpstream
  readonly upstream: Upstream
  readonly registerNumber: SendingDeps['registerNumber']
  /** What lets time pass in it. */
  readonly jobs: readonly Job[]
  /** Asks it about a token that is stored nowhere, by a call that costs nothing. */
  readonly checkToken: InternalOptions['checkToken']
  /** Where its reports come in; null for one that is in this process. */
  readonly reports: ReportRouteOptions | null
  close(): Promise<void>
}

/** What it is made of. */
export interface UpstreamParts {
  readonly env: ApiEnv
  readonly db: Database
  readonly checkCallbackUrl: SendingDeps['checkCallbackUrl']
  /** Tells the job of the simulated operator when something becomes due for it. */
  readonly wakeIn: (ms: number) => void
  /** Tells the job that posts that something is owed to a customer's URL. */
  readonly owed: () => void
}

/** The job that lets time pass in the simulated operator. */
export const SIMULATION = 'sandbox'

/** Where the operator has an address to report to, he is asked only for what he has not told for so long. */
const ASK_LATE_MS = 900_000

/**
 * The upstream of the settings. The simulated operator is always there: what it took before the real one came is told, and
 * its ids stay readable.
 */
export function chooseUpstream(parts: UpstreamParts): ChosenUpstream {
  const { env, db, checkCallbackUrl, wakeIn, owed } = parts
  const everyMs = env.SANDBOX_POLL_MS
  const times = { deliveryMs: env.SANDBOX_DELIVERY_MS, hlrMs: env.SANDBOX_HLR_MS, reviewMs: env.SANDBOX_REVIEW_MS }
  const sandbox = createSandbox({ db, times, pinKey: env.API_KEYS['sender-pin'], checkCallbackUrl, wakeIn })
  const simulated = createOperator({ db, times, wakeIn, door: createReportDoor(db, () => simulated, owed) })
  const simulation: Job = {
    name: SIMULATION,
    everyMs,
    async run(clock) {
      const now = await clock()
      const advanced = await sandbox.advance(now)
      if (advanced > 0) owed()
      return advanced + (await simulated.tell(now))
    },
  }
  if (env.UPSTREAM === 'sandbox') {
    return {
      operator: simulated,
      upstream: sandbox,
      registerNumber: (caller, name) => sandbox.registerSender(caller, { type: 'MSISDN', name }),
      jobs: [simulation],
      reports: null,
      checkToken: async () => 'not_asked',
      close: async () => {},
    }
  }

  const client = createUpstreamClient(env.VERTEXSMS_API_URL)
  const addresses = createReportAddresses(env.API_KEYS['report-address'], env.REPORT_ADDRESS)
  const access = createVertexAccess({
    db,
    client,
    addresses,
    tokenKey: env.API_KEYS['upstream-token'],
    issuer: env.ISSUER_URL,
    sendTimeoutMs: env.VERTEXSMS_SEND_TIMEOUT_MS,
    readTimeoutMs: env.VERTEXSMS_COST_TIMEOUT_MS,
  })
  const operator = createVertexOperator(access, addresses)
  const door = createReportDoor(db, () => operator, owed)
  const { registerNumber, ...upstream } = createVertexUpstream({
    db,
    access,
    addresses,
    pinKey: env.API_KEYS['sender-pin'],
    checkCallbackUrl,
  })
  const firstMs = env.REPORT_ADDRESS === undefined ? env.VERTEXSMS_ASK_AFTER_MS : ASK_LATE_MS
  return {
    operator,
    upstream: { ...upstream, readHlr: sandbox.readHlr },
    registerNumber,
    jobs: [simulation, createStatusJob({ db, operator, door, firstMs, everyMs })],
    reports: {
      addresses,
      door,
      reviewed: (id, status) => takeReview(db, id, status).then(owed),
      sources: env.REPORT_SOURCES ?? null,
    },
    checkToken: access.checkToken,
    close: () => client.close(),
  }
}

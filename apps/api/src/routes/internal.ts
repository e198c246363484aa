// What the authorization server asks, on a listener of its own: whoever knows the derived key `internal` names the account
// and is believed, so this listener is never published.
import { timingSafeEqual } from 'node:crypto'
import {
  checkedTokenContext,
  INTERNAL_PATHS,
  type InternalAnswer,
  type InternalRoute,
  internalRequests,
  type TokenVerdict,
} from '@vertexsms/contract/internal'
import { CURRENCY } from '@vertexsms/contract/limits'
import { toEurText } from '@vertexsms/contract/money'
import { databaseNow, runningFrom } from '@vertexsms/db/clock'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { open } from '@vertexsms/secrets/seal'
import { createHttp } from '@vertexsms/service/http'
import type { Logger } from '@vertexsms/service/logger'
import type { FastifyInstance } from 'fastify'
import type * as z from 'zod'
import { ApiError } from '../http/api-error.ts'
import { errorHandler, notFoundHandler } from '../http/error-answers.ts'
import { registerJsonBodies } from '../http/json-body.ts'
import { parse } from '../http/parse.ts'
import { cancelOfAccount } from '../sending/cancel.ts'
import type { SendingDeps } from '../sending/deps.ts'
import type { Upstream } from '../upstream/upstream.ts'

const BODY_LIMIT_BYTES = 8 * 1024
const REQUEST_TIMEOUT_MS = 15_000

/** A listener without routes yet: {@link internalRoutes} gives it those, once what they ask is there. */
export function createInternalListener(logger: Logger): FastifyInstance {
  return createHttp({
    service: 'api',
    logger,
    trustProxy: false,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    ready: async () => true,
    errorHandler,
    notFoundHandler,
  })
}

/** What the routes ask. */
export interface InternalOptions {
  readonly deps: Pick<SendingDeps, 'db' | 'operator'>
  readonly upstream: Pick<Upstream, 'rates'>
  readonly keys: Readonly<Record<'internal' | 'upstream-token', Uint8Array>>
  /** Asks the upstream about a token that is stored nowhere, by a call that costs nothing. */
  readonly checkToken: (token: string) => Promise<TokenVerdict>
}

/** Registers the routes. A caller without the proof gets 401 and learns nothing, not even which routes there are. */
export function internalRoutes(app: FastifyInstance, { deps, upstream, keys, checkToken }: InternalOptions): void {
  registerJsonBodies(app)
  const proof = hashToken(`Bearer ${Buffer.from(keys.internal).toString('base64url')}`)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    const given = request.headers.authorization ?? ''
    if (!timingSafeEqual(hashToken(given), proof)) throw new ApiError('TOKEN_INVALID')
  })

  function answer<Route extends InternalRoute, Schema extends z.ZodType>(
    route: Route,
    schema: Schema,
    give: (asked: z.output<Schema>) => Promise<InternalAnswer<Route>>,
  ): void {
    app.post(INTERNAL_PATHS[route], async (request) => give(parse(schema, request.body)))
  }

  answer('checkToken', internalRequests.checkToken, async ({ accountId, sealedToken }) => {
    const token = opened(keys['upstream-token'], sealedToken, checkedTokenContext(accountId))
    return { verdict: await checkToken(token) }
  })

  answer('rates', internalRequests.rates, async ({ accountId }) => {
    const now = runningFrom(await databaseNow(deps.db))
    const { rows } = await upstream.rates({ id: accountId, accountId, connectionId: null, now })
    return { rates: [...rows] }
  })

  answer('balance', internalRequests.balance, async ({ accountId }) => {
    const micros = await deps.operator.balanceMicros(accountId)
    return { balance: micros === null ? null : toEurText(micros), currency: CURRENCY }
  })

  answer('cancel', internalRequests.cancel, async ({ accountId, messageId }) => ({
    cancelled: await cancelOfAccount(deps.db, accountId, BigInt(messageId)),
  }))
}

function opened(key: Uint8Array, sealed: string, context: string): string {
  try {
    return open(key, Buffer.from(sealed, 'base64url'), context)
  } catch {
    throw new ApiError('INVALID_INPUT')
  }
}

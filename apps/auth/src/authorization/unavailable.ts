import { type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { OAUTH_UNAVAILABLE } from '../web/outage.ts'
import type { KeySets } from './clients/key-sets.ts'
import { PATHS } from './paths.ts'

/** How long a client waits whose key set could not be had; as long as it is not asked for again. */
const KEY_SET_RETRY_AFTER_SECONDS = 60

/** Endpoints where a client proves itself, and reads JSON. */
const CLIENT_ENDPOINTS: ReadonlySet<string> = new Set([
  PATHS.token,
  PATHS.pushedRequest,
  PATHS.revocation,
  PATHS.introspection,
])

/** Notes that the request being handled fails because of a passing trouble. */
export function noteUnavailable(retryAfterSeconds: number): void {
  const { ctx } = Provider
  if (ctx) ctx.state.unavailableSeconds = retryAfterSeconds
}

/**
 * The middleware that turns a failure which was noted as passing, or of a client whose key set cannot be had, into 503
 * with `Retry-After` (RFC 9110 §10.2.3). The library knows only refusals, and clients forget their login on
 * `invalid_client`. A page keeps what it says.
 */
export function answerUnavailable(keySets: Pick<KeySets, 'isMissing'>) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next()
    if (ctx.status < 400) return
    const program = CLIENT_ENDPOINTS.has(ctx.path)
    const jwksUri = program ? ctx.oidc?.client?.jwksUri : undefined
    const keysMissing = jwksUri !== undefined && keySets.isMissing(jwksUri)
    const seconds = ctx.state.unavailableSeconds ?? (keysMissing ? KEY_SET_RETRY_AFTER_SECONDS : undefined)
    if (seconds === undefined) return
    ctx.status = 503
    ctx.set('retry-after', String(seconds))
    ctx.remove('www-authenticate')
    if (program) ctx.body = OAUTH_UNAVAILABLE
  }
}

import { type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { comeAgain, OAUTH_UNAVAILABLE } from '../../web/outage.ts'
import { PATHS } from './paths.ts'

/** What passes: 429 where whoever asks had too much, 503 for every other trouble. */
interface Passing {
  readonly statusCode: 429 | 503
  readonly retryAfterSeconds: number
}

/**
 * A key set is asked for at most once in this time, whatever came of it: a new key is known this much later, and so long waits
 * a client whose key set could not be had.
 */
export const KEY_SET_INTERVAL_SECONDS = 60

const NO_KEY_SET: Passing = { statusCode: 503, retryAfterSeconds: KEY_SET_INTERVAL_SECONDS }

/** Endpoints where a client proves itself, and reads JSON. */
const CLIENT_ENDPOINTS: ReadonlySet<string> = new Set([
  PATHS.token,
  PATHS.pushedRequest,
  PATHS.revocation,
  PATHS.introspection,
])

/** Notes that the request being handled fails because of a passing trouble. */
export function noteUnavailable({ statusCode, retryAfterSeconds }: Passing): void {
  const { ctx } = Provider
  if (ctx) ctx.state.passing = { statusCode, retryAfterSeconds } satisfies Passing
}

/**
 * The middleware that turns a failure which was noted as passing, or of a client whose key set cannot be had, into 503
 * or 429 with `Retry-After` (RFC 9110 §10.2.3). The library knows only refusals, and clients forget their login on
 * `invalid_client`. A page keeps what it says.
 */
export function answerUnavailable(keySets: { readonly isMissing: (jwksUri: string) => boolean }) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next()
    if (ctx.status < 400) return
    const program = CLIENT_ENDPOINTS.has(ctx.path)
    const jwksUri = program ? ctx.oidc?.client?.jwksUri : undefined
    const keysMissing = jwksUri !== undefined && keySets.isMissing(jwksUri)
    const noted = ctx.state.passing as Passing | undefined
    const passing = noted ?? (keysMissing ? NO_KEY_SET : undefined)
    if (passing === undefined) return
    ctx.status = passing.statusCode
    ctx.set(comeAgain(passing.retryAfterSeconds))
    ctx.remove('www-authenticate')
    if (program) ctx.body = OAUTH_UNAVAILABLE
  }
}

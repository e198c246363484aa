import { isJwtShaped } from '@vertexsms/contract/api-token'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../api/gateway.ts'
import type { Limits } from '../edge/limits.ts'
import type { Challenges } from './challenge.ts'
import { Refusal, unavailable } from './refusal.ts'
import { KeysUnavailable, type TokenVerifier, tokenKey, type VerifiedToken } from './verify-token.ts'

/** Tells who is calling, at once where the token was verified before. Throws or rejects with {@link Refusal}: 401, 429 or 503. */
export type Authenticate = (request: FastifyRequest) => Caller | Promise<Caller>

// RFC 6750 §2.1, with a length no real token exceeds.
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]{1,4096}=*) *$/i
const USUAL_PREFIX = 'Bearer '

/** Query parameters in which a token is sometimes sent; there it would end in logs (RFC 6750 §2.3). */
const TOKEN_PARAMETERS = ['access_token', 'token', 'api_token', 'at']

/**
 * Reads the bearer token of a request. What is shaped like a JWT must verify here; anything else is an API token
 * made by hand, which the API alone can judge. An address with too many
 * failures waits, unless it sends a credential that was accepted before.
 */
export function createAuthenticate(tokens: TokenVerifier, challenges: Challenges, limits: Limits): Authenticate {
  return (request) => {
    const { authorization } = request.headers
    if (authorization === undefined) throw challenges.missing()
    if (carriesTokenInQuery(request.url)) {
      throw challenges.invalid('Send the token in the Authorization header only, never in the URL.')
    }
    if (authorization.startsWith(USUAL_PREFIX)) {
      const token = authorization.slice(USUAL_PREFIX.length)
      const key = tokenKey(token)
      const known = tokens.recall(key)
      if (known !== undefined) return admit(request, token, key, known)
    }
    return authenticate(request, authorization)
  }

  function admit(request: FastifyRequest, token: string, key: string, verified: VerifiedToken | null): Caller {
    const { id: requestId, ip: address } = request
    const wait = limits.blocked(address, key)
    if (wait > 0) throw new Refusal('RATE_LIMITED', { retryAfterSeconds: wait })
    if (verified === null) return { token, key, account: null, scope: null, address, requestId, callKey: key }
    const { sub, scope, clientId } = verified
    return { token, key, account: sub, scope, address, requestId, callKey: `${sub} ${clientId}` }
  }

  async function authenticate(request: FastifyRequest, authorization: string): Promise<Caller> {
    const token = BEARER.exec(authorization)?.[1]
    if (token === undefined) throw challenges.invalid()
    const key = tokenKey(token)
    // Before the signature is looked at: a flood of bad tokens must not cost more than a look into a table.
    const caller = admit(request, token, key, null)
    if (!isJwtShaped(token)) return caller
    let verified: VerifiedToken | null
    try {
      verified = tokens.recall(key) ?? (await tokens.verify(token, key))
    } catch (error) {
      if (error instanceof KeysUnavailable) throw unavailable()
      throw error
    }
    if (verified === null) throw challenges.invalid()
    return admit(request, token, key, verified)
  }
}

function carriesTokenInQuery(url: string): boolean {
  const start = url.indexOf('?')
  if (start === -1) return false
  const query = new URLSearchParams(url.slice(start))
  return TOKEN_PARAMETERS.some((name) => query.has(name))
}

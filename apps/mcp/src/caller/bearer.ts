import { type AccessTokens, tokenKey } from '@vertexsms/access-token/remember'
import type { AccessToken, TokenRefusal } from '@vertexsms/access-token/verify'
import { TOKEN_MISTYPED_MESSAGE } from '@vertexsms/contract/api-errors'
import { isJwtShaped, isMistypedToken, isPossibleToken, namesToken, readBearer } from '@vertexsms/contract/api-token'
import { standsTwice } from '@vertexsms/service/header-lines'
import type { TokenLookup } from '@vertexsms/service/token-lookups'
import type { FastifyRequest } from 'fastify'
import type { Caller } from './caller.ts'
import type { Challenges } from './challenge.ts'
import { Refusal, unavailable } from './refusal.ts'
import type { TokenAccounts } from './token-accounts.ts'

/** Tells who is calling, at once where the token was verified before. Throws or rejects with {@link Refusal}: 401, 429 or 503. */
export type Authenticate = (request: FastifyRequest) => Caller | Promise<Caller>

/** The limit on look-ups of tokens that only the API can judge. */
export interface LookupLimits {
  /** Asks for one look-up of a token made by hand. One that was accepted within a day is looked up whatever others do. */
  lookup(address: string, tokenHash: string): TokenLookup
}

/** Something is sent as a bearer token, whatever it looks like. */
const SENDS_TOKEN = /^bearer\s+\S/i

/**
 * Reads the bearer token of a request. What is shaped like a JWT must verify here; what is shaped like an API token
 * made by hand, the API alone can judge; nothing else is asked about. Failed look-ups of these are limited, and nothing
 * else is: without credentials, and with an access token that is not good, the answer is always 401 with its challenge.
 */
export function createAuthenticate(
  tokens: AccessTokens,
  challenges: Challenges,
  limits: LookupLimits,
  accounts: TokenAccounts,
): Authenticate {
  return (request) => {
    const { authorization } = request.headers
    if (authorization === undefined) throw challenges.missing()
    // As the API, which is handed one of them, would say of both.
    if (standsTwice(request.raw.rawHeaders, 'authorization')) {
      throw challenges.invalid('Send the Authorization header once.')
    }
    if (carriesTokenInQuery(request.url)) {
      throw challenges.invalid('Send the token in the Authorization header only, never in the URL.')
    }
    const token = readBearer(authorization)
    // Of another scheme, or of none, it carries nothing that we could call wrong (RFC 6750 §3.1).
    if (token === undefined) throw SENDS_TOKEN.test(authorization) ? challenges.invalid() : challenges.missing()
    const key = tokenKey(token)
    const { id: requestId, ip: address } = request
    const nobody = { account: null, clientId: null, scope: null }
    const caller = { ...nobody, token, key, address, requestId, callKey: key, lookup: null }
    const known = tokens.recall(key)
    if (known !== undefined) return verifiedCaller(caller, known)
    const isPossible = isPossibleToken(token)
    if (isPossible && isJwtShaped(token)) return verify(caller)
    const lookup = limits.lookup(address, key)
    if (lookup.waitSeconds > 0) throw new Refusal('RATE_LIMITED', { retryAfterSeconds: lookup.waitSeconds })
    if (!isPossible) {
      lookup.refused()
      throw challenges.invalid(isMistypedToken(token) ? TOKEN_MISTYPED_MESSAGE : undefined)
    }
    return { ...caller, account: accounts.get(key) ?? null, lookup }
  }

  async function verify(caller: Caller): Promise<Caller> {
    let judged: AccessToken | TokenRefusal
    try {
      judged = await tokens.verify(caller.token, caller.key)
    } catch {
      // The signing keys cannot be read: nothing can be said about the token.
      throw unavailable()
    }
    if (typeof judged === 'string') throw challenges.invalid()
    return verifiedCaller(caller, judged)
  }
}

function verifiedCaller(caller: Caller, { accountId, scope, clientId }: AccessToken): Caller {
  return { ...caller, account: accountId, clientId, scope, callKey: `${accountId} ${clientId}` }
}

function carriesTokenInQuery(url: string): boolean {
  const start = url.indexOf('?')
  if (start === -1) return false
  return [...new URLSearchParams(url.slice(start)).keys()].some(namesToken)
}

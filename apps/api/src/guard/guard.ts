import { createAccessTokens, tokenKey } from '@vertexsms/access-token/remember'
import type { AccessToken } from '@vertexsms/access-token/verify'
import { TOKEN_MISTYPED_MESSAGE } from '@vertexsms/contract/api-errors'
import { isJwtShaped, isMistypedToken, isPossibleToken } from '@vertexsms/contract/api-token'
import { type RouteDefinition, routeOf } from '@vertexsms/contract/routes'
import { isTokenAlive } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { checkEncoded } from '@vertexsms/service/text'
import type { TokenLookups } from '@vertexsms/service/token-lookups'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from '../http/api-error.ts'
import { toApiError, unavailable } from '../http/error-answers.ts'
import { readQueryNames } from '../http/query.ts'
import { createAddressReader, createEdgeProof, isAddressAllowed } from './address.ts'
import { createLastUsed } from './last-used.ts'
import type { RequestLimits } from './request-limits.ts'
import { createSigningKeys } from './signing-keys.ts'
import { createFindToken, type TokenRow } from './token-row.ts'
import { readTokenValue } from './token-value.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the contract says of a guarded route: the permission it asks for, the query it takes. */
    definition?: RouteDefinition
  }
  interface FastifyRequest {
    /** The row of the token that this request came with, and the id of the request. */
    token: TokenRow & { readonly requestId: string }
    /** True where our MCP server made the request. */
    throughMcp: boolean
  }
}

/** What the guard judges by. */
export interface GuardOptions {
  readonly db: Database
  readonly issuer: string
  readonly audience: string
  readonly edgeSecret: string
  /** The pace of callers. */
  readonly limits: RequestLimits
  /** For the whole look at a token. */
  readonly checkTimeoutMs: number
  /** The limit of failed look-ups of tokens made by hand. */
  readonly lookups: TokenLookups
}

/** Verified access tokens whose signature is not asked for again. */
const REMEMBERED_TOKENS_MAX = 10_000

/**
 * Puts every route of the scope behind the token, then its IP allow-list, then its permission, before a body is read.
 * Throws TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, IP_NOT_ALLOWED (401), INVALID_INPUT for ambiguous headers and a query that the route does not take (400),
 * PERMISSION_MISSING (403), RATE_LIMITED (429) for a caller above its pace and for an unknown token after too many failed look-ups, and
 * UNAVAILABLE (503) when it cannot decide: nothing passes that was not found alive in the database during this request.
 */
export function registerGuard(
  app: FastifyInstance,
  { db, issuer, audience, edgeSecret, limits, checkTimeoutMs, lookups }: GuardOptions,
): void {
  const accessTokens = createAccessTokens({ issuer, audience, keys: createSigningKeys(db) }, REMEMBERED_TOKENS_MAX)
  const isFromMcp = createEdgeProof(edgeSecret)
  const addressOf = createAddressReader(isFromMcp)
  const findToken = createFindToken(db)
  const lastUsed = createLastUsed(db)

  async function authenticate(value: string, address: string | null): Promise<TokenRow> {
    const isPossible = isPossibleToken(value)
    if (isPossible && isJwtShaped(value)) {
      const key = tokenKey(value)
      const judged = accessTokens.recall(key) ?? (await accessTokens.verify(value, key))
      if (typeof judged === 'string') throw new ApiError(judged === 'expired' ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID')
      return live(await findToken(hashToken(judged.jti)), judged)
    }
    const hash = hashToken(value)
    // What cannot be read as an address shares one ceiling.
    const lookup = lookups.begin(address ?? '', Buffer.from(hash).toString('base64'))
    if (lookup.waitSeconds > 0) {
      throw new ApiError('RATE_LIMITED', { headers: { 'retry-after': String(lookup.waitSeconds) } })
    }
    try {
      if (isMistypedToken(value)) throw new ApiError('TOKEN_INVALID', { message: TOKEN_MISTYPED_MESSAGE })
      const row = live(isPossible ? await findToken(hash) : undefined, null)
      lookup.accepted()
      return row
    } catch (error) {
      if (error instanceof ApiError) lookup.refused()
      else lookup.undecided()
      throw error
    }
  }

  /** The check, or UNAVAILABLE when it takes longer than one statement may: keys and row may both be waited for. */
  async function inTime(check: Promise<TokenRow>): Promise<TokenRow> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(unavailable()), checkTimeoutMs)
    })
    try {
      return await Promise.race([check, late])
    } finally {
      clearTimeout(timer)
    }
  }

  function live(row: TokenRow | undefined, jwt: AccessToken | null): TokenRow {
    if (!row || !isRowOf(row, jwt) || !row.accountAlive || !row.connectionUnended) throw new ApiError('TOKEN_INVALID')
    const now = row.now()
    if (!isTokenAlive(row, now) || (jwt && jwt.exp * 1000 <= now.getTime())) throw new ApiError('TOKEN_EXPIRED')
    return row
  }

  app.decorateRequest('token')
  app.decorateRequest('throughMcp', false)
  app.addHook('onRoute', (route) => {
    const definition = routeOf([route.method].flat()[0] ?? '', route.url)
    if (definition === undefined) throw new Error(`the contract knows no route ${route.method} ${route.url}`)
    route.config = { ...route.config, definition }
  })
  app.addHook('onRequest', async (request) => {
    const value = readTokenValue(request.raw.rawHeaders)
    const address = addressOf(request)
    const row = await inTime(authenticate(value, address)).catch((error: Error) => {
      throw undecided(request, error)
    })
    if (!isAddressAllowed(row.ipAllowList, address)) throw new ApiError('IP_NOT_ALLOWED')
    const { definition } = request.routeOptions.config
    if (!mayCall(row, definition?.permission)) throw new ApiError('PERMISSION_MISSING')
    limits.take(row)
    lastUsed.note(row.id, row.lastUsedAt, row.now())
    // A copy: requests that came at the same time may have been given the same row.
    request.token = { ...row, requestId: request.id }
    request.throughMcp = isFromMcp(request)
    // Paths and queries are read from here on; a stranger gets no further than the token.
    checkEncoded(request.url)
    readQueryNames(request, definition?.query)
  })
  app.addHook('onClose', () => lastUsed.flush())
}

function mayCall({ permissions }: TokenRow, wanted: RouteDefinition['permission'] | undefined): boolean {
  if (wanted === 'none') return true
  return [wanted ?? []].flat().some((permission) => permissions.includes(permission))
}

/** A JWT stands for an access token's row of its own account; any other value for a token made by hand. */
function isRowOf(row: TokenRow, jwt: AccessToken | null): boolean {
  return jwt ? row.kind === 'oauth_access' && row.accountId === jwt.accountId : row.kind === 'manual'
}

/** A check that broke is not a refusal: the caller keeps its token and tries again. */
function undecided(request: FastifyRequest, error: Error): ApiError {
  if (error instanceof ApiError) return error
  if (toApiError(error).code === 'INTERNAL') request.log.error({ err: error }, 'token check failed')
  return unavailable()
}

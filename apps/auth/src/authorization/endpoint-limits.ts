import type { Database } from '@vertexsms/db/client'
import { hashToken } from '@vertexsms/secrets/hash-token'
import type { FastifyRequest } from 'fastify'
import { decodeJwt } from 'jose'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { IS_OPERATORS } from '../operator-mark.ts'
import type { RateLimiter, Verdict } from '../web/rate-limit.ts'
import { currentAddress } from './request/address.ts'
import { PATHS } from './request/paths.ts'
import { artifactId } from './tokens/token-store.ts'

// Hosted clients of many people share few addresses. So an address is refused for what failed from it, and even then
// not the request that is known to be good: one that holds a live code or refresh token of its client, or comes from one that
// somebody has connected and that has no failures of its own here.

const LIMIT_OF = {
  [PATHS.token]: 'token',
  [PATHS.introspection]: 'introspection',
  [PATHS.revocation]: 'revocation',
  [PATHS.pushedRequest]: 'pushedRequest',
} as const

/** An endpoint that is guarded. */
export type GuardedPath = keyof typeof LIMIT_OF

/** Endpoints at which every request is counted: their answer does not tell a failure, or they store a row. */
const COUNTED_ALWAYS: ReadonlySet<string> = new Set([PATHS.revocation, PATHS.pushedRequest])

/** What a token request is made with, by its `grant_type`. */
const VALUE_OF_GRANT: ReadonlyMap<string, string> = new Map([
  ['authorization_code', 'code'],
  ['refresh_token', 'refresh_token'],
])

/** Decides by the form that the library would be handed whether it is, before anything is done for it. */
export function createEndpointLimits({ db, limiter }: { readonly db: Database; readonly limiter: RateLimiter }) {
  return async (path: GuardedPath, request: FastifyRequest, form: URLSearchParams): Promise<Verdict> => {
    const address = request.ip
    const name = LIMIT_OF[path]
    const clientId = clientIdOf(request.headers.authorization, form)
    const [atAddress, ofClient] = [
      await limiter.look(name, { address }),
      await limiter.look('client', { address, about: clientId }),
    ]
    if (!atAddress.allowed || !ofClient.allowed) {
      const sound =
        (await holdsLiveToken(db, clientId, usedValue(path, form))) ||
        (ofClient.allowed && (await isConnected(db, clientId)))
      return sound ? { allowed: true } : atAddress.allowed ? ofClient : atAddress
    }
    // An assertion leaves a row until it expires, whatever the answer.
    return COUNTED_ALWAYS.has(path) || form.has('client_assertion') ? limiter.hit(name, { address }) : { allowed: true }
  }
}

/** The middleware that counts what failed, before its answer leaves. A lost database is nobody's failure. */
export function countFailures({ limiter }: { readonly limiter: RateLimiter }) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next()
    const path = ctx.path as GuardedPath
    if (!Object.hasOwn(LIMIT_OF, path) || ctx.method !== 'POST' || ctx.status < 400 || ctx.status >= 500) return
    const address = currentAddress(ctx) ?? 'unknown'
    // The first of a repeated one, as where it was let in.
    const sent = (name: string) => String([ctx.oidc?.body?.[name]].flat()[0] ?? '')
    const form = new URLSearchParams(['client_id', 'client_assertion'].map((name) => [name, sent(name)]))
    if (!COUNTED_ALWAYS.has(path)) await limiter.hit(LIMIT_OF[path], { address })
    await limiter.hit('client', { address, about: clientIdOf(ctx.get('authorization'), form) })
  }
}

/** Whom a request says it comes from; nothing is proved by it, it only says whose failures are counted together. */
function clientIdOf(authorization: string | undefined, form: URLSearchParams): string {
  const [, encoded] = /^basic ([\w+/=-]+)$/i.exec(authorization ?? '') ?? []
  if (encoded === undefined) return form.get('client_id') || subjectOf(form.get('client_assertion') ?? '')
  const [user = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  try {
    return decodeURIComponent(user.replaceAll('+', ' '))
  } catch {
    return user
  }
}

/** Whom an assertion names, which need not be named beside it (RFC 7521 §4.2); empty for what is none. */
function subjectOf(assertion: string): string {
  try {
    return String(decodeJwt(assertion).sub ?? '')
  } catch {
    return ''
  }
}

/** The code or token that the endpoint acts on; null for a request without exactly one, which it refuses. */
function usedValue(path: GuardedPath, form: URLSearchParams): string | null {
  const name = path === PATHS.token ? VALUE_OF_GRANT.get(form.getAll('grant_type').join(' ')) : 'token'
  const [value, ...others] = name === undefined || path === PATHS.pushedRequest ? [] : form.getAll(name)
  return value && others.length === 0 ? value : null
}

/**
 * One look by hash; who knows such a value was given it by us. To any other client than the one that it was given to it is
 * of no use, and must not let in what that one guesses or leaves. A used refresh token counts: its overlap may be open.
 */
async function holdsLiveToken(db: Database, clientId: string, value: string | null): Promise<boolean> {
  if (value === null || !isCallable(clientId)) return false
  const [found] = await db.$queryRaw<[{ live: boolean }]>`
    SELECT EXISTS (
      SELECT 1 FROM oidc_artifact
      WHERE kind IN ('RefreshToken', 'AuthorizationCode') AND id = ${artifactId(value)} AND consumed_at IS NULL
        AND payload->>'clientId' = ${clientId}
    ) OR EXISTS (
      SELECT 1 FROM used_refresh_token WHERE token_hash = ${hashToken(value)} AND client_id = ${clientId} AND sealed_response IS NOT NULL
    ) AS live`
  return found.live
}

/** True for a client that a person has approved, or that an operator made. A stranger cannot make one. */
export async function isConnected(db: Database, clientId: string): Promise<boolean> {
  if (!isCallable(clientId)) return false
  const [found] = await db.$queryRaw<[{ connected: boolean }]>`
    SELECT EXISTS (
      SELECT 1 FROM oidc_client WHERE id = ${clientId}
        AND (last_used_at IS NOT NULL OR ${IS_OPERATORS})
    ) AS connected`
  return found.connected
}

/** True for what a client could be called; the database refuses to be asked for a text with U+0000. */
function isCallable(clientId: string): boolean {
  return clientId !== '' && !clientId.includes('\0')
}

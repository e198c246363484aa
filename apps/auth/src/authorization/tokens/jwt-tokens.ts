import { type VerifiedToken, verifyAccessToken } from '@vertexsms/access-token/verify'
import { tokenEnds, tokenLives } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { hashToken } from '@vertexsms/secrets/hash-token'
import type { JWTVerifyGetKey } from 'jose'
import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import { writeAuthorizationDetails } from '../../connections/authorization-details.ts'
import { endConnectionOfGrant } from '../../connections/end.ts'
import { LIMIT_COLUMNS, type LimitColumns, limitsInColumns } from '../../connections/limit-columns.ts'
import { OPERATOR_MARK } from '../../operator-mark.ts'
import { PATHS } from '../request/paths.ts'
import { findUsedToken, JOIN_LIVE } from './token-store.ts'

/** What revocation and introspection of access tokens need. */
export interface JwtTokenDeps {
  readonly db: Database
  readonly issuer: string
  readonly audience: string
  /** Finds the public key that a token names. */
  readonly keys: JWTVerifyGetKey
}

/**
 * The library refuses to revoke or introspect a JWT. Ours have a row, so both mean something: this middleware takes
 * over after the library has authenticated the client. Revoking an access token deletes its row and nothing else
 * (RFC 7009 §2.1); a token that is not valid, or not the client's, is answered like one that was (§2.2).
 */
export function jwtTokens(deps: JwtTokenDeps) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next()
    if (ctx.path !== PATHS.revocation && ctx.path !== PATHS.introspection) return
    const { error } = (ctx.body ?? {}) as { error?: unknown }
    const { client } = ctx.oidc ?? {}
    if (!client) return
    if (ctx.path === PATHS.revocation && !error && !ctx.oidc.entities.RefreshToken) {
      return revokeUsedToken(deps.db, String(ctx.oidc.params?.token ?? ''), client.clientId)
    }
    if (error !== 'unsupported_token_type') return
    const verified = await readAccessToken(deps, String(ctx.oidc.params?.token ?? ''))
    if (ctx.path === PATHS.revocation) {
      if (verified?.token.clientId === client.clientId) {
        const tokenHash = hashToken(verified.token.jti)
        await deps.db.apiToken.deleteMany({ where: { tokenHash, kind: 'oauth_access' } })
      }
      ctx.status = 200
      ctx.body = ''
      return
    }
    ctx.status = 200
    ctx.body =
      verified && mayIntrospect(client, verified.token.clientId) ? await describe(deps, verified) : { active: false }
  }
}

/**
 * A refresh token that was rotated away stands for its connection like the one that followed it: whoever revokes it,
 * however late, wants the connection to end (RFC 7009 §2.1). Another client's token is left alone (§2.2).
 */
async function revokeUsedToken(db: Database, token: string, clientId: string): Promise<void> {
  const used = await findUsedToken(db, token)
  if (used?.clientId === clientId) await endConnectionOfGrant(db, used.grant.grantId, 'revoked')
}

/** A client may ask about its own tokens; an operator's client about every token (RFC 7662 §4). */
export function mayIntrospect(client: Client, tokenClientId: string | undefined): boolean {
  return client[OPERATOR_MARK] === true || (client.clientAuthMethod !== 'none' && client.clientId === tokenClientId)
}

async function readAccessToken(expected: JwtTokenDeps, value: string): Promise<VerifiedToken | null> {
  const judged = await verifyAccessToken(value, expected)
  return typeof judged === 'string' ? null : judged
}

/** The live truth: a token whose row, connection or account is gone or over is not active, whatever its signature says (RFC 7662 §2.2). */
async function describe(deps: JwtTokenDeps, { token, claims }: VerifiedToken): Promise<Record<string, unknown>> {
  const [row] = await deps.db.$queryRaw<({ expiresAt: Date } & LimitColumns)[]>`
    SELECT ${tokenEnds('t', 'c')} AS "expiresAt", ${LIMIT_COLUMNS}
    FROM api_token t JOIN connection c ON c.id = t.connection_id
    ${JOIN_LIVE}
    WHERE t.token_hash = ${hashToken(token.jti)} AND ${tokenLives('t')}
      AND to_timestamp(${token.exp}::double precision) > database_now()`
  if (!row) return { active: false }
  const { iss, sub, aud, iat, jti, scope, client_id } = claims
  const exp = Math.min(token.exp, Math.floor(row.expiresAt.getTime() / 1000))
  const authorization_details = writeAuthorizationDetails(limitsInColumns(row))
  return { active: true, iss, sub, aud, exp, iat, jti, scope, client_id, token_type: 'Bearer', authorization_details }
}

import { randomUUID } from 'node:crypto'
import { accessTokenName, refreshTokenName } from '@vertexsms/contract/api-token'
import { PERMISSIONS } from '@vertexsms/contract/permissions'
import { SCOPE_NAMES, type Scope } from '@vertexsms/contract/scopes'
import type { Database } from '@vertexsms/db/client'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { AUDIENCE, ISSUER } from './world.ts'

/** A signing key as the authorization server keeps it, and a maker of tokens under it. */
export async function makeIssuer(db: Database, kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const publicJwk = { ...(await exportJWK(publicKey)), kid, use: 'sig' }
  const now = new Date()
  await db.signingKey.create({
    data: { kid, alg: 'ES256', publicJwk, sealedJwk: new Uint8Array(), createdAt: now, signsFrom: now },
  })
  const sign = (claims: JWTPayload, header: Record<string, unknown> = {}) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt', ...header }).sign(privateKey)
  return { publicKey, publicJwk, privateKey, sign }
}

/** The claims of an access token that the API takes. */
export function accessClaims(accountId: string, changes: JWTPayload = {}): JWTPayload & { jti: string } {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: ISSUER,
    sub: accountId,
    aud: ['http://localhost:4001/mcp', AUDIENCE],
    client_id: 'client',
    scope: 'sms:send',
    jti: randomUUID(),
    iat: now,
    exp: now + 600,
    ...changes,
  }
}

/** A connection lasts longer than any of its tokens. */
const CONNECTION_MS = 365 * 86_400_000

/** A connection under every scope with the rows of its access and refresh tokens. */
export async function makeConnection(db: Database, accountId: string, jti: string, refreshValue = randomUUID()) {
  const id = randomUUID()
  const now = new Date()
  const expiresAt = new Date(now.getTime() + 600_000)
  await db.connection.create({
    data: {
      id,
      accountId,
      grantId: randomUUID(),
      clientId: 'client',
      clientName: 'Client',
      redirectHost: 'localhost',
      scopes: [...SCOPE_NAMES],
      createdAt: now,
      approvedAt: now,
      expiresAt: new Date(now.getTime() + CONNECTION_MS),
    },
  })
  const row = { accountId, connectionId: id, permissions: [...PERMISSIONS], ipAllowList: [], createdAt: now, expiresAt }
  const access = await db.apiToken.create({
    data: { ...row, id: randomUUID(), kind: 'oauth_access', name: accessTokenName(id), tokenHash: hashToken(jti) },
  })
  const refresh = await db.apiToken.create({
    data: {
      ...row,
      id: randomUUID(),
      kind: 'oauth_refresh',
      name: refreshTokenName(id),
      tokenHash: hashToken(refreshValue),
    },
  })
  return { id, access, refresh, refreshValue }
}

/** A connection whose spender stands already, as after its first send, and a token of it. */
export async function makeSendingConnection(
  db: Database,
  accountId: string,
  sign: Awaited<ReturnType<typeof makeIssuer>>['sign'],
): Promise<{ id: string; token: string }> {
  const claims = accessClaims(accountId)
  const { id } = await makeConnection(db, accountId, claims.jti)
  await db.spender.create({ data: { id, accountId, kind: 'connection', createdAt: new Date() } })
  return { id, token: await sign(claims) }
}

/** Ends a connection in the two statements in which the authorization server does. */
export async function endConnection(db: Database, id: string): Promise<void> {
  const now = new Date()
  await db.$transaction([
    db.$queryRaw`SELECT id::text FROM connection WHERE id = ${id}::uuid AND ended_at IS NULL FOR NO KEY UPDATE`,
    db.$executeRaw`
      WITH ended AS (
        UPDATE connection SET ended_at = ${now}::timestamptz, ended_reason = 'deleted'
        WHERE id = ${id}::uuid AND ended_at IS NULL RETURNING id
      ), tokens AS (
        DELETE FROM api_token USING ended WHERE api_token.connection_id = ended.id
      )
      UPDATE message SET status = 'cancelled' FROM ended
      WHERE message.connection_id = ended.id AND message.status = 'scheduled'`,
  ])
}

/** Approves a connection again, for these scopes, as the authorization server does: what was issued before ends with it. */
export async function approveAgain(db: Database, id: string, scopes: readonly Scope[]): Promise<void> {
  await db.$transaction([
    db.$queryRaw`SELECT id::text FROM connection WHERE id = ${id}::uuid AND ended_at IS NULL FOR NO KEY UPDATE`,
    db.apiToken.deleteMany({ where: { connectionId: id } }),
    db.connection.update({
      where: { id },
      data: { grantId: randomUUID(), scopes: [...scopes], approvedAt: new Date() },
    }),
  ])
}

/** Deletes a token made by hand in the two statements in which Settings -> API does. */
export async function deleteManualToken(db: Database, id: string): Promise<void> {
  await db.$transaction([
    db.apiToken.deleteMany({ where: { id } }),
    db.message.updateMany({ where: { manualTokenId: id, status: 'scheduled' }, data: { status: 'cancelled' } }),
  ])
}

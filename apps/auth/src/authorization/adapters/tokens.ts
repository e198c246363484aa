import type { Adapter, AdapterPayload } from 'oidc-provider'
import { errors, Provider } from 'oidc-provider'
import { writeAuthorizationDetails } from '../../connections/authorization-details.ts'
import { endConnectionOfGrant } from '../../connections/end.ts'
import { narrowedScope } from '../request/parameters.ts'
import { judgeUsedToken } from '../tokens/refresh-overlap.ts'
import { artifactId, findToken, writeCode } from '../tokens/token-store.ts'
import type { GrantSnapshot } from '../tokens/unit-of-work.ts'
import { type AdapterDeps, currentWork, lifetime, nothing, reading, seconds, unused } from './base.ts'

/** Ends the connection of a grant, once per request: the library asks for each model in parallel. */
export function revokeGrant(deps: AdapterDeps, grantId: string): Promise<undefined> {
  const work = currentWork()
  const started = work?.revocations.get(grantId)
  if (started) return started.then(() => undefined)
  const reason = work?.presented?.kind === 'AuthorizationCode' ? 'code_replay' : work ? 'refresh_reuse' : 'revoked'
  if (work?.grant && reason !== 'revoked') {
    const { connectionId, clientId } = work.grant
    deps.onReuse({ reason, connectionId, clientId })
  }
  const revocation = endConnectionOfGrant(deps.db, grantId, reason)
  work?.revocations.set(grantId, revocation)
  return revocation.then(() => undefined)
}

/** Authorization codes: written when issued, used up in the unit of work of the exchange. */
export function codeAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('AuthorizationCode'),
    async upsert(id, payload, expiresIn) {
      const written = await writeCode(deps.db, id, withoutDetails(payload), lifetime(expiresIn))
      if (!written) throw new errors.AccessDenied('the connection has ended')
    },
    async find(value) {
      const found = await reading(() => findToken(deps.db, 'AuthorizationCode', value))
      if (!found) return undefined
      const work = currentWork()
      if (work) {
        work.grant = found.grant
        work.presented = { kind: 'AuthorizationCode', id: artifactId(value), value }
      }
      return {
        ...withDetails(found.payload, found.grant),
        jti: value,
        ...(found.consumedAt && { consumed: seconds(found.consumedAt) }),
      }
    },
    async consume() {
      const work = currentWork()
      if (work) work.consumed = true
    },
    revokeByGrantId: (grantId) => revokeGrant(deps, grantId),
  }
}

/**
 * The limits of a connection come from its row with every reading and are never stored with a token, so what a response
 * or an introspection says is what holds at that moment (RFC 9396 §7).
 */
function withDetails(payload: Record<string, unknown>, grant: GrantSnapshot | undefined): Record<string, unknown> {
  return { ...payload, rar: writeAuthorizationDetails(grant?.limits ?? null) }
}

function withoutDetails(payload: AdapterPayload): AdapterPayload {
  const { rar: _, ...stored } = payload
  return stored
}

/**
 * Narrows the scope of the refresh being handled to what was granted, before the library compares the two. Nothing in
 * common is left as it is, for the library to refuse.
 */
function narrowScope(granted: readonly string[]): void {
  const params = Provider.ctx?.oidc.params
  if (typeof params?.scope === 'string') params.scope = narrowedScope(params.scope, granted) ?? params.scope
}

/** Refresh tokens: everything about them is written in the unit of work. */
export function refreshTokenAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('RefreshToken'),
    async upsert(id, payload, expiresIn) {
      const work = currentWork()
      if (!work) throw new Error('a refresh token outside a token request')
      const { jti: _, ...stored } = withoutDetails(payload)
      work.refresh = { value: id, payload: JSON.stringify(stored), lifetimeSeconds: lifetime(expiresIn) }
    },
    async find(value) {
      const work = currentWork()
      const found = await reading(() => findToken(deps.db, 'RefreshToken', value))
      if (!found) {
        const clientId = Provider.ctx?.oidc.client?.clientId
        const used = work && (await reading(() => judgeUsedToken(deps, work, { value, clientId })))
        if (!used) return undefined
        narrowScope(work?.grant?.scopes ?? [])
        return { ...withDetails(used, work?.grant), jti: value }
      }
      if (work) {
        work.grant = found.grant
        work.presented = { kind: 'RefreshToken', id: artifactId(value), value }
        narrowScope(found.grant.scopes)
      }
      return { ...withDetails(found.payload, found.grant), jti: value }
    },
    async consume() {
      const work = currentWork()
      if (work) work.consumed = true
    },
    // Always followed by the revocation of the grant, which takes the token with it.
    destroy: nothing,
    revokeByGrantId: (grantId) => revokeGrant(deps, grantId),
  }
}

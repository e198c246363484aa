import type { Adapter } from 'oidc-provider'
import { errors } from 'oidc-provider'
import { type AdapterDeps, expiry, nothing, seconds, storeArtifact, unused } from './adapter-base.ts'
import { openInteraction, sealInteraction } from './interaction-seal.ts'
import { artifactId } from './token-store.ts'

/** Sealed as a whole: the identifier is in the browser's cookie and in the URL, and must not be found here. */
export function interactionAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('Interaction'),
    async upsert(uid, payload, expiresIn) {
      const expiresAt = expiry(expiresIn)
      const sealed = sealInteraction(deps.operatorKey, uid, payload)
      const key = { kind: 'Interaction', id: artifactId(uid) }
      await deps.db.oidcArtifact.upsert({
        where: { kind_id: key },
        create: { ...key, payload: { sealed }, expiresAt },
        update: { payload: { sealed }, expiresAt },
      })
    },
    async find(uid) {
      const row = await deps.db.oidcArtifact.findUnique({
        where: { kind_id: { kind: 'Interaction', id: artifactId(uid) } },
      })
      // The library would give it a tolerance that is meant for other people's clocks.
      if (!row?.expiresAt || row.expiresAt <= new Date()) return undefined
      return openInteraction(deps.operatorKey, uid, row.payload)
    },
    async destroy(uid) {
      await deps.db.oidcArtifact.deleteMany({ where: { kind: 'Interaction', id: artifactId(uid) } })
    },
  }
}

/** Pushed authorization requests (RFC 9126): good once. */
export function pushedRequestAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('PushedAuthorizationRequest'),
    async upsert(id, payload, expiresIn) {
      await storeArtifact(deps.db, 'PushedAuthorizationRequest', id, payload, expiresIn)
    },
    async find(id) {
      const row = await deps.db.oidcArtifact.findUnique({
        where: { kind_id: { kind: 'PushedAuthorizationRequest', id: artifactId(id) } },
      })
      if (!row) return undefined
      const consumed = row.consumedAt ? { consumed: seconds(row.consumedAt) } : {}
      return { ...(row.payload as object), jti: id, ...consumed }
    },
    // Conditional, because the library only looks before: of two answers to one pushed request one must fail.
    async consume(id) {
      const { count } = await deps.db.oidcArtifact.updateMany({
        where: { kind: 'PushedAuthorizationRequest', id: artifactId(id), consumedAt: null },
        data: { consumedAt: new Date() },
      })
      if (count === 0) throw new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used')
    },
  }
}

/** Used client assertions (RFC 7523 §3). Insert or fail: the library only looks before, and two could pass at once. */
export function replayAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('ReplayDetection'),
    find: nothing,
    async upsert(id, _payload, expiresIn) {
      const now = new Date()
      const expiresAt = expiry(expiresIn)
      const inserted = await deps.db.$executeRaw`
        INSERT INTO oidc_artifact (kind, id, payload, expires_at)
        VALUES ('ReplayDetection', ${artifactId(id)}, '{}', ${expiresAt}::timestamptz)
        ON CONFLICT (kind, id) DO UPDATE SET expires_at = excluded.expires_at
        WHERE oidc_artifact.expires_at <= ${now}::timestamptz`
      if (inserted === 0) throw new errors.InvalidClientAuth({ detail: 'the client assertion was used before' })
    },
  }
}

import type { Database } from '@vertexsms/db/client'
import { decodeJwt } from 'jose'
import type { Adapter } from 'oidc-provider'
import { errors, Provider } from 'oidc-provider'
import { keepWithin } from '../../storage-quota.ts'
import { currentOrigin } from '../request/address.ts'
import { inLocalTime } from '../tokens/local-times.ts'
import { artifactId } from '../tokens/token-store.ts'
import { type AdapterDeps, lifetime, nothing, seconds, unused } from './base.ts'
import { openInteraction, sealInteraction } from './interaction-seal.ts'

interface LiveRow {
  readonly payload: object
  readonly consumedAt: Date | null
  readonly expiresAt: Date
  readonly now: Date
}

/** A stored request whose time is not over by the database's clock. */
async function findLive(db: Database, kind: string, id: string): Promise<LiveRow | undefined> {
  const [row] = await db.$queryRaw<LiveRow[]>`
    SELECT payload, consumed_at AS "consumedAt", expires_at AS "expiresAt", database_now() AS now
    FROM oidc_artifact WHERE kind = ${kind} AND id = ${artifactId(id)} AND expires_at > database_now()`
  return row
}

/** Sealed as a whole: the identifier is in the browser's cookie and in the URL, and must not be found here. */
export function interactionAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('Interaction'),
    async upsert(uid, payload, expiresIn) {
      const origin = currentOrigin(deps.operatorKey)
      const sealed = JSON.stringify({ sealed: sealInteraction(deps.operatorKey, uid, payload) })
      await deps.db.$executeRaw`
        INSERT INTO oidc_artifact (kind, id, payload, expires_at, origin)
        VALUES ('Interaction', ${artifactId(uid)}, ${sealed}::jsonb,
                database_now() + ${lifetime(expiresIn)}::int * interval '1 second', ${origin})
        ON CONFLICT (kind, id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`
      await keepWithin(deps.db, 'interactions', origin)
    },
    async find(uid) {
      // The library would give it a tolerance that is meant for other people's clocks.
      const row = await findLive(deps.db, 'Interaction', uid)
      return row && inLocalTime(openInteraction(deps.operatorKey, uid, row.payload), row)
    },
    // Conditional, because the library only looks before: of two ways back from one approval one must fail, or each has a
    // code, and the connection as many refresh tokens.
    async destroy(uid) {
      const { count } = await deps.db.oidcArtifact.deleteMany({ where: { kind: 'Interaction', id: artifactId(uid) } })
      if (count === 0) throw new errors.SessionNotFound('interaction session not found')
    },
  }
}

/** Pushed authorization requests (RFC 9126): good once. */
export function pushedRequestAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('PushedAuthorizationRequest'),
    async upsert(id, payload, expiresIn) {
      const origin = currentOrigin(deps.operatorKey)
      const { jti: _, ...stored } = payload
      await deps.db.$executeRaw`
        INSERT INTO oidc_artifact (kind, id, payload, expires_at, origin)
        VALUES ('PushedAuthorizationRequest', ${artifactId(id)}, ${JSON.stringify(stored)}::jsonb,
                database_now() + ${lifetime(expiresIn)}::int * interval '1 second', ${origin})`
      await keepWithin(deps.db, 'pushedRequests', origin)
    },
    async find(id) {
      const row = await findLive(deps.db, 'PushedAuthorizationRequest', id)
      if (!row || !isOfThisClient(row.payload)) return undefined
      const consumed = row.consumedAt ? { consumed: seconds(row.consumedAt) } : {}
      return { ...inLocalTime(row.payload, row), jti: id, ...consumed }
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

/**
 * True for a pushed request of the client that asks (RFC 9126 §2.2). The library would tell any other client what is wrong
 * with it, at its own address, with the `state` of the one that pushed it.
 */
function isOfThisClient(pushed: object): boolean {
  const { request } = pushed as { readonly request: string }
  return decodeJwt(request).client_id === Provider.ctx?.oidc.params?.client_id
}

/** Used client assertions (RFC 7523 §3). Insert or fail: the library only looks before, and two could pass at once. */
export function replayAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('ReplayDetection'),
    find: nothing,
    async upsert(id, _payload, expiresIn) {
      const inserted = await deps.db.$executeRaw`
        INSERT INTO oidc_artifact (kind, id, payload, expires_at)
        VALUES ('ReplayDetection', ${artifactId(id)}, '{}',
                database_now() + ${lifetime(expiresIn)}::int * interval '1 second')
        ON CONFLICT (kind, id) DO UPDATE SET expires_at = excluded.expires_at
        WHERE oidc_artifact.expires_at <= database_now()`
      if (inserted === 0) throw new errors.InvalidClientAuth({ detail: 'the client assertion was used before' })
    },
  }
}

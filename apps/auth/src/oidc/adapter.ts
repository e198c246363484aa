import type { Database } from '@vertexsms/db/client'
import type { Adapter, AdapterPayload, KoaContextWithOIDC } from 'oidc-provider'
import { errors, Provider } from 'oidc-provider'
import { isDocumentUrl } from './client-documents.ts'
import type { RegisteredClients } from './clients.ts'
import { endConnectionOfGrant } from './connection-end.ts'
import { type ClientDocuments, DocumentUnavailable } from './document-store.ts'
import { openInteraction, sealInteraction } from './interaction-seal.ts'
import { judgeUsedToken, type ReplayEvent } from './refresh-overlap.ts'
import type { Resources } from './requests.ts'
import { artifactId, findToken } from './token-store.ts'
import type { UnitOfWork } from './unit-of-work.ts'

// Where the library keeps things, one small adapter per model. Identifiers are hashed, and what a payload says of
// itself (`jti`) is put back on reading, so that nothing in the database can be presented to us again.
// Token requests write nothing here: they note it in the unit of work (unit-of-work.ts, token-endpoint.ts).

/** What the adapters need. */
export interface AdapterDeps {
  readonly db: Database
  readonly operatorKey: Uint8Array
  readonly clients: RegisteredClients
  readonly documents: ClientDocuments
  readonly resources: Resources
  readonly allowLocalhost: boolean
  /** Told of refresh tokens and codes that came a second time; the arguments are safe to log. */
  readonly onReplay: (event: ReplayEvent, connectionId: string) => void
}

/** The adapter factory for {@link Provider}. */
export function createAdapters(deps: AdapterDeps): (model: string) => Adapter {
  const adapters: Record<string, () => Adapter> = {
    Client: () => clientAdapter(deps),
    Grant: () => grantAdapter(deps),
    Interaction: () => interactionAdapter(deps),
    AuthorizationCode: () => codeAdapter(deps),
    RefreshToken: () => refreshTokenAdapter(deps),
    PushedAuthorizationRequest: () => pushedRequestAdapter(deps),
    ReplayDetection: () => replayAdapter(deps),
    AccessToken: () => ({ ...unused('AccessToken'), find: nothing, revokeByGrantId: (id) => revokeGrant(deps, id) }),
    // Who is signed in is decided by our own session alone. The library's browser session lives for one request.
    Session: () => ({ ...unused('Session'), upsert: nothing, find: nothing, findByUid: nothing, destroy: nothing }),
  }
  return (model) => adapters[model]?.() ?? unused(model)
}

async function nothing(): Promise<undefined> {}

/** Every method refuses: a feature that would need it is off, and must not start storing things unnoticed. */
function unused(model: string): Adapter {
  const refuse = async (): Promise<never> => {
    throw new Error(`${model} is not stored`)
  }
  return {
    upsert: refuse,
    find: refuse,
    findByUserCode: refuse,
    findByUid: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
  }
}

/** The unit of work of the token request being handled; undefined on every other route. */
export function currentWork(): UnitOfWork | undefined {
  return (Provider.ctx as KoaContextWithOIDC | undefined)?.state?.work as UnitOfWork | undefined
}

/** Runs a read; a database failure during a token request is remembered, so that the answer can be 503. */
async function reading<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const work = currentWork()
    if (work) work.storageFailed = true
    throw error
  }
}

/** Ends the connection of a grant, once per request: the library asks for each model in parallel. */
function revokeGrant(deps: AdapterDeps, grantId: string): Promise<undefined> {
  const work = currentWork()
  const started = work?.revocations.get(grantId)
  if (started) return started.then(() => undefined)
  const reason = work?.presented?.kind === 'AuthorizationCode' ? 'code_replay' : work ? 'refresh_reuse' : 'revoked'
  if (work?.grant && reason !== 'revoked') deps.onReplay(reason, work.grant.connectionId)
  const revocation = endConnectionOfGrant(deps.db, grantId, reason, new Date())
  work?.revocations.set(grantId, revocation)
  return revocation.then(() => undefined)
}

function clientAdapter({ clients, documents, allowLocalhost }: AdapterDeps): Adapter {
  return {
    ...unused('Client'),
    async upsert(_id, payload) {
      await clients.save(payload as Record<string, unknown> & { client_id: string }, new Date())
    },
    async find(id) {
      if (!isDocumentUrl(id, { allowLocalhost })) return reading(() => clients.find(id))
      try {
        return await documents.find(id, new Date())
      } catch (error) {
        const work = currentWork()
        if (work && error instanceof DocumentUnavailable) work.storageFailed = true
        const detail = error instanceof Error ? error.message : 'unknown'
        throw new errors.InvalidClient(`client_id metadata document: ${detail}`)
      }
    },
  }
}

/** The connection is the grant: nothing is stored twice, and an ended connection has none. */
function grantAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('Grant'),
    async find(grantId) {
      const snapshot = currentWork()?.grant
      const grant =
        snapshot?.grantId === grantId
          ? snapshot
          : await reading(() => deps.db.connection.findUnique({ where: { grantId, endedAt: null } }))
      if (!grant) return undefined
      return {
        kind: 'Grant',
        jti: grantId,
        accountId: grant.accountId,
        clientId: grant.clientId,
        iat: seconds(grant.approvedAt),
        exp: seconds(grant.expiresAt),
        resources: { [deps.resources.mcp]: grant.scopes.join(' ') },
      }
    },
    destroy: (grantId) => revokeGrant(deps, grantId),
  }
}

function codeAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('AuthorizationCode'),
    async upsert(id, payload, expiresIn) {
      await storeArtifact(deps.db, 'AuthorizationCode', id, payload, expiresIn)
    },
    async find(value) {
      const found = await reading(() => findToken(deps.db, 'AuthorizationCode', value))
      if (!found) return undefined
      const work = currentWork()
      if (work) {
        work.grant = found.grant
        work.presented = { kind: 'AuthorizationCode', id: artifactId(value), value }
      }
      return { ...found.payload, jti: value, ...(found.consumedAt && { consumed: seconds(found.consumedAt) }) }
    },
    async consume() {
      const work = currentWork()
      if (work) work.consumed = true
    },
    revokeByGrantId: (grantId) => revokeGrant(deps, grantId),
  }
}

function refreshTokenAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('RefreshToken'),
    async upsert(id, payload, expiresIn) {
      const work = currentWork()
      if (!work) throw new Error('a refresh token outside a token request')
      const { jti: _, ...stored } = payload
      const expiresAt = expiry(expiresIn)
      work.refresh = { value: id, payload: JSON.stringify(stored), expiresAt }
    },
    async find(value) {
      const work = currentWork()
      const found = await reading(() => findToken(deps.db, 'RefreshToken', value))
      if (!found) {
        const clientId = Provider.ctx?.oidc.client?.clientId
        if (work) await reading(() => judgeUsedToken(deps, work, { value, clientId }))
        return undefined
      }
      if (work) {
        work.grant = found.grant
        work.presented = { kind: 'RefreshToken', id: artifactId(value), value }
      }
      return { ...found.payload, jti: value }
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

/** Sealed as a whole: the identifier is in the browser's cookie and in the URL, and must not be found here. */
function interactionAdapter(deps: AdapterDeps): Adapter {
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
      return row ? openInteraction(deps.operatorKey, uid, row.payload) : undefined
    },
    async destroy(uid) {
      await deps.db.oidcArtifact.deleteMany({ where: { kind: 'Interaction', id: artifactId(uid) } })
    },
  }
}

function pushedRequestAdapter(deps: AdapterDeps): Adapter {
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
function replayAdapter(deps: AdapterDeps): Adapter {
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

async function storeArtifact(
  db: Database,
  kind: string,
  id: string,
  payload: AdapterPayload,
  expiresIn: number | undefined,
): Promise<void> {
  const { jti: _, ...stored } = payload
  await db.oidcArtifact.create({
    data: {
      kind,
      id: artifactId(id),
      payload: JSON.parse(JSON.stringify(stored)),
      grantId: payload.grantId ?? null,
      accountId: payload.accountId ?? null,
      expiresAt: expiry(expiresIn),
    },
  })
}

/** Everything the library stores with us ends some time. */
function expiry(expiresIn: number | undefined): Date {
  if (expiresIn === undefined) throw new Error('an artifact without a lifetime')
  return new Date(Date.now() + expiresIn * 1000)
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}

import { randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { open, seal } from '@vertexsms/secrets/seal'
import { SealError } from '@vertexsms/secrets/subkey'
import { createMemory } from '@vertexsms/service/memory'
import { OPERATOR_MARK } from '../../operator-mark.ts'
import { keepWithin } from '../../storage-quota.ts'

/** A registered client's metadata, with its secret in clear; never stored like this. */
export type ClientRecord = Record<string, unknown> & { client_id: string }

const CACHE_MS = 60_000
const CACHE_ENTRIES = 2000

/** Clients that registered themselves (RFC 7591) or were made by an operator. */
export interface RegisteredClients {
  find(clientId: string): Promise<ClientRecord | undefined>
  /** Stores a client; `origin` is who made it (storage-quota.ts), null for an operator's. Makes room among those never connected. */
  save(record: ClientRecord, now: Date, origin: string | null): Promise<void>
}

/**
 * The stored clients. A secret is sealed under the operator key, because the library compares it in clear (RFC 6749
 * §2.3.1 leaves no other way for `client_secret_basic`); one that does not open is no client. Found clients are kept for a
 * minute; they never change.
 */
export function createRegisteredClients(db: Database, operatorKey: Uint8Array): RegisteredClients {
  const cache = createMemory<ClientRecord>(CACHE_ENTRIES, CACHE_MS)
  return {
    async find(clientId) {
      const cached = cache.get(clientId)
      if (cached) return cached
      const row = await db.oidcClient.findUnique({ where: { id: clientId } })
      if (!row) return undefined
      const { sealed_secret: sealed, ...metadata } = row.payload as Record<string, unknown>
      const record: ClientRecord = { ...metadata, client_id: row.id }
      if (typeof sealed === 'string') {
        const secret = openSecret(operatorKey, sealed, row.id)
        if (secret === undefined) return undefined
        record.client_secret = secret
      }
      cache.set(clientId, record)
      return record
    },

    async save({ client_secret: secret, ...metadata }, now, origin) {
      const sealed =
        typeof secret === 'string'
          ? {
              sealed_secret: Buffer.from(seal(operatorKey, secret, `client-secret:${metadata.client_id}`)).toString(
                'base64url',
              ),
            }
          : {}
      const payload = JSON.parse(JSON.stringify({ ...metadata, ...sealed }))
      await db.oidcClient.create({ data: { id: String(metadata.client_id), payload, createdAt: now, origin } })
      if (origin !== null) await keepWithin(db, 'unusedClients', origin)
    },
  }
}

/**
 * Undefined where it is sealed under an operator key that was lost since: nobody can authenticate by it again, and a client
 * that is not known (RFC 6749 §5.2, invalid_client) registers anew, while one that meets a failure of ours waits.
 */
function openSecret(operatorKey: Uint8Array, sealed: string, clientId: string): string | undefined {
  try {
    return open(operatorKey, Buffer.from(sealed, 'base64url'), `client-secret:${clientId}`)
  } catch (error) {
    if (error instanceof SealError) return undefined
    throw error
  }
}

/**
 * Makes a client for an operator's own resource servers, which may introspect every token (RFC 7662). Returns the
 * secret, which is shown once; with it the client authenticates by `client_secret_basic`.
 */
export async function createOperatorClient(
  deps: { readonly db: Database; readonly operatorKey: Uint8Array },
  name: string,
  now: Date,
): Promise<{ clientId: string; clientSecret: string }> {
  const clientId = `operator-${randomUUID()}`
  const clientSecret = newSecret()
  const record = {
    client_id: clientId,
    client_secret: clientSecret,
    client_name: name,
    client_id_issued_at: Math.floor(now.getTime() / 1000),
    redirect_uris: [],
    response_types: [],
    grant_types: [],
    token_endpoint_auth_method: 'client_secret_basic',
    [OPERATOR_MARK]: true,
  }
  await createRegisteredClients(deps.db, deps.operatorKey).save(record, now, null)
  return { clientId, clientSecret }
}

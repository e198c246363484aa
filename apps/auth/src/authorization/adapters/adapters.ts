import { isUsableText } from '@vertexsms/service/text'
import type { Adapter } from 'oidc-provider'
import { errors } from 'oidc-provider'
import { isDocumentUrl } from '../clients/client-document.ts'
import { DocumentUnavailable, NoSuchDocument } from '../clients/document-store.ts'
import { currentAddress, currentOrigin } from '../request/address.ts'
import { notingOutages } from '../request/outage.ts'
import { noteUnavailable } from '../request/unavailable.ts'
import { findGrant } from '../tokens/token-store.ts'
import { type AdapterDeps, currentWork, nothing, reading, seconds, unused } from './base.ts'
import { interactionAdapter, pushedRequestAdapter, replayAdapter } from './requests.ts'
import { codeAdapter, refreshTokenAdapter, revokeGrant } from './tokens.ts'

// Where the library keeps things, one small adapter per model. Identifiers are hashed, and what a payload says of
// itself (`jti`) is put back on reading, so that nothing in the database can be presented to us again.
// Token requests write nothing here: they note it in the unit of work (unit-of-work.ts, token-endpoint.ts).

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
  return (model) => notingOutages(adapters[model]?.() ?? unused(model))
}

/** How every description of a problem with a client's metadata document begins. */
export const DOCUMENT_ERROR = 'The metadata document of the app cannot be used:'

function clientAdapter({ clients, documents, allowLocalhost, operatorKey }: AdapterDeps): Adapter {
  return {
    ...unused('Client'),
    async upsert(_id, payload) {
      await clients.save(
        payload as Record<string, unknown> & { client_id: string },
        new Date(),
        currentOrigin(operatorKey),
      )
    },
    async find(id) {
      // Headers and assertions carry ids too, which nobody has decoded before.
      if (!isUsableText(id)) return undefined
      if (!isDocumentUrl(id, { allowLocalhost })) return reading(() => clients.find(id))
      if (documents === null) return undefined
      try {
        return await reading(() => documents.find(id, currentAddress()), isAnswer)
      } catch (error) {
        if (!isAnswer(error)) throw error
        if (error instanceof DocumentUnavailable) noteUnavailable(error)
        throw new errors.InvalidClient(`${DOCUMENT_ERROR} ${error.message}`, { cause: error })
      }
    },
  }
}

/** Of the errors of a document's look-up, those that are not the database's. */
function isAnswer(error: unknown): error is DocumentUnavailable | NoSuchDocument {
  return error instanceof DocumentUnavailable || error instanceof NoSuchDocument
}

/** The connection is the grant: nothing is stored twice, and one that ended or ran out has none. */
function grantAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unused('Grant'),
    async find(grantId) {
      const snapshot = currentWork()?.grant
      const grant = snapshot?.grantId === grantId ? snapshot : await reading(() => findGrant(deps.db, grantId))
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

import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseScopes, type Scope } from '@vertexsms/contract/scopes'
import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import { errors, type Provider } from 'oidc-provider'
import { isDocumentUrl } from '../authorization/clients/client-document.ts'
import { DocumentUnavailable } from '../authorization/clients/document-store.ts'
import { redirectHost } from '../authorization/clients/redirect-uris.ts'
import { displayName } from '../authorization/clients/registration.ts'
import type { LiveProvider } from '../authorization/live-provider.ts'
import { readAuthorizationDetails } from '../connections/authorization-details.ts'
import { documentHostOf } from '../connections/client-places.ts'
import type { NamedApp } from '../connections/named-app.ts'

/** An authorization request that waits for a person, in the words of the consent page. */
export interface AuthorizationRequest {
  readonly uid: string
  /** What somebody decided; then the answer stands and only the way on is left. Null while nobody has. */
  readonly answer: 'allowed' | 'denied' | null
  /** The account that allowed it; null while nobody has, and where it was denied. */
  readonly allowedBy: string | null
  readonly client: {
    readonly id: string
    /** What it calls itself; null when it gave no name. */
    readonly claim: string | null
    /** Host of the client's metadata document; null for a client that registered itself. */
    readonly documentHost: string | null
    /** True for a client known by a metadata document: many installs share it, so each approval is a new connection. */
    readonly isShared: boolean
  }
  readonly redirectHost: string
  readonly scopes: readonly Scope[]
  /** What the client asked to be held to (RFC 9396); null when it asked nothing. */
  readonly askedLimits: SpenderLimits | null
  /** Where the library goes on, on our own origin. */
  readonly resumeUrl: string
}

/**
 * Reads the request that this browser's interaction cookie stands for. Throws SessionNotFound unless the cookie, the
 * address and a stored, unexpired interaction agree, and the client as it is known now takes its answer at that place.
 */
export async function readAuthorizationRequest(
  deps: { readonly provider: LiveProvider; readonly allowLocalhost: boolean },
  uid: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<AuthorizationRequest> {
  const provider = deps.provider.current()
  const interaction = await provider.interactionDetails(request, response)
  if (interaction.uid !== uid) throw new errors.SessionNotFound('another authorization request')
  const {
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    authorization_details: details,
  } = interaction.params as Record<string, string>
  const client = clientId ? await findClient(provider, clientId) : undefined
  if (!client || !clientId || !redirectUri) throw new errors.SessionNotFound('the client is gone')
  // The library looks only when the request begins, and its document may change while a person decides.
  if (!client.redirectUriAllowed(redirectUri)) throw new errors.SessionNotFound('the redirect URI is gone')
  const documentHost = isDocumentUrl(clientId, deps) ? documentHostOf(clientId) : null
  const claim = displayName(client.clientName) ?? null
  return {
    uid,
    answer: interaction.result === undefined ? null : 'error' in interaction.result ? 'denied' : 'allowed',
    allowedBy: interaction.result?.login?.accountId ?? null,
    client: {
      id: clientId,
      claim,
      documentHost,
      isShared: documentHost !== null,
    },
    redirectHost: redirectHost(redirectUri),
    scopes: parseScopes(scope ?? ''),
    askedLimits: details === undefined ? null : readAuthorizationDetails(details),
    resumeUrl: interaction.returnTo,
  }
}

/**
 * The client as it is known now; undefined for one that is gone, as a document is that its host withdrew meanwhile. Throws
 * DocumentUnavailable for one that cannot be had just now: its request waits on.
 */
async function findClient(provider: Provider, clientId: string) {
  try {
    return await provider.Client.find(clientId)
  } catch (error) {
    if (!(error instanceof errors.InvalidClient)) throw error
    if (error.cause instanceof DocumentUnavailable) throw error.cause
    return undefined
  }
}

/** Who asks, by what pages name it. */
export function askingApp({ client, redirectHost }: AuthorizationRequest): NamedApp {
  return { name: client.claim ?? '', redirectHost, documentHost: client.documentHost }
}

// The bare library: oidc-provider with everything in memory, the same features, tokens and signature as the product, with no
// limits and no checks of its own. Its one page agrees by itself.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { OAUTH_PATHS } from '@vertexsms/contract/oauth-paths'
import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { exportJWK, generateKeyPair } from 'jose'
import { type Adapter, type AdapterPayload, Provider } from 'oidc-provider'

const resource = process.env.MCP_RESOURCE_URL ?? ''
const accountId = randomUUID()
const scope = SCOPE_NAMES.join(' ')
const { privateKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = { ...(await exportJWK(privateKey)), kid: 'bench', alg: 'ES256', use: 'sig' }

/** What the library asks of a store, as maps. */
class Memory implements Adapter {
  static readonly byGrant = new Map<string, Set<() => void>>()
  readonly #rows = new Map<string, AdapterPayload>()
  readonly #uids = new Map<string, string>()

  async upsert(id: string, payload: AdapterPayload): Promise<undefined> {
    this.#rows.set(id, payload)
    if (payload.uid) this.#uids.set(payload.uid, id)
    if (!payload.grantId) return
    const ends = Memory.byGrant.get(payload.grantId) ?? new Set()
    Memory.byGrant.set(
      payload.grantId,
      ends.add(() => this.#rows.delete(id)),
    )
  }
  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.#rows.get(id)
  }
  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.find(this.#uids.get(uid) ?? '')
  }
  async findByUserCode(): Promise<undefined> {}
  async consume(id: string): Promise<undefined> {
    const row = this.#rows.get(id)
    if (row) row.consumed = Math.floor(Date.now() / 1000)
  }
  async destroy(id: string): Promise<undefined> {
    this.#rows.delete(id)
  }
  async revokeByGrantId(grantId: string): Promise<undefined> {
    for (const end of Memory.byGrant.get(grantId) ?? []) end()
  }
}

function build(issuer: string): Provider {
  return new Provider(issuer, {
    adapter: Memory,
    jwks: { keys: [jwk] },
    routes: {
      authorization: OAUTH_PATHS.authorization,
      token: OAUTH_PATHS.token,
      registration: OAUTH_PATHS.registration,
      jwks: OAUTH_PATHS.jwks,
    },
    scopes: [...SCOPE_NAMES, 'offline_access'],
    claims: {},
    responseTypes: ['code'],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    pkce: { required: () => true },
    cookies: { keys: [randomUUID()] },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      dPoP: { enabled: false },
      registration: { enabled: true, issueRegistrationAccessToken: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope,
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'ES256', kid: 'bench' } },
        }),
      },
    },
    ttl: { AuthorizationCode: 600, RefreshToken: 86_400, Grant: 86_400, Interaction: 600, Session: 600 },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  })
}

async function agree(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { params } = await provider.interactionDetails(request, response)
  const grant = new provider.Grant({ accountId, clientId: String(params.client_id) })
  grant.addOIDCScope(String(params.scope))
  grant.addResourceScope(resource, scope)
  const grantId = await grant.save()
  await provider.interactionFinished(request, response, { login: { accountId, remember: false }, consent: { grantId } })
}

/** What serves the library's endpoints under an issuer. */
export function createLibrary(issuer: string): (request: IncomingMessage, response: ServerResponse) => void {
  const provider = build(issuer)
  const handle = provider.callback()
  return (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return void handle(request, response)
    agree(provider, request, response).catch(() => response.writeHead(500).end())
  }
}

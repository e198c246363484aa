import { LIVE_ACCOUNT, liveConnection } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { clientLabel, type Logger } from '@vertexsms/service/logger'
import type { Outbound } from '@vertexsms/service/outbound'
import { createLocalJWKSet } from 'jose'
import { readSession } from '../accounts/session.ts'
import type { AuthEnv } from '../env.ts'
import type { RateLimiter } from '../web/rate-limit.ts'
import { createClientDocuments } from './clients/document-store.ts'
import { createKeySets } from './clients/key-sets.ts'
import { type ClientRecord, createRegisteredClients } from './clients/registered-clients.ts'
import { countFailures, isConnected } from './endpoint-limits.ts'
import { loadSigningKeys, publishedSet } from './keys.ts'
import { createLiveProvider, type LiveProvider } from './live-provider.ts'
import { buildProvider, clientRefusal, type ProviderDeps } from './provider.ts'
import { currentLog } from './request/address.ts'
import { jwtTokens } from './tokens/jwt-tokens.ts'
import { tokenEndpoint } from './tokens/token-endpoint.ts'

/** What the authorization server is built from. */
export interface AuthorizationServerDeps {
  readonly env: AuthEnv
  readonly db: Database
  readonly logger: Logger
  readonly outbound: Pick<Outbound, 'fetch'>
  readonly limiter: RateLimiter
  /** How long it is asked what became of a token request whose answer from the database was lost. */
  readonly tokensAgainMs: number
}

/**
 * The library with our stores, rules and middleware around it. Rejects when the keys cannot be read or opened.
 */
export function createAuthorizationServer(deps: AuthorizationServerDeps): Promise<LiveProvider> {
  const { env, db, logger, outbound } = deps
  const requestLog = () => currentLog() ?? logger
  const provider = providerDeps(deps)
  const live = createLiveProvider({
    loadKeys: async () => loadSigningKeys({ db, operatorKey: env.OPERATOR_KEY }, await databaseNow(db)),
    build(keys) {
      const built = buildProvider(provider, keys)
      const published = createLocalJWKSet(publishedSet(keys))
      built.use(countFailures({ limiter: deps.limiter }))
      built.use(jwtTokens({ db, issuer: provider.issuer, audience: provider.resources.mcp, keys: published }))
      built.use(
        tokenEndpoint({
          db,
          overlapSeconds: env.REFRESH_OVERLAP_SECONDS,
          againMs: deps.tokensAgainMs,
          onReuse: provider.onReuse,
          onFailure: (error, connectionId) =>
            requestLog().error({ err: error, connectionId }, 'tokens could not be recorded'),
        }),
      )
      return built
    },
  })
  return live

  async function refusalOf(client: ClientRecord): Promise<string | null> {
    return clientRefusal((await live).current(), client)
  }

  function providerDeps({ limiter }: AuthorizationServerDeps): ProviderDeps {
    const session = { db, issuerUrl: env.ISSUER_URL, sessionSeconds: env.SESSION_SECONDS }
    return {
      db,
      operatorKey: env.OPERATOR_KEY,
      issuer: env.ISSUER_URL,
      resources: { mcp: env.MCP_RESOURCE_URL, api: env.API_RESOURCE_URL },
      allowLocalhost: env.OUTBOUND_ALLOW_LOCALHOST,
      clients: createRegisteredClients(db, env.OPERATOR_KEY),
      documents: env.CLIENT_DOCUMENTS ? createClientDocuments({ db, limiter, outbound, refusalOf }) : null,
      lifetimes: {
        accessTokenSeconds: env.ACCESS_TOKEN_SECONDS,
        refreshTokenSeconds: env.REFRESH_TOKEN_SECONDS,
        authorizationCodeSeconds: env.AUTHORIZATION_CODE_SECONDS,
        interactionSeconds: env.INTERACTION_SECONDS,
      },
      connectedHere: async (cookie, clientId) => {
        const accountId = (await readSession(session, cookie))?.account.id
        if (!accountId) return false
        const live = { accountId, clientId, ...liveConnection(await databaseNow(db)) }
        return (await db.connection.count({ where: live })) > 0
      },
      signedInAccount: async (cookie) => (await readSession(session, cookie))?.account.id ?? null,
      accountActive: async (id) => (await db.account.count({ where: { id, ...LIVE_ACCOUNT } })) === 1,
      keySets: createKeySets({ outbound, limiter, isConnected: (clientId) => isConnected(db, clientId) }),
      onReuse: ({ reason, connectionId, clientId }) =>
        requestLog().error(
          { event: 'token_reuse', reason, connectionId, clientId: clientLabel(clientId) },
          'connection ended: a token came twice',
        ),
      onServerError: (error) => requestLog().error({ err: error }, 'oauth request failed'),
    }
  }
}

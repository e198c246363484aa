import {
  Client,
  type OAuthClientProvider,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client'
import { openCallback } from '../callback.ts'
import { recordingFetch } from '../recording-fetch.ts'
import type { CallOutcome, IndependentClient, ListedTool } from './client.ts'
import { OAuthStore } from './oauth-store.ts'
import { refusalFrom } from './refusal.ts'

/** The stateless revision, which the pinned client insists on. */
export const MODERN_REVISION = '2026-07-28'

/** How the v2 client finds its protocol revision: `default` shakes hands, `auto` probes, `pinned` insists on the newest. */
export type SdkV2Mode = 'default' | 'auto' | 'pinned'

const NEGOTIATION: Record<SdkV2Mode, VersionNegotiationMode> = {
  default: 'legacy',
  auto: 'auto',
  pinned: { pin: MODERN_REVISION },
}

/**
 * The client of `@modelcontextprotocol/client` 2.x in one of its three modes. With a `token` it sends that and nothing
 * else; without one it goes through OAuth.
 */
export async function sdkV2Client(mcpUrl: string, mode: SdkV2Mode, token?: string): Promise<IndependentClient> {
  const label = `SDK v2 client, ${mode}`
  const callback = await openCallback()
  const store = new OAuthStore(label, callback)
  const wire = recordingFetch()
  const newClient = () =>
    new Client({ name: label, version: '2.0.0' }, { versionNegotiation: { mode: NEGOTIATION[mode] } })
  let client = newClient()
  let transport: StreamableHTTPClientTransport | undefined

  const connect = async () => {
    client = newClient()
    transport = new StreamableHTTPClientTransport(new URL(mcpUrl), {
      fetch: wire,
      authProvider: token === undefined ? (store satisfies OAuthClientProvider) : { token: async () => token },
    })
    try {
      await client.connect(transport)
      return null
    } catch (error) {
      const authorizeUrl = store.takeAuthorizeUrl()
      if (error instanceof UnauthorizedError || authorizeUrl !== null) return authorizeUrl
      throw error
    }
  }

  return {
    label,
    connect,
    finish: async () => {
      await transport?.finishAuth(await store.nextResponse())
      const again = await connect()
      if (again !== null) throw new Error(`${label} is asked to sign in again right after it did.`)
    },
    reconnect: async () => {
      await client.close()
      store.forgetTokens()
      return connect()
    },
    listTools: async () => (await client.listTools()).tools as ListedTool[],
    callTool: async (name, args): Promise<CallOutcome> => {
      try {
        return { kind: 'result', result: (await client.callTool({ name, arguments: args })) as never }
      } catch (error) {
        return refusalFrom(wire, error, store.takeAuthorizeUrl())
      }
    },
    credentials: async () => store.credentials(),
    close: async () => {
      await client.close()
      await callback.close()
    },
  }
}

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { openCallback } from '../callback.ts'
import { recordingFetch } from '../recording-fetch.ts'
import type { CallOutcome, IndependentClient, ListedTool } from './client.ts'
import { OAuthStore } from './oauth-store.ts'
import { refusalFrom } from './refusal.ts'

/**
 * The client of `@modelcontextprotocol/sdk` 1.x, which knows the handshake revisions up to 2025-11-25. With a `token`
 * it sends that and nothing else; without one it goes through OAuth. The label is what it calls itself.
 */
export async function sdkV1Client(mcpUrl: string, token?: string, label = 'SDK v1 client'): Promise<IndependentClient> {
  const callback = await openCallback()
  const store = new OAuthStore(label, callback)
  const wire = recordingFetch()
  let client = new Client({ name: label, version: '1.0.0' })
  let transport: StreamableHTTPClientTransport | undefined

  const connect = async () => {
    client = new Client({ name: label, version: '1.0.0' })
    transport = new StreamableHTTPClientTransport(new URL(mcpUrl), {
      fetch: wire,
      ...(token === undefined
        ? { authProvider: store }
        : { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
    })
    try {
      await client.connect(transport)
      return null
    } catch (error) {
      if (error instanceof UnauthorizedError) return store.takeAuthorizeUrl()
      throw error
    }
  }

  return {
    label,
    connect,
    finish: async () => {
      const response = await store.nextResponse()
      await transport?.finishAuth(response.get('code') ?? '')
      const again = await connect()
      if (again !== null) throw new Error(`${label} is asked to sign in again right after it did.`)
    },
    // This generation answers a challenge for more scopes by a refresh alone, so the person signs in anew.
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

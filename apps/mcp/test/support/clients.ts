import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { MODERN } from './stack.ts'

/** The part of a client that the tests use, the same for every generation. */
export interface AnyClient {
  tools(): Promise<{ name: string; outputSchema?: unknown }[]>
  call(name: string, args: Record<string, unknown>, progress?: (done: number) => void): Promise<Record<string, unknown>>
  /** The text of a resource. */
  read(uri: string): Promise<string>
  revision(): string | undefined
  close(): Promise<void>
}

const init = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } })
const identity = { name: 'test-client', version: '1.0.0' }

function textOf({ contents }: { contents: object[] }): string {
  const [content] = contents
  if (content === undefined || !('text' in content)) throw new Error('no text')
  return String(content.text)
}

async function connectOld(url: string, token: string): Promise<AnyClient> {
  const client = new OldClient(identity)
  const transport = new OldTransport(new URL(url), init(token))
  await client.connect(transport)
  return {
    tools: async () => (await client.listTools()).tools,
    call: async (name, args, progress) =>
      client.callTool(
        { name, arguments: args },
        undefined,
        progress ? { onprogress: (event) => progress(event.progress) } : {},
      ),
    read: async (uri) => textOf(await client.readResource({ uri })),
    revision: () => transport.protocolVersion,
    close: () => client.close(),
  }
}

type Negotiation = 'legacy' | 'auto' | 'pinned'

async function connectNew(url: string, token: string, negotiation: Negotiation): Promise<AnyClient> {
  const mode = negotiation === 'pinned' ? { pin: MODERN } : negotiation
  const client = new Client(identity, { versionNegotiation: { mode } })
  const transport = new StreamableHTTPClientTransport(new URL(url), init(token))
  await client.connect(transport)
  return {
    tools: async () => (await client.listTools()).tools,
    call: async (name, args, progress) =>
      client.callTool({ name, arguments: args }, progress ? { onprogress: (event) => progress(event.progress) } : {}),
    read: async (uri) => textOf(await client.readResource({ uri })),
    revision: () => client.getNegotiatedProtocolVersion(),
    close: () => client.close(),
  }
}

/** Every client the server must serve, and the revision each ends up with. */
export const CLIENTS: [string, string, (url: string, token: string) => Promise<AnyClient>][] = [
  ['the v1 client', '2025-11-25', connectOld],
  ['the v2 client as it comes', '2025-11-25', (url, token) => connectNew(url, token, 'legacy')],
  ['the v2 client in auto mode', MODERN, (url, token) => connectNew(url, token, 'auto')],
  ['the v2 client pinned to the modern revision', MODERN, (url, token) => connectNew(url, token, 'pinned')],
]

// What registries, catalogues and readers are told of the servers before they connect.
import { TOKEN_SERVER_NAME } from './connect.ts'

/** Addresses of the live service; every other installation has its own. */
export const LIVE = {
  issuer: 'https://tool.vertexsms.com',
  mcp: 'https://mcp.vertexsms.com/mcp',
  api: 'https://api.vertexsms.com',
  documentation: 'https://vertexsms.com/en/mcp/authentication',
} as const

/** The public addresses of one installation. */
export type Addresses = Readonly<Record<keyof typeof LIVE, string>>

/** The name in registries: the reversed domain that proves it. */
const REGISTRY_NAME = 'com.vertexsms/mcp'

const TITLE = 'VertexSMS'
const DESCRIPTION = 'Send SMS from a VertexSMS account, read prices and networks, look up and correct numbers.'

function described({ issuer, documentation }: Omit<Addresses, 'api'>, version: string) {
  return {
    name: REGISTRY_NAME,
    title: TITLE,
    description: DESCRIPTION,
    version,
    websiteUrl: documentation,
    icons: [{ src: `${issuer}/assets/icon.svg`, mimeType: 'image/svg+xml', sizes: ['any'] }],
  }
}

/** `server.json` of the official registry (schema 2025-12-11). The token is optional: clients sign in without one. */
export function registryEntry(addresses: Addresses, version: string) {
  return {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    ...described(addresses, version),
    remotes: [
      {
        type: 'streamable-http',
        url: addresses.mcp,
        headers: [
          {
            name: 'Authorization',
            description: 'Only instead of signing in: Bearer and an API token from Settings, API.',
            isRequired: false,
            isSecret: true,
          },
        ],
      },
    ],
  }
}

/** The server card (SEP-2127, a draft): who the server is and where it listens, not what it can do. */
export function serverCard(addresses: Omit<Addresses, 'api'>, version: string) {
  return {
    ...described(addresses, version),
    remotes: [{ type: 'streamable-http', url: addresses.mcp }],
  }
}

/** Where the card is served: beside the endpoint. */
export function serverCardUrl(mcpUrl: string): string {
  const url = new URL(mcpUrl)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/server-card`
  return url.href
}

/** Media types of the two documents. */
export const SERVER_CARD_TYPE = 'application/mcp-server-card+json'
export const AI_CATALOG_TYPE = 'application/ai-catalog+json'

/** `/.well-known/ai-catalog.json` (a draft): one entry, the card. */
export function aiCatalog({ mcp }: Pick<Addresses, 'mcp'>) {
  const { hostname } = new URL(mcp)
  return {
    specVersion: '1.0',
    host: { displayName: TITLE },
    entries: [
      {
        identifier: `urn:air:${hostname}:server:mcp`,
        displayName: TITLE,
        description: DESCRIPTION,
        type: SERVER_CARD_TYPE,
        url: serverCardUrl(mcp),
      },
    ],
  }
}

/** `llms.txt`: where a model that reads finds what it needs, all of it Markdown or JSON. */
export function llmsText({ issuer, mcp, api }: Addresses): string {
  const { origin } = new URL(mcp)
  return `# ${TITLE}

> ${DESCRIPTION} AI clients connect to ${mcp} and sign in; scripts send a token to ${api}.

A send costs money. Ask for the price first (\`dryRun\` of the tool \`send_sms\`, or \`POST /sms/quote\`), and never repeat a send whose outcome is unknown without the same idempotency key.

## Connect
- [How each client is connected](${issuer}/connect): links and blocks to paste; with a token the server stands under \`${TOKEN_SERVER_NAME}\`

## Reference
- [Tools](${origin}/tools.md): the ten tools of the MCP server, their arguments and results
- [REST API](${api}/reference.md): routes, parameters, answers
- [OpenAPI](${api}/openapi.json): the same for programs
- [Errors](${api}/errors.md): every code of both, what it means and what to do
`
}

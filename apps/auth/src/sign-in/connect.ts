import { clientGuides, isLocalAddress } from '@vertexsms/contract/connect'
import type { FastifyInstance } from 'fastify'
import { sendPage } from '../web/page.ts'

/** What stands for a token on a page that knows none. */
const TOKEN_PLACEHOLDER = 'YOUR_API_TOKEN'

/** Public addresses of the two services that clients talk to. */
export interface ConnectDeps {
  readonly resources: { readonly mcp: string; readonly api: string }
}

/** `GET /connect`: how to connect each client, for everybody. Nothing on it is of an account. */
export function registerConnect(app: FastifyInstance, { resources: { mcp, api } }: ConnectDeps): void {
  const page = {
    mcpUrl: mcp,
    apiUrl: api.replace(/\/$/, ''),
    isLocal: isLocalAddress(mcp),
    clients: clientGuides(mcp, TOKEN_PLACEHOLDER),
  }
  app.get('/connect', (_request, reply) => sendPage(reply, 'connect', page))
}

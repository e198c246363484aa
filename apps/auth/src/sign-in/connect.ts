import { clientGuides, isLocalAddress } from '@vertexsms/contract/connect'
import { LIVE, llmsText } from '@vertexsms/contract/discovery'
import { quickStart, tokenCommand } from '@vertexsms/contract/quick-start'
import type { FastifyInstance } from 'fastify'
import { sendPage } from '../web/page.ts'

/** What stands for a token on a page that knows none. */
const TOKEN_PLACEHOLDER = 'YOUR_API_TOKEN'

/** Public addresses of the services. */
export interface ConnectDeps {
  readonly issuer: string
  readonly resources: { readonly mcp: string; readonly api: string }
}

/** `GET /connect`: how to connect each client, and `GET /llms.txt`, for everybody. Nothing on them is of an account. */
export function registerConnect(app: FastifyInstance, { issuer, resources: { mcp, api } }: ConnectDeps): void {
  const apiUrl = api.replace(/\/$/, '')
  const page = {
    mcpUrl: mcp,
    apiUrl,
    tokenCommand: tokenCommand(TOKEN_PLACEHOLDER),
    quickStart: quickStart(apiUrl),
    isLocal: isLocalAddress(mcp),
    clients: clientGuides(mcp, TOKEN_PLACEHOLDER),
  }
  const llms = llmsText({ ...LIVE, issuer, mcp, api: page.apiUrl })
  app.get('/connect', (_request, reply) => sendPage(reply, 'connect', page))
  app.get('/llms.txt', (_request, reply) =>
    reply.header('cache-control', 'public, max-age=300').type('text/plain; charset=utf-8').send(llms),
  )
}

import { LIVE, llmsText } from '@vertexsms/contract/discovery'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { FastifyInstance } from 'fastify'
import { connectPage } from '../web/connect-page.ts'
import { sendPage } from '../web/page.ts'

/** Public addresses of the services. */
export interface ConnectDeps {
  readonly issuer: string
  readonly resources: { readonly mcp: string; readonly api: string }
}

/** `GET /connect`: how to connect each client, and `GET /llms.txt`, for everybody. Nothing on them is of an account. */
export function registerConnect(app: FastifyInstance, { issuer, resources }: ConnectDeps): void {
  const page = connectPage(resources)
  const llms = llmsText({ ...LIVE, issuer, mcp: page.mcpUrl, api: page.apiUrl })
  app.get(PAGE_PATHS.connect, (_request, reply) => sendPage(reply, 'connect', page))
  app.get('/llms.txt', (_request, reply) =>
    reply.header('cache-control', 'public, max-age=300').type('text/plain; charset=utf-8').send(llms),
  )
}

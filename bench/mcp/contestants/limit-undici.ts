// The same bare proxy with undici's dispatcher for the upstream call, the fastest HTTP client Node has: it shows how much
// of the limit is the client.
import { createServer } from 'node:http'
import { TOKEN_HEADER } from '@vertexsms/contract/headers'
import { Pool } from 'undici'
import { announce, bearerOf, settings, verifyOnce } from './setup.ts'

const pool = new Pool(settings.apiUrl.origin, { connections: 64 })

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    verifyOnce(bearerOf(request.headers.authorization)).then(
      ({ token }) => {
        const isCall = Buffer.concat(chunks).includes('"tools/call"')
        const body: Buffer[] = []
        pool.dispatch(
          { method: 'GET', path: isCall ? '/operators/20' : '/token', headers: { [TOKEN_HEADER]: token } },
          {
            onRequestStart: () => {},
            onResponseStart: () => {},
            onResponseData: (_controller, chunk) => {
              body.push(chunk)
            },
            onResponseEnd: () => {
              const bytes = Buffer.concat(body)
              response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes)
            },
            onResponseError: () => {
              response.writeHead(502).end()
            },
          },
        )
      },
      () => response.writeHead(401).end(),
    )
  })
})
server.listen(0, '127.0.0.1', () => announce(server.address()))

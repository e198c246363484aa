// The limit: a bare node:http proxy. It looks the token up, collects the body, makes one keep-alive call and
// hands the answer's bytes through. It neither parses nor validates anything, so a server that does cannot be faster
// on the same HTTP stack.
import { Agent, createServer, request as httpRequest } from 'node:http'
import { TOKEN_HEADER } from '@vertexsms/contract/headers'
import { announce, bearerOf, settings, verifyOnce } from './setup.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const { hostname, port } = settings.apiUrl

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    verifyOnce(bearerOf(request.headers.authorization)).then(
      ({ token }) => {
        const isCall = Buffer.concat(chunks).includes('"tools/call"')
        const upstream = httpRequest(
          { agent, hostname, port, path: isCall ? '/operators/20' : '/token', headers: { [TOKEN_HEADER]: token } },
          (answer) => {
            const body: Buffer[] = []
            answer.on('data', (chunk) => body.push(chunk))
            answer.on('end', () => {
              const bytes = Buffer.concat(body)
              response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes)
            })
          },
        )
        upstream.on('error', () => response.writeHead(502).end())
        upstream.end()
      },
      () => response.writeHead(401).end(),
    )
  })
})
server.listen(0, '127.0.0.1', () => announce(server.address()))

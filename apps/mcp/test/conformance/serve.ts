import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startStack } from '../support/stack.ts'
import { FIXTURES } from './fixtures.ts'

// Starts the app on the product's edge with its neighbours on loopback, behind a proxy that adds a token, because the
// suite cannot send one. `node --import tsx serve.ts product|fixtures` prints the URL and runs until it is stopped.

const stack = await startStack(process.argv[2] === 'fixtures' ? { registry: FIXTURES } : {})
const token = stack.manualToken()
const target = new URL(stack.url)

const proxy = createServer((incoming, outgoing) => {
  const headers = { ...incoming.headers, authorization: `Bearer ${token}` }
  const forwarded = request(
    { host: target.hostname, port: target.port, method: incoming.method, path: incoming.url, headers },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    },
  )
  forwarded.on('error', () => outgoing.destroy())
  outgoing.on('close', () => forwarded.destroy())
  incoming.pipe(forwarded)
})
proxy.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://localhost:${(proxy.address() as AddressInfo).port}/mcp\n`)
})

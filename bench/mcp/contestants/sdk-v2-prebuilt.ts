// SDK v2 as fast as it goes with an instance per request: everything that can be made beforehand is (tool list, JSON
// schemas, validator, handlers), there is neither Express nor a web Request, and a request only constructs a low-level
// Server and a transport. With CACHE_VERIFIED=on a token's signature is verified once, as the product does.
import { createServer as createHttpServer } from 'node:http'
import {
  type AuthInfo,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type MessageExtraInfo,
  PerRequestHTTPServerTransport,
  Server,
  type Tool,
  type Transport,
} from '@modelcontextprotocol/server'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv'
import * as z from 'zod'
import { callApi } from './api.ts'
import { announce, bearerOf, verify, verifyOnce } from './setup.ts'
import { annotationsOf, tools, toResult } from './tools.ts'

const MODERN = '2026-07-28'
const list = tools.map(
  (tool): Tool => ({
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: z.toJSONSchema(tool.input) as Tool['inputSchema'],
    outputSchema: z.toJSONSchema(tool.output) as NonNullable<Tool['outputSchema']>,
    annotations: annotationsOf(tool),
  }),
)
const byName = new Map(tools.map((tool) => [tool.name, tool]))
// Without a shared validator every instance would construct an Ajv of its own, most of its cost.
const jsonSchemaValidator = new AjvJsonSchemaValidator()

function createServer(isModern: boolean): Server {
  const server = new Server(
    { name: 'vertexsms', version: '1.0.0' },
    {
      capabilities: { tools: {} },
      jsonSchemaValidator,
      ...(isModern ? { supportedProtocolVersions: [MODERN] } : {}),
    },
  )
  server.setRequestHandler('tools/list', () => ({ tools: list }))
  server.setRequestHandler('tools/call', async (request, ctx) => {
    const tool = byName.get(request.params.name)
    if (!tool) throw new Error('unknown tool')
    const args = tool.input.parse(request.params.arguments ?? {})
    return toResult(tool.output.parse(await tool.run(args, ctx.http?.authInfo?.token ?? '')))
  })
  return server
}

/** Carries one handshake-era request to a server and its one answer back. */
class OneAnswer implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T, extra?: MessageExtraInfo) => void
  readonly answer: Promise<string>
  #settle: (text: string) => void = () => {}

  constructor() {
    this.answer = new Promise((resolve) => {
      this.#settle = resolve
    })
  }
  async start(): Promise<void> {}
  async send(message: JSONRPCMessage): Promise<void> {
    if ('result' in message || 'error' in message) this.#settle(JSON.stringify(message))
  }
  async close(): Promise<void> {
    this.onclose?.()
  }
}

async function serve(message: JSONRPCRequest, authInfo: AuthInfo, isModern: boolean): Promise<string> {
  // The same liveness question that the product asks before it answers anything but a tool call.
  if (message.method !== 'tools/call') await callApi(authInfo.token, 'GET', '/token')
  const server = createServer(isModern)
  if (isModern) {
    const transport = new PerRequestHTTPServerTransport({ classification: { era: 'modern', revision: MODERN } })
    await server.connect(transport)
    const response = await transport.handleMessage(message, { authInfo })
    return response.text()
  }
  const transport = new OneAnswer()
  await server.connect(transport)
  transport.onmessage?.(message, { authInfo })
  const text = await transport.answer
  await server.close()
  return text
}

const check = process.env.CACHE_VERIFIED === 'on' ? verifyOnce : verify
const httpServer = createHttpServer((request, response) => {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (chunk) => {
    text += chunk
  })
  request.on('end', async () => {
    try {
      const caller = await check(bearerOf(request.headers.authorization))
      const isModern = request.headers['mcp-protocol-version'] === MODERN
      const body = await serve(JSON.parse(text) as JSONRPCRequest, caller, isModern)
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
        .end(body)
    } catch {
      response.writeHead(400).end()
    }
  })
})
httpServer.listen(0, '127.0.0.1', () => announce(httpServer.address()))

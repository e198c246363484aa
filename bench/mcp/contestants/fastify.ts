// A plain dispatch in Fastify, as it comes: its own parser and serializer, a look-up of the method and of the tool, one
// call of the API. No rules of the protocol, no checks of arguments, no limits, no log.
import fastify from 'fastify'
import { callApi } from './api.ts'
import { announce, bearerOf, verifyOnce } from './setup.ts'
import { toResult } from './tools.ts'

interface Call {
  readonly id: number
  readonly method: string
  readonly params: { readonly name: string; readonly arguments: Record<string, unknown> }
}

type Tool = (args: Record<string, unknown>, token: string) => Promise<Record<string, unknown>>
const tools = new Map<string, Tool>([
  [
    'get_operator',
    async ({ operatorId }, token) =>
      (await callApi(token, 'GET', `/operators/${Number(operatorId)}`)) as Record<string, unknown>,
  ],
])

const app = fastify()
app.post<{ Body: Call }>('/mcp', async (request, reply) => {
  const { token } = await verifyOnce(bearerOf(request.headers.authorization))
  const { id, method, params } = request.body
  const tool = method === 'tools/call' ? tools.get(params.name) : undefined
  if (tool === undefined) return reply.code(400).send({ error: 'no such tool' })
  const result = { ...toResult(await tool(params.arguments, token)), resultType: 'complete' }
  return { jsonrpc: '2.0', id, result }
})
await app.listen({ host: '127.0.0.1', port: 0 })
announce(app.server.address())

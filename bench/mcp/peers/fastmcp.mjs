// fastmcp the way its manual shows it: addTool, authenticate, HTTP streaming without sessions. It speaks the handshake
// revisions only. JavaScript, because its types are there only once the benchmark has installed it.
import { FastMCP } from 'fastmcp'
import { freePort } from '../../harness/process.ts'
import { announce, bearerOf, verify } from '../contestants/setup.ts'
import { annotationsOf, tools, toResult } from '../contestants/tools.ts'

const server = new FastMCP({
  name: 'vertexsms',
  version: '1.0.0',
  authenticate: async (request) => {
    try {
      return await verify(bearerOf(request.headers.authorization))
    } catch {
      throw new Response(null, { status: 401, statusText: 'Unauthorized' })
    }
  },
})
for (const tool of tools) {
  server.addTool({
    name: tool.name,
    description: tool.description,
    parameters: tool.input,
    outputSchema: tool.output,
    annotations: { ...annotationsOf(tool), title: tool.title },
    execute: async (args, { session }) => toResult(await tool.run(args, session?.token ?? '')),
  })
}
const port = await freePort()
await server.start({ transportType: 'httpStream', httpStream: { port, host: '127.0.0.1', stateless: true } })
announce({ port })

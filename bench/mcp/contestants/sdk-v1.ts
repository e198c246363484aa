// SDK v1 the way its examples show it: Express, requireBearerAuth, and for each request a new McpServer behind a new
// StreamableHTTPServerTransport without sessions. It speaks the handshake revisions only.
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { callApi } from './api.ts'
import { announce, verify } from './setup.ts'
import { annotationsOf, documentedTools, toResult } from './tools.ts'

function createServer(): McpServer {
  const server = new McpServer({ name: 'vertexsms', version: '1.0.0' })
  for (const tool of documentedTools()) {
    server.registerTool(
      tool.name,
      {
        title: tool.title,
        description: tool.description,
        inputSchema: tool.input.shape,
        outputSchema: tool.output.shape,
        annotations: annotationsOf(tool),
      },
      async (args: Record<string, unknown>, extra) => toResult(await tool.run(args, extra.authInfo?.token ?? '')),
    )
  }
  return server
}

const app = createMcpExpressApp()
app.post('/mcp', requireBearerAuth({ verifier: { verifyAccessToken: verify } }), async (req, res) => {
  // The same liveness question that the product asks before it answers anything but a tool call.
  if (req.body?.method !== 'tools/call') await callApi(req.auth?.token ?? '', 'GET', '/token')
  const server = createServer()
  const transport = new StreamableHTTPServerTransport({})
  res.on('close', () => {
    transport.close()
    server.close()
  })
  await server.connect(transport)
  await transport.handleRequest(req, res, req.body)
})
const listener = app.listen(0, '127.0.0.1', () => announce(listener.address()))

// SDK v2 the way its serving guide shows it: Express, requireBearerAuth, createMcpHandler with a factory that makes an
// McpServer per request. Both eras.
import { createMcpExpressApp, requireBearerAuth } from '@modelcontextprotocol/express'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { callApi } from './api.ts'
import { announce, verify } from './setup.ts'
import { annotationsOf, documentedTools, toResult } from './tools.ts'

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'vertexsms', version: '1.0.0' })
  for (const tool of documentedTools()) {
    server.registerTool(
      tool.name,
      {
        title: tool.title,
        description: tool.description,
        inputSchema: tool.input,
        outputSchema: tool.output,
        annotations: annotationsOf(tool),
      },
      async (args: Record<string, unknown>, ctx) => toResult(await tool.run(args, ctx.http?.authInfo?.token ?? '')),
    )
  }
  return server
})

const app = createMcpExpressApp()
const node = toNodeHandler(handler)
app.all('/mcp', requireBearerAuth({ verifier: { verifyAccessToken: verify } }), async (req, res) => {
  // The same liveness question that the product asks before it answers anything but a tool call.
  if (req.body?.method !== 'tools/call') await callApi(req.auth?.token ?? '', 'GET', '/token')
  await node(req, res, req.body)
})
const listener = app.listen(0, '127.0.0.1', () => announce(listener.address()))

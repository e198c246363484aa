import { readFileSync } from 'node:fs'
// biome-ignore lint/correctness/noUndeclaredDependencies: it is fetched for the trial
import { auth, createMCPClient } from '@ai-sdk/mcp'
import { openProvider } from './provider.mjs'

const { mcpServers } = JSON.parse(readFileSync('mcp.json', 'utf8'))
const { server, tool, args, signsIn } = JSON.parse(readFileSync('call.json', 'utf8'))

const transport = mcpServers[server]
if (signsIn) {
  const provider = await openProvider()
  const serverUrl = transport.url
  await auth(provider, { serverUrl })
  const { code, iss } = await provider.code()
  await auth(provider, { serverUrl, authorizationCode: code, callbackIssuer: iss })
  transport.authProvider = provider
}
const client = await createMCPClient({ transport })
const tools = await client.tools()
console.log(JSON.stringify(await tools[tool].execute(args, { messages: [], toolCallId: '1' })))
await client.close()

import { readFileSync } from 'node:fs'
// biome-ignore lint/correctness/noUndeclaredDependencies: it is fetched for the trial
import { MultiServerMCPClient } from '@langchain/mcp-adapters'
import { auth } from '@modelcontextprotocol/sdk/client/auth.js'
import { openProvider } from './provider.mjs'

const { mcpServers } = JSON.parse(readFileSync('mcp.json', 'utf8'))
const { server, tool, args, signsIn } = JSON.parse(readFileSync('call.json', 'utf8'))

if (signsIn) {
  const provider = await openProvider()
  const serverUrl = mcpServers[server].url
  await auth(provider, { serverUrl })
  await auth(provider, { serverUrl, authorizationCode: (await provider.code()).code })
  mcpServers[server].authProvider = provider
}
const client = new MultiServerMCPClient({ mcpServers, useStandardContentBlocks: true })
const tools = await client.getTools()
console.log(JSON.stringify(await tools.find(({ name }) => name.endsWith(tool)).invoke(args)))
await client.close()

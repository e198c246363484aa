import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { authorize } from '../support/pages/consent.ts'
import type { ClientProgram } from './programs.ts'

/** What a host that only starts programs reads of the block. */
interface HostFile {
  readonly mcpServers: Readonly<
    Record<string, { readonly command: string; readonly args: string[]; readonly env?: Record<string, string> }>
  >
}

/** mcp-remote, started as a host starts what its file names. */
export const mcpRemote: ClientProgram = {
  name: 'mcp-remote',
  packages: ['mcp-remote'],
  command: 'mcp-remote',
  async connect({ home, server, way, block, call, person, stack }) {
    const host = JSON.parse(block('mcp-remote', 'claude_desktop_config.json')) as HostFile
    const entry = host.mcpServers[server]
    if (entry === undefined) throw new Error('the block names another server')
    const transport = new StdioClientTransport({
      command: entry.command,
      args: entry.args,
      env: { ...home.env, ...entry.env },
      cwd: home.folder,
      stderr: 'ignore',
    })
    const client = new Client({ name: 'host', version: '1' })
    try {
      const connecting = client.connect(transport, { timeout: CONNECT_MS })
      if (way === 'sign-in') {
        const page = await person()
        const url = await Promise.race([home.opened(), connecting.then(() => undefined)])
        if (url === undefined) throw new Error('it asked for no sign-in')
        await authorize(page, url, stack)
        await page.context().close()
      }
      await connecting
      const result = await client.callTool({ name: call.tool, arguments: { ...call.args } })
      return (words) => JSON.stringify(result).includes(words)
    } finally {
      await client.close()
    }
  },
}

const CONNECT_MS = 120_000

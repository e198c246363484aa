import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { freePorts } from '../free-ports.ts'
import { rememberSecret } from '../secrets.ts'
import type { CallOutcome, IndependentClient, ListedTool, ToolResult } from './client.ts'

/** `mcp-remote`'s own name for the protocol eras: the handshake only, or the newest one the server has. */
export type McpRemoteMode = 'legacy' | 'auto'

const PROXY = join(dirname(createRequire(import.meta.url).resolve('mcp-remote/package.json')), 'dist/proxy.js')
const TOOL_MS = 60_000

/** Options of {@link mcpRemoteClient}. */
export interface McpRemoteOptions {
  readonly mode: McpRemoteMode
  /** A bearer token sent as a static header; then the client has no reason to ask for an authorization. */
  readonly token?: string
}

/**
 * `mcp-remote` as desktop hosts run it: a child process that speaks stdio to the host and HTTP to us, with a
 * configuration folder of its own. It would open the machine's browser; a stand-in keeps it closed, and the URL is
 * read from what the program tells the person.
 */
export async function mcpRemoteClient(mcpUrl: string, options: McpRemoteOptions): Promise<IndependentClient> {
  const label = `mcp-remote, ${options.mode}`
  const folder = mkdtempSync(join(tmpdir(), 'vertexsms-mcp-remote-'))
  const [port] = await freePorts(1)
  const authorizeUrls = urlQueue()
  let client = new Client({ name: 'stdio host', version: '1.0.0' })
  let connecting: Promise<void> = Promise.resolve()

  const connect = async () => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [
        PROXY,
        mcpUrl,
        String(port),
        '--transport',
        'http-only',
        '--protocol',
        options.mode,
        '--auth-timeout',
        '120',
        ...(options.token === undefined ? [] : ['--header-file', headerFile(folder, options.token)]),
      ],
      env: { ...getDefaultEnvironment(), ...environment(folder) },
      stderr: 'pipe',
    })
    let printed = ''
    transport.stderr?.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      const lines = printed.split('\n')
      printed = lines.pop() ?? ''
      for (const line of lines) {
        const url = /https?:\/\/\S+\/oauth\/authorize\?\S+/.exec(line)?.[0]
        if (url !== undefined) authorizeUrls.push(new URL(url))
      }
    })
    client = new Client({ name: 'stdio host', version: '1.0.0' })
    connecting = client.connect(transport, { timeout: TOOL_MS })
    connecting.catch(() => undefined)
    return Promise.race([connecting.then(() => null), authorizeUrls.next()])
  }

  return {
    label,
    connect,
    finish: () => connecting,
    reconnect: async () => {
      await client.close()
      rmSync(stored(folder, 'tokens.json'))
      return connect()
    },
    listTools: async () => (await client.listTools()).tools as ListedTool[],
    callTool: async (name, args): Promise<CallOutcome> => {
      const result = client.callTool({ name, arguments: args }, undefined, { timeout: TOOL_MS }) as Promise<ToolResult>
      result.catch(() => undefined)
      return Promise.race([
        result.then((done) => ({ kind: 'result' as const, result: done })),
        authorizeUrls.next().then((authorizeUrl) => ({ kind: 'step-up' as const, authorizeUrl, result })),
      ])
    },
    credentials: async () => {
      const tokens = JSON.parse(readFileSync(stored(folder, 'tokens.json'), 'utf8'))
      const registered = JSON.parse(readFileSync(stored(folder, 'client_info.json'), 'utf8'))
      rememberSecret('access token', tokens.access_token)
      rememberSecret('refresh token', tokens.refresh_token)
      return {
        clientId: registered.client_id,
        accessToken: tokens.access_token,
        refreshToken: tokens.refresh_token,
        scope: tokens.scope,
      }
    },
    close: async () => {
      await client.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The URLs that the program asks the person to visit; each is handed out once, an abandoned wait takes none. */
function urlQueue() {
  const arrived: URL[] = []
  let wake: (() => void) | undefined
  return {
    push: (url: URL) => {
      arrived.push(url)
      wake?.()
    },
    next: async (): Promise<URL> => {
      for (;;) {
        const first = arrived.shift()
        if (first !== undefined) return first
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

/** The static header stands in a file, so that no list of processes shows the token. */
function headerFile(folder: string, token: string): string {
  const path = join(folder, 'headers.txt')
  writeFileSync(path, `Authorization: Bearer ${token}\n`, { mode: 0o600 })
  return path
}

/** A folder for the program's files, and in front of the path openers that open nothing. */
function environment(folder: string): Record<string, string> {
  const openers = join(folder, 'bin')
  mkdirSync(openers, { recursive: true })
  for (const name of ['xdg-open', 'open', 'gio', 'x-www-browser', 'sensible-browser']) {
    writeFileSync(join(openers, name), '#!/bin/sh\nexit 0\n')
    chmodSync(join(openers, name), 0o755)
  }
  return {
    MCP_REMOTE_CONFIG_DIR: folder,
    BROWSER: 'true',
    DISPLAY: '',
    PATH: `${openers}${delimiter}${process.env.PATH ?? ''}`,
  }
}

/** The path of one of the program's stored files, whose names begin with a hash of the server's URL. */
function stored(folder: string, suffix: string): string {
  const path = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith(suffix))
  if (path === undefined) throw new Error(`mcp-remote has stored no ${suffix}.`)
  return join(folder, path)
}

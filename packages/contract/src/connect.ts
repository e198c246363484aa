// How each MCP client is connected: links and blocks to paste, made here alone. The pages, the welcome and the tests read them.
import { shellWord } from './shell-word.ts'

/** The name under which the server stands in a client that signs in. */
export const SERVER_NAME = 'vertexsms'

/** The name beside it for a client that uses a token: no client takes one name twice. */
export const TOKEN_SERVER_NAME = 'vertexsms-token'

/** How the server is called where people read it. */
const TITLE = 'VertexSMS'
const DESCRIPTION = 'Send SMS and read prices, numbers and networks.'

/** One thing to click. It never carries a token: links are kept in histories and logs. */
export interface ConnectLink {
  readonly label: string
  readonly href: string
}

/** One thing to paste: a command, or what goes into a file. */
export interface ConnectBlock {
  /** Where it goes: `Terminal`, or the path of a file. */
  readonly place: string
  readonly text: string
}

/** How one client is connected. */
export interface ClientGuide {
  readonly id: string
  readonly name: string
  /** What to do, a sentence. */
  readonly note: string
  /** True for a client that runs elsewhere, and so cannot reach an address of this computer. */
  readonly hosted: boolean
  readonly links: readonly ConnectLink[]
  /** To sign in in the browser. */
  readonly blocks: readonly ConnectBlock[]
  /** With a token made by hand instead; empty for clients that take none. */
  readonly tokenBlocks: readonly ConnectBlock[]
}

/** True for an address that only programs on the same computer reach. */
export function isLocalAddress(url: string): boolean {
  const { hostname } = new URL(url)
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  )
}

/**
 * The command that adds the server to Claude Code, in this folder alone or (`user`) for all of a person's; with a token
 * instead of a sign-in where one is given.
 */
export function claudeCodeCommand(
  name: string,
  mcpUrl: string,
  { token, scope }: { readonly token?: string; readonly scope?: 'user' } = {},
): string {
  const where = scope === undefined ? '' : ` --scope ${scope}`
  const header = token === undefined ? '' : ` --header "Authorization: Bearer ${token}"`
  return `claude mcp add --transport http${where} ${name} ${shellWord(mcpUrl)}${header}`
}

const pretty = (value: unknown) => JSON.stringify(value, null, 2)
const base64 = (value: unknown) => btoa(JSON.stringify(value))
const encode = encodeURIComponent

/**
 * Every client, in the order in which they are shown, for this MCP server. `token` is one made by hand, or what stands
 * for it on a page that knows none.
 */
export function clientGuides(mcpUrl: string, token: string): readonly ClientGuide[] {
  const bearer = { Authorization: `Bearer ${token}` }
  const url = shellWord(mcpUrl)
  const header = `--header "Authorization: Bearer ${token}"`
  // One shape with two faces: to sign in, and with the token beside it under the other name.
  const file = (place: string, shape: (name: string, rest: { headers?: typeof bearer }) => unknown) => ({
    blocks: [{ place, text: pretty(shape(SERVER_NAME, {})) }],
    tokenBlocks: [{ place, text: pretty(shape(TOKEN_SERVER_NAME, { headers: bearer })) }],
  })
  const terminal = (text: string): ConnectBlock => ({ place: 'Terminal', text })

  const claudeFile = file('.mcp.json', (name, rest) => ({
    mcpServers: { [name]: { type: 'http', url: mcpUrl, ...rest } },
  }))
  const gemini = file('~/.gemini/settings.json', (name, rest) => ({
    mcpServers: { [name]: { httpUrl: mcpUrl, ...rest } },
  }))
  const opencode = file('~/.config/opencode/opencode.json', (name, rest) => ({
    mcp: { servers: { [name]: { type: 'remote', url: mcpUrl, ...rest } } },
  }))
  const remote = (name: string, args: readonly string[], env: { env?: Record<string, string> }) =>
    pretty({ mcpServers: { [name]: { command: 'npx', args: ['-y', 'mcp-remote', mcpUrl, ...args], ...env } } })

  return [
    {
      id: 'claude',
      name: 'Claude',
      note: 'On the web and on the desktop: open the link, add the connector and choose Connect. An organisation adds it for everybody.',
      hosted: true,
      links: [
        {
          label: 'Add to Claude',
          href: `https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=${encode(TITLE)}&connectorUrl=${encode(mcpUrl)}`,
        },
        {
          label: 'Add for an organisation',
          href: `https://claude.ai/admin-settings/connectors?modal=add-custom-connector&connectorName=${encode(TITLE)}&connectorUrl=${encode(mcpUrl)}`,
        },
      ],
      blocks: [],
      tokenBlocks: [],
    },
    {
      id: 'claude-code',
      name: 'Claude Code',
      note: 'Run the command, then sign in with /mcp inside Claude Code, or with claude mcp login.',
      hosted: false,
      links: [],
      blocks: [
        terminal(claudeCodeCommand(SERVER_NAME, mcpUrl, { scope: 'user' })),
        terminal(`claude mcp login ${SERVER_NAME}`),
        ...claudeFile.blocks,
      ],
      tokenBlocks: [
        terminal(claudeCodeCommand(TOKEN_SERVER_NAME, mcpUrl, { scope: 'user', token })),
        ...claudeFile.tokenBlocks,
      ],
    },
    {
      id: 'cursor',
      name: 'Cursor',
      note: 'Open the link, or add the block to the file; then sign in where Cursor shows the server.',
      hosted: false,
      links: [
        {
          label: 'Add to Cursor',
          href: `https://cursor.com/en/install-mcp?name=${SERVER_NAME}&config=${encode(base64({ url: mcpUrl }))}`,
        },
      ],
      ...file('.cursor/mcp.json', (name, rest) => ({ mcpServers: { [name]: { url: mcpUrl, ...rest } } })),
    },
    {
      id: 'vs-code',
      name: 'VS Code',
      note: 'Open the link, or add the block to the file and choose Start above it.',
      hosted: false,
      links: ['', '&quality=insiders'].map((quality) => ({
        label: quality === '' ? 'Add to VS Code' : 'Add to VS Code Insiders',
        href: `https://vscode.dev/redirect/mcp/install?name=${SERVER_NAME}&config=${encode(JSON.stringify({ type: 'http', url: mcpUrl }))}${quality}`,
      })),
      ...file('.vscode/mcp.json', (name, rest) => ({ servers: { [name]: { type: 'http', url: mcpUrl, ...rest } } })),
    },
    {
      id: 'chatgpt',
      name: 'ChatGPT',
      note: 'In the settings, under connectors, create one with this address and OAuth, and connect it.',
      hosted: true,
      links: [],
      blocks: [{ place: 'MCP server URL', text: mcpUrl }],
      tokenBlocks: [],
    },
    {
      id: 'codex',
      name: 'Codex CLI',
      note: 'The command signs in at once. With a token, Codex reads it from the environment.',
      hosted: false,
      links: [],
      blocks: [
        terminal(`codex mcp add ${SERVER_NAME} --url ${url}`),
        { place: '~/.codex/config.toml', text: `[mcp_servers.${SERVER_NAME}]\nurl = ${JSON.stringify(mcpUrl)}` },
      ],
      tokenBlocks: [
        terminal(
          `export VERTEXSMS_TOKEN=${token}\ncodex mcp add ${TOKEN_SERVER_NAME} --url ${url} --bearer-token-env-var VERTEXSMS_TOKEN`,
        ),
        {
          place: '~/.codex/config.toml',
          text: `[mcp_servers.${TOKEN_SERVER_NAME}]\nurl = ${JSON.stringify(mcpUrl)}\nbearer_token_env_var = "VERTEXSMS_TOKEN"`,
        },
      ],
    },
    {
      id: 'gemini',
      name: 'Gemini CLI',
      note: `Run the command, then sign in with /mcp auth ${SERVER_NAME} inside Gemini CLI.`,
      hosted: false,
      links: [],
      blocks: [terminal(`gemini mcp add -s user -t http ${SERVER_NAME} ${url}`), ...gemini.blocks],
      tokenBlocks: [
        terminal(`gemini mcp add -s user -t http ${TOKEN_SERVER_NAME} ${url} ${header}`),
        ...gemini.tokenBlocks,
      ],
    },
    {
      id: 'windsurf',
      name: 'Windsurf',
      note: 'Add the block to the file and refresh the servers in the settings.',
      hosted: false,
      links: [],
      ...file('~/.codeium/windsurf/mcp_config.json', (name, rest) => ({
        mcpServers: { [name]: { serverUrl: mcpUrl, ...rest } },
      })),
    },
    {
      id: 'zed',
      name: 'Zed',
      note: 'Add the block to the settings; Zed then asks to sign in.',
      hosted: false,
      links: [],
      ...file('~/.config/zed/settings.json', (name, rest) => ({
        context_servers: { [name]: { url: mcpUrl, ...rest } },
      })),
    },
    {
      id: 'opencode',
      name: 'OpenCode',
      note: 'Run the commands; the second one signs in. Or write the file.',
      hosted: false,
      links: [],
      blocks: [
        terminal(`opencode mcp add ${SERVER_NAME} --url ${url}`),
        terminal(`opencode mcp auth ${SERVER_NAME}`),
        ...opencode.blocks,
      ],
      tokenBlocks: opencode.tokenBlocks,
    },
    {
      id: 'goose',
      name: 'Goose',
      note: 'Open the link on the desktop, or add the block to the file.',
      hosted: false,
      links: [
        {
          label: 'Add to Goose',
          href: `goose://extension?url=${encode(mcpUrl)}&type=streamable_http&id=${SERVER_NAME}&name=${TITLE}&description=${encode(DESCRIPTION)}&timeout=300`,
        },
      ],
      blocks: [{ place: '~/.config/goose/config.yaml', text: gooseExtension(SERVER_NAME, mcpUrl) }],
      tokenBlocks: [
        {
          place: '~/.config/goose/config.yaml',
          text: `${gooseExtension(TOKEN_SERVER_NAME, mcpUrl)}\n    headers:\n      Authorization: ${JSON.stringify(bearer.Authorization)}`,
        },
      ],
    },
    {
      id: 'lm-studio',
      name: 'LM Studio',
      note: 'Open the link, or add the block to the file.',
      hosted: false,
      links: [
        {
          label: 'Add to LM Studio',
          href: `lmstudio://add_mcp?name=${SERVER_NAME}&config=${encode(base64({ url: mcpUrl }))}`,
        },
      ],
      ...file('~/.lmstudio/mcp.json', (name, rest) => ({ mcpServers: { [name]: { url: mcpUrl, ...rest } } })),
    },
    {
      id: 'kiro',
      name: 'Kiro',
      note: 'Open the link, or add the block to the file.',
      hosted: false,
      links: [
        {
          label: 'Add to Kiro',
          href: `https://kiro.dev/launch/mcp/add?name=${SERVER_NAME}&config=${encode(JSON.stringify({ url: mcpUrl }))}`,
        },
      ],
      ...file('~/.kiro/settings/mcp.json', (name, rest) => ({ mcpServers: { [name]: { url: mcpUrl, ...rest } } })),
    },
    {
      id: 'mcp-remote',
      name: 'Any client that runs a local command',
      note: 'Uses mcp-remote (needs Node). For Claude Desktop, edit claude_desktop_config.json.',
      hosted: false,
      links: [],
      blocks: [{ place: 'claude_desktop_config.json', text: remote(SERVER_NAME, [], {}) }],
      tokenBlocks: [
        {
          place: 'claude_desktop_config.json',
          // Some clients break an argument at its spaces, so the value comes from the environment.
          // biome-ignore lint/suspicious/noTemplateCurlyInString: mcp-remote fills it in
          text: remote(TOKEN_SERVER_NAME, ['--header', 'Authorization:${VERTEXSMS_AUTHORIZATION}'], {
            env: { VERTEXSMS_AUTHORIZATION: bearer.Authorization },
          }),
        },
      ],
    },
  ]
}

function gooseExtension(name: string, mcpUrl: string): string {
  return `extensions:\n  ${name}:\n    name: ${name}\n    type: streamable_http\n    uri: ${JSON.stringify(mcpUrl)}\n    enabled: true\n    timeout: 300`
}

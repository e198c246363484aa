import { describe, expect, test } from 'vitest'
import { clientGuides, isLocalAddress } from '../src/connect.ts'

const URL = 'https://mcp.vertexsms.com/mcp'
const TOKEN = 'vsms_example'
const guides = clientGuides(URL, TOKEN)

/** One client in full, as it is read on the page. */
function text(id: string): string {
  const guide = guides.find((one) => one.id === id)
  if (guide === undefined) throw new Error(`no client ${id}`)
  const lines = [
    ...guide.links.map(({ label, href }) => `[${label}] ${href}`),
    ...guide.blocks.map(({ place, text }) => `(${place})\n${text}`),
    ...guide.tokenBlocks.map(({ place, text }) => `(${place}, token)\n${text}`),
  ]
  return `${lines.join('\n')}\n`
}

const json = (value: unknown) => JSON.stringify(value, null, 2)
const headers = { Authorization: `Bearer ${TOKEN}` }

describe('what each client is given, byte for byte', () => {
  test.each([
    [
      'claude',
      `[Add to Claude] https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=VertexSMS&connectorUrl=https%3A%2F%2Fmcp.vertexsms.com%2Fmcp
[Add for an organisation] https://claude.ai/admin-settings/connectors?modal=add-custom-connector&connectorName=VertexSMS&connectorUrl=https%3A%2F%2Fmcp.vertexsms.com%2Fmcp
`,
    ],
    [
      'claude-code',
      `(Terminal)
claude mcp add --transport http --scope user vertexsms https://mcp.vertexsms.com/mcp
(Terminal)
claude mcp login vertexsms
(.mcp.json)
${json({ mcpServers: { vertexsms: { type: 'http', url: URL } } })}
(Terminal, token)
claude mcp add --transport http --scope user vertexsms-token https://mcp.vertexsms.com/mcp --header "Authorization: Bearer vsms_example"
(.mcp.json, token)
${json({ mcpServers: { 'vertexsms-token': { type: 'http', url: URL, headers } } })}
`,
    ],
    [
      'cursor',
      `[Add to Cursor] https://cursor.com/en/install-mcp?name=vertexsms&config=eyJ1cmwiOiJodHRwczovL21jcC52ZXJ0ZXhzbXMuY29tL21jcCJ9
(.cursor/mcp.json)
${json({ mcpServers: { vertexsms: { url: URL } } })}
(.cursor/mcp.json, token)
${json({ mcpServers: { 'vertexsms-token': { url: URL, headers } } })}
`,
    ],
    [
      'vs-code',
      `[Add to VS Code] https://vscode.dev/redirect/mcp/install?name=vertexsms&config=%7B%22type%22%3A%22http%22%2C%22url%22%3A%22https%3A%2F%2Fmcp.vertexsms.com%2Fmcp%22%7D
[Add to VS Code Insiders] https://vscode.dev/redirect/mcp/install?name=vertexsms&config=%7B%22type%22%3A%22http%22%2C%22url%22%3A%22https%3A%2F%2Fmcp.vertexsms.com%2Fmcp%22%7D&quality=insiders
(.vscode/mcp.json)
${json({ servers: { vertexsms: { type: 'http', url: URL } } })}
(.vscode/mcp.json, token)
${json({ servers: { 'vertexsms-token': { type: 'http', url: URL, headers } } })}
`,
    ],
    ['chatgpt', `(MCP server URL)\n${URL}\n`],
    [
      'codex',
      `(Terminal)
codex mcp add vertexsms --url https://mcp.vertexsms.com/mcp
(~/.codex/config.toml)
[mcp_servers.vertexsms]
url = "https://mcp.vertexsms.com/mcp"
(Terminal, token)
export VERTEXSMS_TOKEN=vsms_example
codex mcp add vertexsms-token --url https://mcp.vertexsms.com/mcp --bearer-token-env-var VERTEXSMS_TOKEN
(~/.codex/config.toml, token)
[mcp_servers.vertexsms-token]
url = "https://mcp.vertexsms.com/mcp"
bearer_token_env_var = "VERTEXSMS_TOKEN"
`,
    ],
    [
      'gemini',
      `(Terminal)
gemini mcp add -s user -t http vertexsms https://mcp.vertexsms.com/mcp
(~/.gemini/settings.json)
${json({ mcpServers: { vertexsms: { httpUrl: URL } } })}
(Terminal, token)
gemini mcp add -s user -t http vertexsms-token https://mcp.vertexsms.com/mcp --header "Authorization: Bearer vsms_example"
(~/.gemini/settings.json, token)
${json({ mcpServers: { 'vertexsms-token': { httpUrl: URL, headers } } })}
`,
    ],
    [
      'windsurf',
      `(~/.codeium/windsurf/mcp_config.json)
${json({ mcpServers: { vertexsms: { serverUrl: URL } } })}
(~/.codeium/windsurf/mcp_config.json, token)
${json({ mcpServers: { 'vertexsms-token': { serverUrl: URL, headers } } })}
`,
    ],
    [
      'zed',
      `(~/.config/zed/settings.json)
${json({ context_servers: { vertexsms: { url: URL } } })}
(~/.config/zed/settings.json, token)
${json({ context_servers: { 'vertexsms-token': { url: URL, headers } } })}
`,
    ],
    [
      'opencode',
      `(Terminal)
opencode mcp add vertexsms --url https://mcp.vertexsms.com/mcp
(Terminal)
opencode mcp auth vertexsms
(~/.config/opencode/opencode.json)
${json({ mcp: { servers: { vertexsms: { type: 'remote', url: URL } } } })}
(~/.config/opencode/opencode.json, token)
${json({ mcp: { servers: { 'vertexsms-token': { type: 'remote', url: URL, headers } } } })}
`,
    ],
    [
      'goose',
      `[Add to Goose] goose://extension?url=https%3A%2F%2Fmcp.vertexsms.com%2Fmcp&type=streamable_http&id=vertexsms&name=VertexSMS&description=Send%20SMS%20and%20read%20prices%2C%20numbers%20and%20networks.&timeout=300
(~/.config/goose/config.yaml)
extensions:
  vertexsms:
    name: vertexsms
    type: streamable_http
    uri: "https://mcp.vertexsms.com/mcp"
    enabled: true
    timeout: 300
(~/.config/goose/config.yaml, token)
extensions:
  vertexsms-token:
    name: vertexsms-token
    type: streamable_http
    uri: "https://mcp.vertexsms.com/mcp"
    enabled: true
    timeout: 300
    headers:
      Authorization: "Bearer vsms_example"
`,
    ],
    [
      'lm-studio',
      `[Add to LM Studio] lmstudio://add_mcp?name=vertexsms&config=eyJ1cmwiOiJodHRwczovL21jcC52ZXJ0ZXhzbXMuY29tL21jcCJ9
(~/.lmstudio/mcp.json)
${json({ mcpServers: { vertexsms: { url: URL } } })}
(~/.lmstudio/mcp.json, token)
${json({ mcpServers: { 'vertexsms-token': { url: URL, headers } } })}
`,
    ],
    [
      'kiro',
      `[Add to Kiro] https://kiro.dev/launch/mcp/add?name=vertexsms&config=%7B%22url%22%3A%22https%3A%2F%2Fmcp.vertexsms.com%2Fmcp%22%7D
(~/.kiro/settings/mcp.json)
${json({ mcpServers: { vertexsms: { url: URL } } })}
(~/.kiro/settings/mcp.json, token)
${json({ mcpServers: { 'vertexsms-token': { url: URL, headers } } })}
`,
    ],
    [
      'mcp-remote',
      `(claude_desktop_config.json)
${json({ mcpServers: { vertexsms: { command: 'npx', args: ['-y', 'mcp-remote', URL] } } })}
(claude_desktop_config.json, token)
${json({
  mcpServers: {
    'vertexsms-token': {
      command: 'npx',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: mcp-remote fills it in
      args: ['-y', 'mcp-remote', URL, '--header', 'Authorization:${VERTEXSMS_AUTHORIZATION}'],
      env: { VERTEXSMS_AUTHORIZATION: 'Bearer vsms_example' },
    },
  },
})}
`,
    ],
  ])('%s', (id, expected) => {
    expect(text(id)).toBe(expected)
  })

  test('and no client more', () => {
    expect(guides).toHaveLength(14)
    expect(new Set(guides.map(({ id }) => id)).size).toBe(14)
  })
})

describe('every link', () => {
  const links = (mcpUrl: string) => clientGuides(mcpUrl, TOKEN).flatMap((guide) => guide.links)

  test.each([
    'https://mcp.vertexsms.com/mcp',
    'http://localhost:4001/mcp',
    'https://sms.example.com:8443/a path/mcp?tenant=a&b=%20c#x',
    'https://xn--bcher-kva.example/mcp/ü',
  ])('leads back to the address it was made of, and carries no token: %s', (mcpUrl) => {
    for (const { href } of links(mcpUrl)) {
      const link = new globalThis.URL(href)
      const plain = link.searchParams.get('connectorUrl') ?? link.searchParams.get('url')
      const config = link.searchParams.get('config')
      const decoded = config?.startsWith('{') ? config : atob(config ?? btoa('{}'))
      expect(plain ?? JSON.parse(decoded).url).toBe(mcpUrl)
      expect(href).not.toContain(TOKEN)
    }
    expect(links(mcpUrl)).toHaveLength(8)
  })
})

test('a block for a file is read back to the address, and a command keeps it one word, whatever stands in it', () => {
  const odd = "https://sms.example.com/a'b/mcp?x=1&y=$(id)"
  for (const { id, blocks, tokenBlocks } of clientGuides(odd, TOKEN)) {
    for (const { place, text } of [...blocks, ...tokenBlocks]) {
      if (place.endsWith('.json'))
        expect(JSON.stringify(JSON.parse(text)), id).toContain(JSON.stringify(odd).slice(1, -1))
      if (place === 'Terminal' && text.includes('sms.example.com')) {
        expect(text, id).toContain(`'https://sms.example.com/a'\\''b/mcp?x=1&y=$(id)'`)
      }
    }
  }
})

test('a token block has a name of its own, so that both stand in one client', () => {
  for (const { id, blocks, tokenBlocks } of guides) {
    for (const { text } of blocks) expect(text, id).not.toContain('vertexsms-token')
    for (const { text } of tokenBlocks) expect(text, id).toContain('vertexsms-token')
  }
})

test.each([
  ['http://localhost:4001/mcp', true],
  ['http://127.0.0.1:4001/mcp', true],
  ['http://127.1:4001/mcp', true],
  ['http://[::1]:4001/mcp', true],
  ['https://mcp.localhost/mcp', true],
  ['https://mcp.vertexsms.com/mcp', false],
  ['https://localhost.example.com/mcp', false],
  ['https://127.example.com/mcp', false],
])('%s is an address of this computer alone: %s', (url, local) => {
  expect(isLocalAddress(url)).toBe(local)
})

import { claudeCodeCommand, clientGuides, SERVER_NAME, TOKEN_SERVER_NAME } from '@vertexsms/contract/connect'

export interface Welcome {
  /** The authorization server's public URL, where one signs in. */
  dashboardUrl: string
  /** The MCP endpoint, as it is pasted into clients. */
  mcpUrl: string
  apiUrl: string
  /** True where messages reach phones. */
  isReal?: boolean
  email: string
  password: string
  token: string
}

/** Clients whose block is on the screen; the others are a click away. */
const SHOWN: Readonly<Record<string, string>> = {
  cursor: 'Cursor',
  'vs-code': 'VS Code',
  'mcp-remote': 'Claude Desktop',
}

/**
 * What a person needs to connect a client: blocks to paste, what to ask then, addresses, the account and one token.
 * Short, and the account last, so that its password is on the screen of a terminal of 24 lines.
 */
export function welcomeText({ dashboardUrl, mcpUrl, apiUrl, isReal = false, email, password, token }: Welcome): string {
  const guides = clientGuides(mcpUrl, token)
  const blocks = Object.entries(SHOWN).map(([id, name]) => {
    const block = guides.find((guide) => guide.id === id)?.blocks[0]
    if (block === undefined) throw new Error(`there is no block for ${name}`)
    return `${name} (${block.place}):\n${JSON.stringify(JSON.parse(block.text))}\n`
  })
  return `
VertexSMS Connect is ready.

Claude Code, with sign-in in the browser (/mcp in Claude Code):
${claudeCodeCommand(SERVER_NAME, mcpUrl)}

Claude Code, with the token, beside it or instead:
${claudeCodeCommand(TOKEN_SERVER_NAME, mcpUrl, { token })}

${blocks.join('\n')}
Then ask it: Which networks are in Lithuania and what does an SMS cost?

Other clients: ${dashboardUrl}/connect
Dashboard:     ${dashboardUrl}
MCP server:    ${mcpUrl}
REST API:      ${apiUrl} (reference: /reference)
${isReal ? `Your account:  ${dashboardUrl}/settings/vertexsms-account (real SMS, paid)` : `Sandbox phone: ${dashboardUrl}/sandbox/phone`}

email: ${email}
password: ${password}
token: ${token}
`
}

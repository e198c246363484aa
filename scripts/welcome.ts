export interface Welcome {
  /** The authorization server's public URL, where one signs in. */
  dashboardUrl: string
  /** The MCP endpoint, as it is pasted into clients. */
  mcpUrl: string
  apiUrl: string
  email: string
  password: string
  token: string
}

/** What a person needs to connect a client: addresses, the account, one token, and blocks to paste. */
export function welcomeText({ dashboardUrl, mcpUrl, apiUrl, email, password, token }: Welcome): string {
  return `
VertexSMS Connect is ready.

  Dashboard      ${dashboardUrl}
  MCP server     ${mcpUrl}
  REST API       ${apiUrl}
  Sandbox phone  ${dashboardUrl}/sandbox/phone

email: ${email}
password: ${password}
token: ${token}

Claude Code, with sign-in in the browser:
claude mcp add --transport http vertexsms ${mcpUrl}

Claude Code, with the token, beside it or instead:
claude mcp add --transport http vertexsms-token ${mcpUrl} --header "Authorization: Bearer ${token}"

Cursor (.cursor/mcp.json):
${block({ mcpServers: { vertexsms: { url: mcpUrl } } })}

VS Code (.vscode/mcp.json):
${block({ servers: { vertexsms: { type: 'http', url: mcpUrl } } })}

Claude Desktop (claude_desktop_config.json):
${block({ mcpServers: { vertexsms: { command: 'npx', args: ['-y', 'mcp-remote', mcpUrl] } } })}
`
}

function block(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

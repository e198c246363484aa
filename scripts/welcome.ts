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

/**
 * What a person needs to connect a client: blocks to paste, then addresses, the account and one token. Short, and the
 * account last, so that its password is on the screen of a terminal of 24 lines.
 */
export function welcomeText({ dashboardUrl, mcpUrl, apiUrl, email, password, token }: Welcome): string {
  return `
VertexSMS Connect is ready.

Claude Code, with sign-in in the browser:
claude mcp add --transport http vertexsms ${mcpUrl}

Claude Code, with the token, beside it or instead:
claude mcp add --transport http vertexsms-token ${mcpUrl} --header "Authorization: Bearer ${token}"

Cursor (.cursor/mcp.json):
${JSON.stringify({ mcpServers: { vertexsms: { url: mcpUrl } } })}

VS Code (.vscode/mcp.json):
${JSON.stringify({ servers: { vertexsms: { type: 'http', url: mcpUrl } } })}

Claude Desktop (claude_desktop_config.json):
${JSON.stringify({ mcpServers: { vertexsms: { command: 'npx', args: ['-y', 'mcp-remote', mcpUrl] } } })}

Dashboard:     ${dashboardUrl}
MCP server:    ${mcpUrl}
REST API:      ${apiUrl}
Sandbox phone: ${dashboardUrl}/sandbox/phone

email: ${email}
password: ${password}
token: ${token}
`
}

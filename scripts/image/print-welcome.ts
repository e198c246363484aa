// Prints the demo's welcome for a compose installation: `node welcome.js CREDENTIALS-FILE`.

import { readFileSync } from 'node:fs'
import { welcomeText } from '../welcome.ts'

const {
  ISSUER_URL: dashboardUrl = 'http://localhost:4000',
  MCP_RESOURCE_URL: mcpUrl = 'http://localhost:4001/mcp',
  API_RESOURCE_URL: apiUrl = 'http://localhost:4002',
  UPSTREAM,
} = process.env
const { email, password, token } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
console.log(welcomeText({ dashboardUrl, mcpUrl, apiUrl, isReal: UPSTREAM === 'vertexsms', email, password, token }))

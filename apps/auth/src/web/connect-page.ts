import { type ClientGuide, clientGuides, isLocalAddress } from '@vertexsms/contract/connect'
import { quickStart, tokenCommand } from '@vertexsms/contract/quick-start'
import type { ConnectPage } from '../views/sign-in.ts'

/** What stands for a token on a page that knows none. */
const TOKEN_PLACEHOLDER = 'YOUR_API_TOKEN'

/** How each client is connected to these addresses: `/connect` shows all of it, the start page of an account the first steps. */
export function connectPage({ mcp, api }: { readonly mcp: string; readonly api: string }): ConnectPage {
  return {
    mcpUrl: mcp,
    apiUrl: api,
    tokenCommand: tokenCommand(TOKEN_PLACEHOLDER),
    quickStart: quickStart(api),
    isLocal: isLocalAddress(mcp),
    clients: reachableFirst(clientGuides(mcp, TOKEN_PLACEHOLDER), isLocalAddress(mcp)),
  }
}

/** In their order, those last that cannot reach the address. */
function reachableFirst(clients: readonly ClientGuide[], isLocal: boolean): readonly ClientGuide[] {
  const isOut = ({ hosted }: ClientGuide) => hosted && isLocal
  return [...clients.filter((client) => !isOut(client)), ...clients.filter(isOut)]
}

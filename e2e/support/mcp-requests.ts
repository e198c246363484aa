import { modernRequest } from './clients/raw.ts'

/** One request of a kind that a client may make next, and what a token that is alive gets for it. */
export interface McpRequest {
  readonly title: string
  readonly method: 'POST' | 'GET' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly statusWhenAlive: number
}

const RATES = { name: 'get_sms_rates', arguments: { country: 'LT' } }

/** One request of each kind, in both eras where both have it. */
export const MCP_REQUESTS: readonly McpRequest[] = [
  modern('tools/call', 'tools/call', RATES),
  modern('tools/list', 'tools/list'),
  modern('server/discover', 'server/discover'),
  modern('tools/call with bad arguments', 'tools/call', { name: 'get_sms_rates', arguments: { country: 42 } }),
  modern('tools/call of an unknown tool', 'tools/call', { name: 'send_fax', arguments: {} }),
  legacy('tools/call', 'tools/call', RATES),
  legacy('tools/list', 'tools/list'),
  legacy('initialize', 'initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  }),
  legacy('ping', 'ping'),
  legacy('tools/call with bad arguments', 'tools/call', { name: 'get_sms_rates', arguments: { country: 42 } }),
  legacy('tools/call of an unknown tool', 'tools/call', { name: 'send_fax', arguments: {} }),
  {
    title: 'a notification (2025-11-25)',
    method: 'POST',
    headers: legacyHeaders(),
    body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
    statusWhenAlive: 202,
  },
  { title: 'GET', method: 'GET', headers: { accept: 'text/event-stream' }, statusWhenAlive: 405 },
  { title: 'DELETE', method: 'DELETE', headers: {}, statusWhenAlive: 405 },
]

/** Sends one request with a bearer token and resolves with the answer; the body is left unread. */
export function send(mcpUrl: string, token: string, request: McpRequest): Promise<Response> {
  return fetch(mcpUrl, {
    method: request.method,
    headers: { ...request.headers, authorization: `Bearer ${token}` },
    ...(request.body === undefined ? {} : { body: request.body }),
  })
}

function modern(title: string, method: string, params: Record<string, unknown> = {}): McpRequest {
  return { title: `${title} (2026-07-28)`, method: 'POST', ...modernRequest(method, params), statusWhenAlive: 200 }
}

function legacy(title: string, method: string, params?: Record<string, unknown>): McpRequest {
  return {
    title: `${title} (2025-11-25)`,
    method: 'POST',
    headers: legacyHeaders(),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, ...(params === undefined ? {} : { params }) }),
    statusWhenAlive: 200,
  }
}

function legacyHeaders(): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
  }
}

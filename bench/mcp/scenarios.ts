import { MCP_RESOURCE_URL } from '../harness/issuer.ts'

/** The revision a request is written in. */
export type Era = '2026-07-28' | '2025-11-25'

/** One kind of request, sent the same to every contestant. */
export interface Scenario {
  readonly name: string
  readonly era: Era
  readonly method: 'tools/call' | 'tools/list'
  /** Text that stands in every right answer; a proxy hands the API's answer through, so that its text stands there. */
  readonly expect: string
  readonly expectOfProxy: string
}

/** What is measured: the call of one tool, and the list of all ten, in both eras. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'tools/call, 2026-07-28', era: '2026-07-28', method: 'tools/call', expect: 'BITE', expectOfProxy: 'BITE' },
  { name: 'tools/call, 2025-11-25', era: '2025-11-25', method: 'tools/call', expect: 'BITE', expectOfProxy: 'BITE' },
  {
    name: 'tools/list, 2026-07-28',
    era: '2026-07-28',
    method: 'tools/list',
    expect: 'get_operator',
    expectOfProxy: 'permissions',
  },
  {
    name: 'tools/list, 2025-11-25',
    era: '2025-11-25',
    method: 'tools/list',
    expect: 'get_operator',
    expectOfProxy: 'permissions',
  },
]

const CALL = { name: 'get_operator', arguments: { operatorId: 20 } }

/** The bytes of one request of a scenario as a client sends them, with an id and a token of its own. */
export function requestBytes(scenario: Scenario, token: string, id: number): Buffer {
  const { era, method } = scenario
  const isCall = method === 'tools/call'
  const meta = {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': era,
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  }
  const params = { ...(isCall ? CALL : {}), ...(era === '2026-07-28' ? meta : {}) }
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
  const { host, pathname } = new URL(MCP_RESOURCE_URL)
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `Authorization: Bearer ${token}`,
    `MCP-Protocol-Version: ${era}`,
    ...(era === '2026-07-28' ? [`Mcp-Method: ${method}`, ...(isCall ? [`Mcp-Name: ${CALL.name}`] : [])] : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

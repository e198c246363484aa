import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { modernRequest } from '../support/clients/raw.ts'
import { appProcess, type Stack } from '../support/stack.ts'
import { expectRight, type Topic } from './probe.ts'

const FAILURES = 400
const PADDING = ' '.repeat(200_000)
/** A quarter of what the bodies alone would take. */
const GROWTH_MAX_MB = (FAILURES * PADDING.length) / 4_000_000
const OPERATOR = { name: 'get_operator', arguments: { operatorId: 20 } }
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' }

/** What the MCP endpoint makes of messages and their headers. */
export const protocol: Topic = {
  title: 'messages to the MCP endpoint',
  probes: [
    {
      input: `POST /mcp, tools/call with capabilities nested 7000 deep in a body of 200 kB, ${FAILURES} times`,
      before: '500, and the body stayed in memory for ever: 196 kB a request',
      run: keepNothing,
    },
    {
      input: 'MCP-Protocol-Version and Mcp-Method sent twice alike (2026-07-28)',
      before: '400 -32020, the headers and the body disagree',
      async run(product) {
        const { headers, body } = modernRequest('server/discover')
        const [version, method] = [headers['mcp-protocol-version'], headers['mcp-method']]
        const twice = { 'mcp-protocol-version': [version, version], 'mcp-method': [method, method] }
        return ok(await send(product, body, { ...headers, ...twice }), 200, '"supportedVersions"')
      },
    },
    {
      input: 'MCP-Protocol-Version: 2025-06-18 sent twice, with a ping',
      before: '400, unsupported protocol version',
      run: async (product) =>
        ok(
          await send(product, JSON.stringify(PING), { 'mcp-protocol-version': ['2025-06-18', '2025-06-18'] }),
          200,
          '"result":{}',
        ),
    },
    {
      input: 'a batch of a ping, a call and a notification, after agreeing on 2025-03-26',
      before: '400 -32600, send one message per request',
      run: async (product) =>
        ok(await send(product, JSON.stringify(batch())), 200, '[{"jsonrpc":"2.0","id":1,"result":{}}'),
    },
    {
      input: 'the same batch with a token that is gone',
      before: '401',
      run: async (product) =>
        ok(
          await send(product, JSON.stringify(batch()), {}, 'vsms_gonexxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'),
          401,
          'AUTH_INVALID',
        ),
    },
    {
      input: 'the schemas of tools/list',
      before: '11 lists of types, one format of URIs, for which strict clients refuse the list',
      async run(product) {
        const { headers, body } = modernRequest('tools/list')
        const answer = (await send(product, body, headers)).body
        const [lists, uris] = [/"type":\[/g, /"format":"uri/g].map((keyword) => answer.match(keyword)?.length ?? 0)
        expectRight(
          lists === 0 && uris === 0 && answer.includes('"anyOf"'),
          `${lists} lists of types, ${uris} formats of URIs`,
        )
        return `${lists} lists of types, ${uris} formats of URIs`
      },
    },
  ],
}

const batch = () => [
  PING,
  { jsonrpc: '2.0', id: 2, method: 'tools/call', params: OPERATOR },
  { jsonrpc: '2.0', method: 'notifications/initialized' },
]

async function keepNothing(product: Stack): Promise<string> {
  const { headers, body } = modernRequest('tools/call', OPERATOR)
  const deep = `${'{"a":'.repeat(7000)}1${'}'.repeat(7000)}`
  const padded = body
    .replace('"io.modelcontextprotocol/clientCapabilities":{}', `"io.modelcontextprotocol/clientCapabilities":${deep}`)
    .replace('{', `{${PADDING}`)
  const statuses = new Set<number>()
  const failTimes = async (times: number) => {
    for (let sent = 0; sent < times; sent++) statuses.add((await send(product, padded, headers)).status)
  }
  await failTimes(100)
  const before = residentMb(product)
  await failTimes(FAILURES)
  const grown = Math.round(residentMb(product) - before)
  const seen = `${[...statuses].join(', ')}; the process has grown by ${grown} MB over ${Math.round((FAILURES * padded.length) / 1_000_000)} MB of bodies`
  expectRight(statuses.size === 1 && statuses.has(400) && grown < GROWTH_MAX_MB, seen)
  return seen
}

function residentMb(product: Stack): number {
  const pid = appProcess(product, 'mcp')?.pid
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000
}

interface Answered {
  readonly status: number
  readonly body: string
}

// fetch would join a header that is given twice.
async function send(
  { mcpUrl, token }: Stack,
  body: string,
  headers: Readonly<Record<string, string | string[]>> = {},
  as = token,
): Promise<Answered> {
  const outgoing = request(mcpUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
      authorization: `Bearer ${as}`,
    },
  })
  outgoing.end(body)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, body: await text(response) }
}

function ok({ status, body }: Answered, wanted: number, part: string): string {
  const seen = `${status} ${body.slice(0, 160)}`
  expectRight(status === wanted && body.includes(part), seen)
  return seen
}

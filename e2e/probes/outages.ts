import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Door, doorTo } from '@vertexsms/db/testing/door'
import { API_KEY_PURPOSES } from '@vertexsms/secrets/derived-keys'
import { modernRequest } from '../support/clients/raw.ts'
import { freePorts } from '../support/free-ports.ts'
import type { Stack } from '../support/stack.ts'
import { waitUntil } from '../support/wait-until.ts'
import { startApp } from './child.ts'
import { expectRight, type Topic } from './probe.ts'

const SMS = { to: '+37060000001', from: 'Tests', message: 'Hello' }
const SECRET = 'edge-secret-of-the-probes-0123456789abcdef'
const WITHIN_MS = 20_000
const RECOVERY_MS = 60_000

/** What happens while the database is not well. */
export const outages: Topic = {
  title: 'when the database is not well',
  env: { RATE_LIMITS: 'on', DATABASE_STATEMENT_TIMEOUT_MS: '1500', DATABASE_CONNECT_TIMEOUT_MS: '1500' },
  probes: [
    {
      input: 'the database falls silent without closing: a call of each door, and /readyz of each',
      before: 'every token check hung for minutes while /readyz said ready; the token endpoint answered 500',
      async run(product) {
        process.kill(product.pid, 'SIGSTOP')
        const began = performance.now()
        try {
          const seen = await Promise.all(doors(product).map(tell))
          const tookMs = Math.round(performance.now() - began)
          const ready = await Promise.all(Object.values(product.ports).map((port) => statusOf(port)))
          const text = `${seen.join(', ')}; /readyz ${ready.join(' ')}; in ${tookMs} ms`
          const right =
            seen.every((one) => / 503 retry-after [1-9]/.test(one)) && ready.every((status) => status === 503)
          expectRight(right && tookMs < WITHIN_MS, text)
          return text
        } finally {
          process.kill(product.pid, 'SIGCONT')
        }
      },
    },
    {
      input: 'it speaks again: the same calls, without a restart of anything',
      before: 'some connections stayed dead until they were ended by hand',
      async run(product) {
        const seen = await waitUntil('every door to answer', RECOVERY_MS, async () => {
          const answers = await Promise.all(doors(product).map(tell))
          const ready = await Promise.all(Object.values(product.ports).map((port) => statusOf(port)))
          const well = answers.every((one) => !/ 50\d/.test(one)) && ready.every((one) => one === 200)
          return well ? answers : undefined
        })
        return `${seen.join(', ')}; /readyz 200 200 200`
      },
    },
    {
      input: 'the connection breaks after the database took a message and before it says so: REST, then MCP',
      before: '503 "try again", and in MCP "nothing was done": a repetition was sent and charged again',
      run: (product) =>
        beside(product, async (door, { api, mcp }) => {
          door.loseAnswerTo('INSERT INTO message')
          const rest = await tell([
            'POST /sms',
            `http://localhost:${api}/sms`,
            { ...asToken(product), body: JSON.stringify({ ...SMS, to: SMS.to.slice(1) }) },
          ])
          door.loseAnswerTo('INSERT INTO message')
          const { headers, body } = modernRequest('tools/call', { name: 'send_sms', arguments: SMS })
          const called = await fetch(`http://localhost:${mcp}/mcp`, {
            method: 'POST',
            headers: { ...headers, authorization: `Bearer ${product.token}` },
            body,
          })
          const text = `${rest}; MCP ${called.status} ${/SEND_OUTCOME_UNKNOWN/.exec(await called.text())?.[0] ?? 'says otherwise'}`
          expectRight(/ 504 no retry-after.*200 SEND_OUTCOME_UNKNOWN/.test(text), text)
          return text
        }),
    },
    {
      input: 'the database refuses and breaks every connection: REST and MCP',
      before: '503 at most doors, 500 at nine places of the authorization server',
      run: (product) =>
        beside(product, async (door, ports) => {
          door.shut()
          const text = (
            await Promise.all(
              doors({ ...product, ports: { ...product.ports, ...ports } })
                .slice(0, 2)
                .map(tell),
            )
          ).join(', ')
          expectRight((text.match(/ 503 retry-after [1-9]/g) ?? []).length === 2, text)
          return text
        }),
    },
  ],
}

type Call = readonly [name: string, url: string, init: RequestInit]

function asToken({ token }: Pick<Stack, 'token'>): RequestInit {
  return { method: 'POST', headers: { 'x-vertexsms-token': token, 'content-type': 'application/json' } }
}

function doors({ ports, token }: Pick<Stack, 'ports' | 'token'>): Call[] {
  const list = modernRequest('tools/list')
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  return [
    ['GET /token', `http://localhost:${ports.api}/token`, { headers: { 'x-vertexsms-token': token } }],
    [
      'POST /mcp',
      `http://localhost:${ports.mcp}/mcp`,
      { method: 'POST', headers: { ...list.headers, authorization: `Bearer ${token}` }, body: list.body },
    ],
    [
      'POST /oauth/token',
      `http://localhost:${ports.auth}/oauth/token`,
      { method: 'POST', headers: form, body: 'grant_type=refresh_token&client_id=x&refresh_token=y' },
    ],
    [
      'POST /oauth/register',
      `http://localhost:${ports.auth}/oauth/register`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"redirect_uris":["http://127.0.0.1:1/cb"],"token_endpoint_auth_method":"none"}',
      },
    ],
  ]
}

async function tell([name, url, init]: Call): Promise<string> {
  const response = await fetch(url, init)
  await response.text()
  const after = response.headers.get('retry-after')
  return `${name} ${response.status} ${after === null ? 'no retry-after' : `retry-after ${after}`}`
}

async function statusOf(port: number): Promise<number> {
  const response = await fetch(`http://localhost:${port}/readyz`)
  return response.status
}

/** An API and an MCP server of their own over the product's database, behind a door. */
async function beside(product: Stack, run: (door: Door, ports: { api: number; mcp: number }) => Promise<string>) {
  const { DATABASE_URL } = JSON.parse(readFileSync(join(product.dataDir, 'operator.json'), 'utf8'))
  const door = await doorTo(DATABASE_URL)
  const [api = 0, mcp = 0] = await freePorts(2)
  const key = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7)).toString('base64url')
  const shared = { EDGE_SECRET: SECRET, ISSUER_URL: product.issuer, LOG_LEVEL: 'silent' }
  const ends: (() => Promise<void>)[] = []
  try {
    const own = {
      DATABASE_URL: door.url,
      DATABASE_NAMED_STATEMENTS: 'off',
      API_KEYS: API_KEY_PURPOSES.map((purpose) => `${purpose}=${key}`).join(','),
    }
    ends.push(await startApp('api', api, { ...shared, ...own }))
    const at = { API_URL: `http://localhost:${api}`, MCP_RESOURCE_URL: `http://localhost:${mcp}/mcp` }
    ends.push(await startApp('mcp', mcp, { ...shared, ...at }))
    return await run(door, { api, mcp })
  } finally {
    for (const end of ends) await end()
    await door.close()
  }
}

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Stack, shiftClock } from '../support/stack.ts'
import { expectRight, type Topic } from './probe.ts'
import { register } from './strangers.ts'

const OLD_ACCESS_TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA'

/** What anybody can do to the limits, and what the limits do to others; the product trusts one proxy before it. */
export const strangersLimited: Topic = {
  title: 'anybody, without a token, with the limits on',
  env: { RATE_LIMITS: 'on', TRUST_PROXY: '1', OUTBOUND_ALLOW_LOCALHOST: 'on' },
  probes: [
    {
      input: 'POST /oauth/register 200 times from as many addresses of one IPv6 /64',
      before: '600 of 600 registered, 31 kB each, kept for a week',
      async run(product) {
        const statuses = await each(200, (index) => registerFrom(product, `2001:db8:1:1::${(index + 1).toString(16)}`))
        expectRight((statuses.get(201) ?? 0) <= 120 && statuses.has(429), told(statuses))
        return told(statuses)
      },
    },
    {
      input: 'POST /oauth/register 250 times from as many /64 of one IPv6 /48',
      before: 'every one registered: single addresses were counted',
      async run(product) {
        const statuses = await each(250, (index) => registerFrom(product, `2001:db8:2:${(index + 1).toString(16)}::1`))
        expectRight((statuses.get(201) ?? 0) <= 240 && statuses.has(429), told(statuses))
        return told(statuses)
      },
    },
    {
      input: 'POST /oauth/register once more, from an address beside them',
      before: '201',
      async run(product) {
        const status = await registerFrom(product, '2001:db8:3:1::1')
        expectRight(status === 201, String(status))
        return String(status)
      },
    },
    {
      input: 'GET /oauth/authorize 300 times from one address, then once with 16 kB of state',
      before: 'no limit: 3 000 rows and 48 MB in 12 seconds',
      async run(product) {
        const { client_id: clientId } = (await (await register(product, {})).json()) as { client_id: string }
        const ask = async (address: string, state: string) => {
          const query = new URLSearchParams({ response_type: 'code', client_id: clientId, state })
          query.set('redirect_uri', 'https://app.example/cb')
          query.set('code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
          query.set('code_challenge_method', 'S256')
          const headers = { 'x-forwarded-for': address }
          const url = `${product.issuer}/oauth/authorize?${query}`
          return (await fetch(url, { redirect: 'manual', headers })).status
        }
        const statuses = await each(300, () => ask('192.0.2.7', 's'))
        const large = await ask('192.0.2.8', 'x'.repeat(12_000))
        const seen = `${told(statuses)}; with a large state ${large}`
        expectRight((statuses.get(303) ?? 0) <= 240 && statuses.has(429) && large === 400, seen)
        return seen
      },
    },
    {
      input: 'POST /mcp 150 times without credentials from one address, then a new person from there',
      before: '429 instead of the 401 that begins a connection',
      async run({ mcpUrl }) {
        const statuses = await each(151, async () => {
          const headers = { 'content-type': 'application/json', 'x-forwarded-for': '192.0.2.9' }
          return (await fetch(mcpUrl, { method: 'POST', headers, body: '{}' })).status
        })
        expectRight(statuses.size === 1 && statuses.has(401), told(statuses))
        return told(statuses)
      },
    },
    {
      input: 'POST /mcp 150 times with an access token that does not verify, then a good token from the same address',
      before: '429 for the sound token of a neighbour',
      async run({ mcpUrl, token }) {
        const post = async (bearer: string) => {
          const headers = {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'x-forwarded-for': '192.0.2.10',
            authorization: `Bearer ${bearer}`,
          }
          return (await fetch(mcpUrl, { method: 'POST', headers, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' }))
            .status
        }
        const statuses = await each(150, () => post(OLD_ACCESS_TOKEN))
        const good = await post(token)
        expectRight(statuses.size === 1 && statuses.has(401) && good === 200, `${told(statuses)}; then ${good}`)
        return `${told(statuses)}; then ${good}`
      },
    },
    {
      input: "a client's metadata document whose host answers 403, then 200, then 403 when the copy is out of date",
      before: 'the login ended with invalid_client',
      run: documentOf403,
    },
  ],
}

/** Serves a document, refuses it, and looks each time at what the authorization endpoint says. */
async function documentOf403(product: Stack): Promise<string> {
  let status = 403
  const server = createServer((request, response) => {
    const clientId = `http://localhost:${(server.address() as AddressInfo).port}${request.url}`
    const document = { client_id: clientId, client_name: 'Doc', redirect_uris: ['http://127.0.0.1/cb'] }
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(status === 200 ? JSON.stringify(document) : '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const ask = async (path: string) => {
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: `http://localhost:${port}${path}`,
        redirect_uri: 'http://127.0.0.1:9/cb',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
      })
      const response = await fetch(`${product.issuer}/oauth/authorize?${query}`, { redirect: 'manual' })
      await response.text()
      return `${response.status}${response.headers.has('retry-after') ? ' with Retry-After' : ''}`
    }
    const never = await ask('/never-seen')
    status = 200
    const seen = await ask('/seen')
    status = 403
    // Past the minute for which the copy counts as fresh.
    shiftClock(product, 120)
    const stored = await ask('/seen')
    const answers = `${never}, ${seen}, ${stored}`
    expectRight(answers === '503 with Retry-After, 303, 303', answers)
    return answers
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function registerFrom({ issuer }: Stack, address: string): Promise<number> {
  const response = await fetch(`${issuer}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
    body: JSON.stringify({ redirect_uris: ['https://app.example/cb'], token_endpoint_auth_method: 'none' }),
  })
  await response.text()
  return response.status
}

/** Does something that often, ten at a time, and counts what came of it. */
async function each(times: number, ask: (index: number) => Promise<number>): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  for (let begin = 0; begin < times; begin += 10) {
    const indexes = Array.from({ length: Math.min(10, times - begin) }, (_, offset) => begin + offset)
    for (const status of await Promise.all(indexes.map(ask))) statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  return statuses
}

function told(statuses: ReadonlyMap<number, number>): string {
  return [...statuses].map(([status, times]) => `${times} times ${status}`).join(', ')
}

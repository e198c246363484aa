import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { modernRequest } from '../support/clients/raw.ts'
import type { Stack } from '../support/stack.ts'
import { waitUntil } from '../support/wait-until.ts'
import { neighbour } from './person.ts'
import { expectRight, type Topic } from './probe.ts'

const DEAD = 400
const SLOW_SERVERS = 6
/** An endpoint that does not answer is given up after ten seconds: whoever waits for one waits longer than this. */
const REPORT_MAX_MS = 9_000
const LOOKUPS = 320
/** As many may be waited for at a time. */
const WAITS_OF_ACCOUNT = 16
const LIST_MAX_MS = 3_000
const TOKENS_MAX = 100
const POSTS_AT_ONCE = 19

/** What one customer can do to the others. */
export const neighbours: Topic = {
  title: 'one customer against the others',
  env: { SANDBOX_HLR_MS: '15000', SANDBOX_DELIVERY_MS: '200' },
  probes: [
    {
      input: `${DEAD} free messages with dead dlrUrls and ${SLOW_SERVERS * 10} with endpoints that do not answer; another account sends one`,
      before: "the other account's report waited for minutes behind the dead ones, 7 to 24 s behind a slow one",
      run: reportInTime,
    },
    {
      input: `${LOOKUPS} lookup_hlr of one account that wait; another account asks for tools/list`,
      before: '6 s: they held every connection of the MCP server to the API',
      run: listInTime,
    },
    {
      input: 'GET /hlr/{id}?wait=20, 30 at once with one token; another account waits meanwhile',
      before: 'all of them were held',
      run: waitsShared,
    },
    {
      input: 'POST /senderId of one number, 7 times by one account, then once by another',
      before: "the first account used up the other one's codes",
      run: codesApart,
    },
    {
      input: `${TOKENS_MAX} tokens may be made: rounds of ${POSTS_AT_ONCE} forms at once until none passes`,
      before: 'counted first and written then: up to 18 more than allowed',
      run: tokensCounted,
    },
  ],
}

async function reportInTime(product: Stack): Promise<string> {
  const slow = await Promise.all(Array.from({ length: SLOW_SERVERS }, () => listen(() => {})))
  let reportedAt = 0
  const quick = await listen((end) => {
    reportedAt = performance.now()
    end('OK')
  })
  try {
    const other = await tokenOf(product, 'reports@neighbour.test')
    const urls = [
      ...Array.from({ length: DEAD }, (_, at) => `http://localhost:${1 + (at % 400)}/`),
      ...Array.from({ length: SLOW_SERVERS * 10 }, (_, at) => urlOf(slow[at % SLOW_SERVERS])),
    ]
    const statuses = new Set<number>()
    for (let at = 0; at < urls.length; at += 20) {
      const batch = urls.slice(at, at + 20)
      const answers = await Promise.all(batch.map((dlrUrl) => sms(product, product.token, { dlrUrl, testMode: 1 })))
      for (const { status } of answers) statuses.add(status)
    }
    const began = performance.now()
    const { status } = await sms(product, other, { dlrUrl: urlOf(quick), testMode: 1 })
    await waitUntil('the report', 60_000, () => reportedAt || undefined)
    const tookMs = Math.round(reportedAt - began)
    const seen = `sends answered ${[...statuses].join(', ')} and ${status}; the other account's report came after ${tookMs} ms`
    expectRight(status === 200 && statuses.has(200) && tookMs < REPORT_MAX_MS, seen)
    return seen
  } finally {
    for (const server of [...slow, quick]) {
      server.close()
      server.closeAllConnections()
    }
  }
}

async function listInTime(product: Stack): Promise<string> {
  const other = await tokenOf(product, 'lists@neighbour.test')
  const lookups = Array.from({ length: LOOKUPS }, (_, at) =>
    mcp(product, product.token, 'tools/call', {
      name: 'lookup_hlr',
      arguments: { msisdn: `+3706${1_200_000 + at}` },
    }),
  )
  let answered = 0
  for (const lookup of lookups) void lookup.then(() => answered++)
  await waitUntil(
    'the lookups without a place to wait to answer',
    60_000,
    () => answered >= LOOKUPS - WAITS_OF_ACCOUNT || undefined,
  )
  const began = performance.now()
  const { status } = await mcp(product, other, 'tools/list')
  const tookMs = Math.round(performance.now() - began)
  const waiting = LOOKUPS - answered
  const texts = await Promise.all(lookups.map(async (lookup) => (await lookup).text))
  const without = texts.filter((text) => !/"lookup_id":"\d+"/.test(text))
  const ids = LOOKUPS - without.length
  const seen = `${status} in ${tookMs} ms while ${waiting} lookups were waited for; ${ids} of ${LOOKUPS} lookups told their id${without.length > 0 ? `, one answered ${without[0]}` : ''}`
  expectRight(status === 200 && tookMs < LIST_MAX_MS, seen)
  return seen
}

async function waitsShared(product: Stack): Promise<string> {
  const other = await tokenOf(product, 'waits@neighbour.test')
  const submit = async (token: string) =>
    (JSON.parse((await rest(product, token, '/hlr', { msisdn: '37061200999' })).text) as number[])[0]
  const [own, others] = [await submit(product.token), await submit(other)]
  const mine = Array.from({ length: 30 }, () => rest(product, product.token, `/hlr/${own}?wait=20`))
  const theirs = await rest(product, other, `/hlr/${others}?wait=20`)
  const statuses = (await Promise.all(mine)).map(({ status }) => status)
  const [held, refused] = [200, 429].map((wanted) => statuses.filter((status) => status === wanted).length)
  const seen = `${held} answered with 200, ${refused} with 429; the other account got ${theirs.status}`
  expectRight(held === 20 && refused === 10 && theirs.status === 200, seen)
  return seen
}

async function codesApart(product: Stack): Promise<string> {
  const other = await tokenOf(product, 'codes@neighbour.test')
  const ask = async (token: string) =>
    (await rest(product, token, '/senderId', { type: 'MSISDN', name: '37061201000' })).status
  const statuses: number[] = []
  for (let sent = 0; sent < 7; sent++) statuses.push(await ask(product.token))
  const theirs = await ask(other)
  const seen = `${statuses.join(', ')}; the other account got ${theirs}`
  expectRight(statuses[0] === 200 && statuses.at(-1) === 429 && theirs === 200, seen)
  return seen
}

async function tokensCounted(product: Stack): Promise<string> {
  const person = await neighbour(product, 'tokens@neighbour.test')
  let made = 0
  let refused = 0
  for (let passed = 1; passed > 0; ) {
    const values = await Promise.all(Array.from({ length: POSTS_AT_ONCE }, (_, at) => person.makeToken(`Token ${at}`)))
    passed = values.filter((value) => value !== undefined).length
    made += passed
    refused += values.length - passed
  }
  const seen = `${made} made, ${refused} refused`
  expectRight(made === TOKENS_MAX && refused > 0, seen)
  return seen
}

async function tokenOf(product: Stack, email: string): Promise<string> {
  const token = await (await neighbour(product, email)).makeToken('Probe')
  if (token === undefined) throw new Error('no token was made')
  return token
}

interface Answered {
  readonly status: number
  readonly text: string
}

function sms(product: Stack, token: string, more: Record<string, unknown>): Promise<Answered> {
  return rest(product, token, '/sms', { to: '37061200000', from: 'Shop', message: 'hi', ...more })
}

async function rest({ apiUrl }: Stack, token: string, path: string, body?: object): Promise<Answered> {
  const headers = { 'content-type': 'application/json', 'x-vertexsms-token': token }
  const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
  const response = await fetch(apiUrl + path, init)
  return { status: response.status, text: await response.text() }
}

async function mcp(
  { mcpUrl }: Stack,
  token: string,
  method: string,
  params?: Record<string, unknown>,
): Promise<Answered> {
  const { headers, body } = modernRequest(method, params)
  const response = await fetch(mcpUrl, {
    method: 'POST',
    headers: { ...headers, accept: 'application/json', authorization: `Bearer ${token}` },
    body,
  })
  return { status: response.status, text: await response.text() }
}

/** A customer's server; `handle` ends a post, or does not. */
async function listen(handle: (end: (body: string) => void) => void): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume()
    request.once('end', () => handle((body) => response.end(body)))
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  return server
}

function urlOf(server: Server | undefined): string {
  const address = server?.address() as AddressInfo | undefined
  return `http://localhost:${address?.port}/`
}

// Hostile requests through the door: whatever comes in, the answer is a refusal of the catalogue and the node lives on.
// `pnpm test:full` sends more of them.
import { type RequestOptions, request as send } from 'node:http'
import { API_ERRORS } from '@vertexsms/contract/api-errors'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHostile } from './support/hostile.ts'
import { accessClaims, makeIssuer } from './support/issuer.ts'
import { startWorld, type World } from './support/world.ts'

const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 200)
const SEED = Number(process.env.FUZZ_SEED ?? 20261122)
const PARALLEL = 16

let world: World
beforeAll(async () => {
  world = await startWorld({ SANDBOX_DELIVERY_MS: '3600000' })
})
afterAll(() => world.close())

interface Seen {
  status: number
  body: string
  type: string
}

function perform(
  options: RequestOptions & { headers: Record<string, string> },
  payload: string | Buffer | undefined,
): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(world.node.url)
    // Node frames the body of some methods only when it is told the length.
    const length = payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) }
    const request = send(
      { ...options, headers: { ...options.headers, ...length }, hostname, port, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            type: response.headers['content-type'] ?? '',
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(payload)
  })
}

test('no hostile request brings a 5xx, a crash or another error body', async () => {
  const issuer = await makeIssuer(world.db, 'fuzz')
  const jwts = [
    await issuer.sign(accessClaims(world.accountId)),
    await issuer.sign(accessClaims(world.accountId, { jti: '\u0000' })),
    await issuer.sign(accessClaims("' OR 1=1")),
  ]
  const hostile = createHostile(SEED, world.token, jwts)
  const statuses = new Map<number, number>()
  let left = REQUESTS
  async function worker(): Promise<void> {
    while (left-- > 0) {
      const { method, path, headers, payload } = hostile()
      const seen = await perform({ method, path, headers }, payload).catch((error: NodeJS.ErrnoException) => error.code)
      const request = () =>
        JSON.stringify({ method, path, headers: Object.keys(headers), payload: String(payload).slice(0, 400) })
      if (typeof seen !== 'object') {
        // A body that is refused before it was read may end the connection while it is still being sent.
        expect(['ECONNRESET', 'EPIPE'], request()).toContain(seen)
        statuses.set(0, (statuses.get(0) ?? 0) + 1)
        continue
      }
      statuses.set(seen.status, (statuses.get(seen.status) ?? 0) + 1)
      expect(seen.status, request()).toBeLessThan(500)
      if (seen.status >= 400 && method !== 'HEAD') {
        expect(seen.type, request()).toContain('application/json')
        const { code, error_code, message, ...rest } = JSON.parse(seen.body)
        expect(Object.keys(API_ERRORS), request()).toContain(code)
        expect(error_code === null || Number.isInteger(error_code)).toBe(true)
        expect([typeof message, rest]).toEqual(['string', {}])
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  process.stdout.write(`${REQUESTS} requests: ${JSON.stringify(Object.fromEntries([...statuses].sort()))}\n`)
  expect(await world.node.call('GET /token', { token: world.token })).toMatchObject({ status: 200 })
  expect(world.node.lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
}, 600_000)

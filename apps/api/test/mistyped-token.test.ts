import { randomBytes } from 'node:crypto'
import { TOKEN_MISTYPED_MESSAGE } from '@vertexsms/contract/api-errors'
import { manualToken } from '@vertexsms/contract/api-token'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const ask = (token: string, node = world.node) => node.call('GET /token', { token })
const newToken = () => manualToken(randomBytes(32).toString('base64url'))

/** Puts this very value into the database as a good token. */
async function keep(value: string): Promise<void> {
  const { id } = await world.makeToken()
  await world.db.apiToken.update({ where: { id }, data: { tokenHash: hashToken(value) } })
}

test('a token with its checksum is accepted, and one of an earlier release without it too', async () => {
  const token = newToken()
  await keep(token)
  expect((await ask(token)).status).toBe(200)
  const { token: old } = await world.makeToken()
  expect(old).toHaveLength(48)
  expect((await ask(old)).status).toBe(200)
})

test('a typing error is told as one without a look into the database, a stranger as a stranger', async () => {
  const token = newToken()
  for (const value of [`${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`, token.slice(0, -3), `${token}0`]) {
    // It stands there as a good token: were it looked up, it would be let in.
    await keep(value)
    const { status, body, headers } = await ask(value)
    expect([status, body]).toEqual([401, { message: TOKEN_MISTYPED_MESSAGE, code: 'TOKEN_INVALID', error_code: null }])
    expect(headers.get('www-authenticate')).toBe('Bearer realm="VertexSMS API", error="invalid_token"')
  }
  const stranger = await ask(newToken())
  expect([stranger.status, stranger.body.code]).toEqual([401, 'TOKEN_INVALID'])
  expect(stranger.body.message).not.toBe(TOKEN_MISTYPED_MESSAGE)
})

test('typing errors are counted as strangers are, and do not hold up a token that was accepted', async () => {
  const node = await world.startNode({ RATE_LIMITS: 'on', FAILURES_PER_MINUTE: '5' })
  const token = newToken()
  await keep(token)
  expect((await ask(token, node)).status).toBe(200)
  const given: number[] = []
  for (let round = 0; round < 6; round++) given.push((await ask(`vsms_${'x'.repeat(50 + round)}`, node)).status)
  expect(given).toEqual([401, 401, 401, 401, 401, 429])
  expect((await ask(newToken(), node)).status).toBe(429)
  expect((await ask(token, node)).status).toBe(200)
  await node.close()
})

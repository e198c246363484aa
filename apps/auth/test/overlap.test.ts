import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { approve, connect, exchange, refresh, register, start, type TestClient, type Tokens } from './support/client.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
let strict: Stack
beforeAll(async () => {
  stack = await startStack()
  strict = await startStack({ settings: { REFRESH_OVERLAP_SECONDS: '0' } })
})
afterAll(async () => {
  await stack?.close()
  await strict?.close()
})
afterEach(() => void vi.useRealTimers())

async function connected(on: Stack): Promise<{ client: TestClient; tokens: Tokens; accountId: string }> {
  const client = await register(on)
  const { id } = await on.account()
  return { client, tokens: await connect(client, await on.person(id)), accountId: id }
}

function later(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })
}

describe('refresh overlap', () => {
  it('gives the same answer again to the client that presents the token just used', async () => {
    const { client, tokens } = await connected(stack)
    const first = await refresh(client, tokens.refresh)
    later(29)
    const second = await refresh(client, tokens.refresh)
    expect(second).toEqual(first)
    vi.useRealTimers()
    expect((await refresh(client, second.refresh)).refresh).not.toBe(first.refresh)
  })

  it('gives one answer to many refreshes at once, and one live refresh token', async () => {
    const { client, tokens, accountId } = await connected(stack)
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(client, tokens.refresh)))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(await stack.db.apiToken.count({ where: { accountId, kind: 'oauth_refresh' } })).toBe(1)
    expect(await stack.db.oidcArtifact.count({ where: { accountId, kind: 'RefreshToken' } })).toBe(1)
  })

  it('takes a later reuse for theft and ends the connection (OAuth 2.1 §4.3.1)', async () => {
    const { client, tokens, accountId } = await connected(stack)
    const next = await refresh(client, tokens.refresh)
    later(31)
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, next.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    const connection = await stack.db.connection.findFirstOrThrow({ where: { accountId } })
    expect(connection.endedReason).toBe('refresh_reuse')
    expect(await stack.db.apiToken.count({ where: { accountId } })).toBe(0)
  })

  it('recognises a reuse after any number of rotations', async () => {
    const { client, tokens } = await connected(stack)
    let latest = tokens
    for (let round = 0; round < 5; round += 1) latest = await refresh(client, latest.refresh)
    later(60)
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, latest.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('is for the same client alone: another one ends the connection', async () => {
    const { client, tokens } = await connected(stack)
    const other = await register(stack)
    const next = await refresh(client, tokens.refresh)
    await expect(refresh(other, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, next.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('of zero seconds is strict', async () => {
    const { client, tokens } = await connected(strict)
    const next = await refresh(client, tokens.refresh)
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, next.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
  })
})

describe('an authorization code', () => {
  it('gives exactly one success to thirty exchanges at once (RFC 6749 §4.1.2)', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const flow = await start(client)
    const callback = await approve(await stack.person(id), flow)
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => exchange(client, flow, callback)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ error: 'invalid_grant' })
    }
  })

  it('is good for a minute', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const flow = await start(client)
    const callback = await approve(await stack.person(id), flow)
    later(61)
    await expect(exchange(client, flow, callback)).rejects.toMatchObject({ error: 'invalid_grant' })
  })
})

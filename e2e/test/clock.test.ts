import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import type { IndependentClient } from '../support/clients/client.ts'
import { mcpRemoteClient } from '../support/clients/mcp-remote.ts'
import { rawClient } from '../support/clients/raw.ts'
import { sdkV1Client } from '../support/clients/sdk-v1.ts'
import { sdkV2Client } from '../support/clients/sdk-v2.ts'
import { connectInFull } from '../support/connected.ts'
import { expectRejected } from '../support/expectations.ts'
import { MCP_REQUESTS, send } from '../support/mcp-requests.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'
import { type Stack, shiftClock, startStack } from '../support/stack.ts'
import { succeeded } from '../support/ten-calls.ts'
import { refresh } from '../support/token-endpoint.ts'

const MINUTE = 60
const DAY = 24 * 60 * MINUTE

describe.skipIf(findChromium() === null)('As time passes', () => {
  let browser: Browser
  let stack: Stack
  let passedSeconds = 0
  beforeAll(async () => {
    browser = await openBrowser()
    stack = await startStack()
  })
  /** Lets time pass for every process of the product; it never runs backwards. */
  const pass = (seconds: number) => {
    passedSeconds += seconds
    shiftClock(stack, passedSeconds)
  }
  afterAll(async () => {
    await browser.close()
    await stack.stop()
    await stack.clean()
  })

  test('an access token works for ten minutes and is rejected after them; its refresh token gives the next (RFC 6749 §6)', async () => {
    const client = await rawClient(stack.mcpUrl)
    const held = await connectInFull(client, await browser.newVisitor(), stack)
    pass(9 * MINUTE)
    for (const request of MCP_REQUESTS) {
      expect((await send(stack.mcpUrl, held.accessToken, request)).status).toBe(request.statusWhenAlive)
    }
    pass(MINUTE + 5)
    for (const request of MCP_REQUESTS) await expectRejected(await send(stack.mcpUrl, held.accessToken, request), stack)
    const direct = await fetch(`${stack.apiUrl}/token`, { headers: { 'x-vertexsms-token': held.accessToken } })
    expect(direct.status).toBe(401)

    const next = await refresh(stack, held)
    expect(next.status).toBe(200)
    const [request] = MCP_REQUESTS
    if (request === undefined) throw new Error('There is no request to send.')
    expect((await send(stack.mcpUrl, next.body.access_token ?? '', request)).status).toBe(200)
    await client.close()
  })

  const refreshing: readonly (readonly [string, () => Promise<IndependentClient>])[] = [
    ['The v1 SDK client', () => sdkV1Client(stack.mcpUrl)],
    ['The v2 SDK client', () => sdkV2Client(stack.mcpUrl, 'auto')],
    ['mcp-remote', () => mcpRemoteClient(stack.mcpUrl, { mode: 'legacy' })],
  ]

  test.each(refreshing)(
    '%s refreshes its expired access token by itself and goes on (RFC 6749 §6)',
    async (_title, newClient) => {
      const client = await newClient()
      const before = await connectInFull(client, await browser.newVisitor(), stack)
      pass(11 * MINUTE)
      succeeded('get_sms_rates', await client.callTool('get_sms_rates', { country: 'LT' }))
      const after = await client.credentials()
      expect(after.accessToken).not.toBe(before.accessToken)
      expect(after.refreshToken).not.toBe(before.refreshToken)
      expect(after.scope.split(' ').sort()).toEqual(before.scope.split(' ').sort())
      await client.close()
    },
  )

  test('a refresh token lives 30 days from its last use and no longer, and a year at most (OAuth 2.1 §4.3)', async () => {
    const client = await rawClient(stack.mcpUrl)
    const held = await connectInFull(client, await browser.newVisitor(), stack, { lasts: '1 year' })
    pass(29 * DAY)
    const kept = await refresh(stack, held)
    expect(kept.status).toBe(200)
    const second = { ...held, refreshToken: kept.body.refresh_token ?? '' }
    pass(29 * DAY)
    const again = await refresh(stack, second)
    expect(again.status).toBe(200)
    pass(30 * DAY + MINUTE)
    expect(await refresh(stack, { ...held, refreshToken: again.body.refresh_token ?? '' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    })
    await client.close()
  })

  test('a connection that was approved for the usual 30 days ends with them, however often it is used', async () => {
    const client = await rawClient(stack.mcpUrl)
    const held = await connectInFull(client, await browser.newVisitor(), stack)
    pass(29 * DAY)
    const kept = await refresh(stack, held)
    expect(kept.status).toBe(200)
    pass(DAY + MINUTE)
    expect(await refresh(stack, { ...held, refreshToken: kept.body.refresh_token ?? '' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    })
    await client.close()
  })

  test('a connection that was approved for a year ends with it, however often it is used', async () => {
    const client = await rawClient(stack.mcpUrl)
    let held = await connectInFull(client, await browser.newVisitor(), stack, { lasts: '1 year' })
    for (let day = 28; day < 365; day += 28) {
      pass(28 * DAY)
      const { status, body } = await refresh(stack, held)
      expect({ day, status }).toEqual({ day, status: 200 })
      held = { ...held, refreshToken: body.refresh_token ?? '' }
    }
    pass(DAY + MINUTE)
    expect(await refresh(stack, held)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    await client.close()
  })
})

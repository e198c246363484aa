import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { rawClient } from '../support/clients/raw.ts'
import { sdkV1Client } from '../support/clients/sdk-v1.ts'
import { sdkV2Client } from '../support/clients/sdk-v2.ts'
import { connectInFull } from '../support/connected.ts'
import { expectRejected } from '../support/expectations.ts'
import { MCP_REQUESTS, send } from '../support/mcp-requests.ts'
import { openApiSettings } from '../support/pages/api-settings.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'
import { succeeded } from '../support/ten-calls.ts'
import { refresh } from '../support/token-endpoint.ts'

const stack = inject('stack')

describe.skipIf(findChromium() === null)('Deleting one token on Settings -> API', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  // The order is turned round for the second row, so that requests of different kinds are the very next one.
  test.each([
    ['oauth:access:', MCP_REQUESTS],
    ['oauth:refresh:', [...MCP_REQUESTS].reverse()],
  ])(
    'rejects the very next request of every kind with 401 after %s... is deleted, and leaves others alone (RFC 6750 §3.1)',
    async (row, requests) => {
      const page = await browser.newVisitor()
      const bystander = await sdkV2Client(stack.mcpUrl, 'auto')
      await connectInFull(bystander, page, stack)
      const client = await rawClient(stack.mcpUrl, `To be ended by ${row}`)
      const held = await connectInFull(client, page, stack)
      for (const request of requests) {
        const { status } = await send(stack.mcpUrl, held.accessToken, request)
        expect({ [request.title]: status }).toEqual({ [request.title]: request.statusWhenAlive })
      }
      const settings = await openApiSettings(page, stack)
      expect(await settings.rows('oauth:', client.label)).toHaveLength(2)

      await settings.deleteToken(row, client.label)
      for (const request of requests) {
        await expectRejected(await send(stack.mcpUrl, held.accessToken, request), stack)
      }

      expect(await refresh(stack, held)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
      const direct = await fetch(`${stack.apiUrl}/token`, { headers: { 'x-vertexsms-token': held.accessToken } })
      expect(direct.status).toBe(401)
      expect(await settings.rows('oauth:', client.label)).toHaveLength(0)
      succeeded('get_sms_rates', await bystander.callTool('get_sms_rates', { country: 'LT' }))
      expect((await refresh(stack, await bystander.credentials())).status).toBe(200)
      await client.close()
      await bystander.close()
      await page.context().close()
    },
  )

  test('makes the client ask the person again on its next call, and a new approval works (MCP authorization)', async () => {
    const page = await browser.newVisitor()
    const client = await sdkV1Client(stack.mcpUrl, undefined, 'To be ended and asked again')
    await connectInFull(client, page, stack)
    await (await openApiSettings(page, stack)).deleteToken('oauth:access:', client.label)
    const outcome = await client.callTool('get_sms_rates', { country: 'LT' })
    expect(outcome).toMatchObject({ kind: 'refused', status: 401 })
    await client.close()
    const again = await sdkV1Client(stack.mcpUrl)
    await connectInFull(again, page, stack)
    succeeded('get_sms_rates', await again.callTool('get_sms_rates', { country: 'LT' }))
    await again.close()
    await page.context().close()
  })

  test('rejects the very next request of a token made by hand as well (RFC 6750 §3.1)', async () => {
    const page = await browser.newVisitor()
    const settings = await openApiSettings(page, stack)
    const value = await settings.createToken({ name: 'Short-lived', permissions: ['GET /rates'] })
    const [request] = MCP_REQUESTS
    if (request === undefined) throw new Error('There is no request to send.')
    expect((await send(stack.mcpUrl, value, request)).status).toBe(200)
    await (await openApiSettings(page, stack)).deleteToken('Short-lived')
    await expectRejected(await send(stack.mcpUrl, value, request), stack)
    await page.context().close()
  })

  test('ends both values of a token that was replaced, which were good until then (RFC 6750 §3.1)', async () => {
    const page = await browser.newVisitor()
    const [request] = MCP_REQUESTS
    if (request === undefined) throw new Error('There is no request to send.')
    const before = await (await openApiSettings(page, stack)).createToken({
      name: 'Replaced',
      permissions: ['GET /rates'],
    })
    const now = await (await openApiSettings(page, stack)).replaceToken('Replaced')
    expect(now).not.toBe(before)
    for (const value of [before, now]) expect((await send(stack.mcpUrl, value, request)).status).toBe(200)
    await (await openApiSettings(page, stack)).deleteToken('Replaced')
    for (const value of [before, now]) await expectRejected(await send(stack.mcpUrl, value, request), stack)
    await page.context().close()
  })
})

import { TOOL_NAMES } from '@vertexsms/contract/scopes'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import type { IndependentClient } from '../support/clients/client.ts'
import { mcpRemoteClient } from '../support/clients/mcp-remote.ts'
import { sdkV1Client } from '../support/clients/sdk-v1.ts'
import { sdkV2Client } from '../support/clients/sdk-v2.ts'
import { MCP_REQUESTS, send } from '../support/mcp-requests.ts'
import { openApiSettings } from '../support/pages/api-settings.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'
import { readTextOn } from '../support/pages/sandbox-phone.ts'
import { callWithRealArguments, newRound, SAMPLE_ARGUMENTS, succeeded } from '../support/ten-calls.ts'

const stack = inject('stack')

describe.skipIf(findChromium() === null)('A BYO token in the Authorization header, without OAuth', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  const clients: readonly (readonly [string, () => Promise<IndependentClient>])[] = [
    ['the v1 SDK client', () => sdkV1Client(stack.mcpUrl, stack.token)],
    ['the v2 SDK client', () => sdkV2Client(stack.mcpUrl, 'pinned', stack.token)],
    ['mcp-remote in its legacy mode', () => mcpRemoteClient(stack.mcpUrl, { mode: 'legacy', token: stack.token })],
    ['mcp-remote in its auto mode', () => mcpRemoteClient(stack.mcpUrl, { mode: 'auto', token: stack.token })],
  ]

  test.each(clients)('lets %s call all ten tools with real arguments (RFC 6750 §2.1)', async (_title, newClient) => {
    const client = await newClient()
    const page = await browser.newVisitor()
    const round = newRound(2)
    expect(await client.connect()).toBeNull()
    await callWithRealArguments(client, TOOL_NAMES, round, async (msisdn) => {
      const text = await readTextOn(page, stack, msisdn, /\b\d{5}\b/)
      return /\b\d{5}\b/.exec(text)?.[0] ?? ''
    })
    expect(await readTextOn(page, stack, round.recipient, /parcel/)).toBe(round.message)
    await client.close()
    await page.context().close()
  })

  test('gets 403 without a challenge where the token lacks the route, so that no client opens a browser (RFC 6750 §3)', async () => {
    const page = await browser.newVisitor()
    const token = await (await openApiSettings(page, stack)).createToken({
      name: 'Rates only',
      permissions: ['GET /rates'],
    })
    const client = await sdkV2Client(stack.mcpUrl, 'auto', token)
    expect(await client.connect()).toBeNull()
    succeeded('get_sms_rates', await client.callTool('get_sms_rates', { country: 'LT' }))
    for (const tool of TOOL_NAMES.filter((name) => name !== 'get_sms_rates')) {
      const outcome = await client.callTool(tool, SAMPLE_ARGUMENTS[tool] ?? {})
      expect({ [tool]: outcome }).toMatchObject({ [tool]: { kind: 'refused', status: 403, challenge: null } })
      expect(JSON.parse(outcome.kind === 'refused' ? outcome.body : '')).toMatchObject({
        error: { code: 'AUTH_INVALID', retryable: false },
      })
    }
    await client.close()
    await page.context().close()
  })
})

test('The token that the demo prints is served for a request of every kind (RFC 6750 §2.1)', async () => {
  for (const request of MCP_REQUESTS) {
    const { status } = await send(stack.mcpUrl, stack.token, request)
    expect({ [request.title]: status }).toEqual({ [request.title]: request.statusWhenAlive })
  }
})

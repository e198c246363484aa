import { TOOL_NAMES } from '@vertexsms/contract/scopes'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { sdkV2Client } from '../support/clients/sdk-v2.ts'
import { MCP_REQUESTS, send } from '../support/mcp-requests.ts'
import { openApiSettings } from '../support/pages/api-settings.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'
import { SAMPLE_ARGUMENTS, succeeded } from '../support/ten-calls.ts'

const stack = inject('stack')

describe.skipIf(findChromium() === null)('A BYO token in the Authorization header, without OAuth', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

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

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { expectRejected } from '../support/expectations.ts'
import { MCP_REQUESTS, send } from '../support/mcp-requests.ts'
import { openApiSettings } from '../support/pages/api-settings.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'

const stack = inject('stack')
const ELSEWHERE = '203.0.113.7'

/** Headers by which a caller could claim another address, one set at a time and all at once. */
const CLAIMS: readonly (readonly [string, Record<string, string>])[] = [
  ['X-Forwarded-For', { 'x-forwarded-for': ELSEWHERE }],
  ['Forwarded', { forwarded: `for=${ELSEWHERE}` }],
  ['X-Real-IP', { 'x-real-ip': ELSEWHERE }],
  ['the header of our own MCP server', { 'x-vertexsms-client-address': ELSEWHERE }],
  [
    'the header of our own MCP server with a guessed secret',
    { 'x-vertexsms-client-address': ELSEWHERE, 'x-vertexsms-edge-secret': 'guessed' },
  ],
]

describe.skipIf(findChromium() === null)('The IP allow-list of a token', () => {
  let browser: Browser
  let fromElsewhere: string
  let fromHere: string
  beforeAll(async () => {
    browser = await openBrowser()
    const page = await browser.newVisitor()
    const permissions = ['GET /rates']
    fromElsewhere = await (await openApiSettings(page, stack)).createToken({
      name: 'From elsewhere',
      permissions,
      ipAllowList: [ELSEWHERE, '2001:db8::/32'],
    })
    fromHere = await (await openApiSettings(page, stack)).createToken({
      name: 'From here',
      permissions,
      ipAllowList: [ELSEWHERE, '127.0.0.0/8', '::1'],
    })
  })
  afterAll(() => browser.close())

  test('that includes the caller lets every request through the MCP server', async () => {
    for (const request of MCP_REQUESTS) {
      const { status } = await send(stack.mcpUrl, fromHere, request)
      expect({ [request.title]: status }).toEqual({ [request.title]: request.statusWhenAlive })
    }
  })

  test('that excludes the caller refuses every request through the MCP server', async () => {
    for (const request of MCP_REQUESTS) await expectRejected(await send(stack.mcpUrl, fromElsewhere, request), stack)
  })

  test.each(CLAIMS)('is not opened by a caller who claims another address in %s', async (_title, claim) => {
    for (const request of MCP_REQUESTS.slice(0, 2)) {
      const claiming = { ...request, headers: { ...request.headers, ...claim } }
      await expectRejected(await send(stack.mcpUrl, fromElsewhere, claiming), stack)
    }
    const rest = await fetch(`${stack.apiUrl}/rates/?format=json`, {
      headers: { ...claim, 'x-vertexsms-token': fromElsewhere },
    })
    expect(rest.status).toBe(401)
    expect(await rest.json()).toMatchObject({ code: 'IP_NOT_ALLOWED', error_code: null })
  })

  test('is not closed by a caller on it who claims another address', async () => {
    const rest = await fetch(`${stack.apiUrl}/rates/?format=json`, {
      headers: { 'x-vertexsms-client-address': '198.51.100.9', 'x-vertexsms-token': fromHere },
    })
    expect(rest.status).toBe(200)
  })
})

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { expectAuthorization } from '../support/clients/client.ts'
import { rawClient } from '../support/clients/raw.ts'
import { expectConnectsInSteps } from '../support/connect-in-steps.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'
import { consentPage } from '../support/pages/consent.ts'
import { signIn } from '../support/pages/sign-in.ts'

// With plain HTTP requests and a browser alone, this is what CI runs on every Node that must work (.ci/run).

const stack = inject('stack')

describe.skipIf(findChromium() === null)('A client of plain HTTP requests', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  test('registers, gets what the person ticked, is told what is missing, and works in full once all is ticked (MCP authorization)', async () =>
    expectConnectsInSteps(await rawClient(stack.mcpUrl), 'sender:write', { stack, browser, seed: 5 }))

  test('is told of a denial and gets nothing by it (RFC 6749 §4.1.2.1, RFC 9207)', async () => {
    const client = await rawClient(stack.mcpUrl)
    const page = await browser.newVisitor()
    const url = expectAuthorization(client, await client.connect())
    const redirected = page.waitForRequest((request) => request.url().startsWith('http://127.0.0.1:'))
    await page.goto(url.href)
    await signIn(page, stack)
    await consentPage(page).deny()
    const { searchParams } = new URL((await redirected).url())
    expect(searchParams.get('error')).toBe('access_denied')
    expect(searchParams.get('iss')).toBe(stack.issuer)
    expect(searchParams.get('code')).toBeNull()
    await expect(client.finish()).rejects.toThrow()
    await client.close()
  })
})

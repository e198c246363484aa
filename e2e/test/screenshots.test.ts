import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { expectAuthorization } from '../support/clients/client.ts'
import { rawClient } from '../support/clients/raw.ts'
import { sdkV1Client } from '../support/clients/sdk-v1.ts'
import { connectInFull } from '../support/connected.ts'
import { openApiSettings } from '../support/pages/api-settings.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'
import { consentPage } from '../support/pages/consent.ts'
import { readTextOn } from '../support/pages/sandbox-phone.ts'
import { signIn } from '../support/pages/sign-in.ts'
import { newRound, succeeded } from '../support/ten-calls.ts'

const stack = inject('stack')
const FOLDER = join(dirname(dirname(fileURLToPath(import.meta.url))), 'test-results/screenshots')

/** The looks in which every page is kept as a picture and checked. */
const LOOKS = [
  { name: 'desktop', width: 1280, height: 900, colorScheme: 'light' },
  { name: 'phone', width: 390, height: 844, colorScheme: 'light' },
  { name: 'dark', width: 1280, height: 900, colorScheme: 'dark' },
] as const

describe.skipIf(findChromium() === null)('Every page that a person sees', () => {
  let browser: Browser
  let page: Page
  beforeAll(async () => {
    mkdirSync(FOLDER, { recursive: true })
    browser = await openBrowser()
    page = await browser.newVisitor()
  })
  afterAll(() => browser.close())

  /** Keeps a picture of the page in each look, and finds nothing that WCAG 2.2 forbids, nor sideways scrolling. */
  const look = async (name: string) => {
    for (const { name: size, width, height, colorScheme } of LOOKS) {
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: join(FOLDER, `${name}-${size}.png`), fullPage: true })
      const { violations } = await new AxeBuilder({ page }).analyze()
      const faults = violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} at ${target}`))
      expect({ page: `${name} ${size}`, faults }).toEqual({ page: `${name} ${size}`, faults: [] })
      expect(browser.faults).toEqual([])
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      expect({ page: `${name} ${size}`, overflow: Math.max(overflow, 0) }).toEqual({
        page: `${name} ${size}`,
        overflow: 0,
      })
    }
  }

  test('sign-in, before and after a wrong password, can be used by everybody (WCAG 2.2)', async () => {
    await page.goto(`${stack.issuer}/sign-in`)
    await look('sign-in')
    await signIn(page, { email: stack.email, password: 'not the password' })
    await page.getByRole('alert').waitFor()
    await look('sign-in-refused')
  })

  test('request access can be used by everybody (WCAG 2.2)', async () => {
    await page.goto(`${stack.issuer}/request-access`)
    await look('request-access')
  })

  test('consent names who asks and what is asked, and can be used by everybody (WCAG 2.2)', async () => {
    const client = await rawClient(stack.mcpUrl)
    await page.goto(expectAuthorization(client, await client.connect()).href)
    await signIn(page, stack)
    const consent = consentPage(page)
    await consent.shown()
    expect((await consent.scopes()).map(({ ticked }) => ticked)).toEqual([true, true, true, true, true])
    const text = await page.locator('main').textContent()
    for (const sentence of [
      '127.0.0.1',
      client.label,
      'Send SMS on your behalf.',
      'Read SMS rates.',
      'Register and confirm Sender IDs on your account.',
      'Run HLR lookups (billable per query).',
      'Read mobile network metadata and validate phone numbers.',
    ]) {
      expect(text).toContain(sentence)
    }
    await look('consent')
    await client.close()
  })

  describe('the dashboard of an account in use', () => {
    const round = newRound(4)
    beforeAll(async () => {
      const client = await sdkV1Client(stack.mcpUrl)
      await connectInFull(client, page, stack)
      const message = { to: round.recipient, from: 'Vertex', message: round.message }
      succeeded('send_sms', await client.callTool('send_sms', message))
      await client.close()
    })

    test('shows a new token once and can be used by everybody (WCAG 2.2)', async () => {
      const settings = await openApiSettings(page, stack)
      await settings.createToken({
        name: 'Nightly report',
        permissions: ['POST /sms', 'GET /rates'],
        ipAllowList: ['203.0.113.7'],
      })
      await look('token-created')
    })

    test('lists every token with its kind, its permissions and its times, and can be used by everybody (WCAG 2.2)', async () => {
      const settings = await openApiSettings(page, stack)
      const [row = ''] = await settings.rows('Nightly report')
      for (const fact of ['203.0.113.7', 'POST /sms', 'GET /rates', 'Never']) expect(row).toContain(fact)
      await look('settings-api')
    })

    test('asks before it deletes and says what ends, and can be used by everybody (WCAG 2.2)', async () => {
      await openApiSettings(page, stack)
      const issued = page.getByRole('row').filter({ hasText: 'oauth:access:' })
      await issued.first().getByRole('button', { name: 'Delete' }).click()
      await look('token-delete')
    })

    test('shows the sandbox phone, and can be used by everybody (WCAG 2.2)', async () => {
      await readTextOn(page, stack, round.recipient, /parcel/)
      await look('sandbox-phone')
    })

    test.each(['sessions', 'passkeys'])('shows the %s, and can be used by everybody (WCAG 2.2)', async (name) => {
      await page.goto(`${stack.issuer}/settings/${name}`)
      await look(`settings-${name}`)
    })

    test('says so where there is no page, and can be used by everybody (WCAG 2.2)', async () => {
      await page.goto(`${stack.issuer}/no-such-page`)
      await look('not-found')
    })
  })
})

// What of the page on which everything is decided only a browser can tell: what is in sight, and how it is used by keyboard.
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM } from './support/chromium.ts'
import { register, start } from './support/client.ts'
import { makeAccount } from './support/people.ts'
import { type Stack, startStack } from './support/stack.ts'

describe.skipIf(!CHROMIUM)('The consent page in a browser', { timeout: 120_000 }, () => {
  let stack: Stack
  let browser: Browser
  beforeAll(async () => {
    stack = await startStack()
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '' })
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.close()
  })

  async function openConsent(options: BrowserContextOptions = {}, email?: string): Promise<{ page: Page; id: string }> {
    const { id } = await makeAccount(stack, 'active', email)
    const context = await browser.newContext({
      baseURL: stack.issuer,
      viewport: { width: 1366, height: 657 },
      ...options,
    })
    const page = await context.newPage()
    const client = await register(stack, { client_name: 'An assistant', redirect_uris: ['http://localhost:1234/cb'] })
    const { cookies } = await stack.person(id)
    await context.addCookies(cookies.map(({ name, value }) => ({ name, value, url: stack.issuer })))
    await page.goto((await start(client)).url.href)
    await page.getByRole('button', { name: 'Allow access' }).waitFor()
    return { page, id }
  }

  it('brings what is wrong with an answer into view, above the buttons, on a phone', async () => {
    const { page } = await openConsent()
    await page.setViewportSize({ width: 360, height: 640 })
    for (const box of await page.getByRole('checkbox').all()) await box.uncheck()
    await page.getByRole('button', { name: 'Allow access' }).click()
    const alert = page.getByRole('alert')
    await alert.waitFor()
    const seen = await alert.evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect()
      const at = document.elementFromPoint(left + width / 2, top + height / 2)
      return [document.activeElement === element, at !== null && element.contains(at)]
    })
    expect(seen).toEqual([true, true])
    await page.context().close()
  })

  it('shows the decision and who is signed in without scrolling, with five scopes and a local app, at 1366x657', async () => {
    const { page } = await openConsent()
    expect(await page.getByRole('checkbox').count()).toBe(5)
    const parts = [
      page.getByRole('button', { name: 'Allow access' }),
      page.getByRole('button', { name: 'Allow reading only' }),
      page.getByRole('button', { name: 'Deny' }),
      page.getByText('Signed in as'),
      page.getByRole('heading', { level: 1 }),
      page.getByText('numbers:read'),
      page.locator('summary'),
    ]
    for (const part of parts) {
      const box = await part.boundingBox()
      expect(box?.y).toBeGreaterThanOrEqual(0)
      expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(657)
    }
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThanOrEqual(657)
    await page.context().close()
  })

  it.each([
    [360, 740],
    [390, 844],
  ])('hides nothing of what is asked for behind the decision on a phone of %i by %i px', async (width, height) => {
    const { page } = await openConsent({ viewport: { width, height } })
    const decision = await page.locator('.decision').boundingBox()
    for (const box of await page.getByRole('checkbox').all()) {
      const asked = await box.boundingBox()
      expect((asked?.y ?? 0) + (asked?.height ?? 0)).toBeLessThanOrEqual(decision?.y ?? 0)
    }
    await page.context().close()
  })

  it.each([320, 768, 1440])('tells whole which account is decided for, at %i px', async (width) => {
    const email = `${'somebody.with-a-long-name.'.repeat(2)}${width}@mail.subsidiary.of-a-customer.example.com`
    const { page } = await openConsent({ viewport: { width, height: 900 } }, email)
    const told = page.locator('.signed-in > span').filter({ hasText: email })
    expect(await told.evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)).toBe(true)
    const edge = await told.evaluate((part) => part.getBoundingClientRect().right)
    const strong = await told.locator('strong').evaluate((part) => part.getBoundingClientRect().right)
    expect(strong).toBeLessThanOrEqual(Math.min(edge + 1, width))
    await page.context().close()
  })

  it('says in the folded line what is set, by keyboard alone and without a script', async () => {
    const { page, id } = await openConsent({ javaScriptEnabled: false })
    const line = page.locator('summary')
    const said = async () => (await page.locator('summary').allInnerTexts()).join().replaceAll('\u00a0', ' ')
    expect(await said()).toMatch(/At most 5\.00 EUR a day, to any country,\s+for 30 days/)
    await line.press('Enter')
    await page.getByLabel('1.00 EUR', { exact: true }).press('Space')
    expect(await said()).toContain('At most 1.00 EUR a day')
    await page.getByLabel('For how long').selectOption('1 day')
    expect(await said()).toContain('for 1 day')
    expect(await page.getByLabel('EUR a day').isVisible()).toBe(false)
    await page.getByLabel('Other amount').press('Space')
    await page.getByLabel('EUR a day').press('2')
    expect(await said()).toContain('At most your own amount a day')
    // What is typed counts beside another choice where it is less, so it stays to be seen.
    await page.getByLabel('5.00 EUR', { exact: true }).press('Space')
    expect(await said()).toContain('At most 5.00 EUR a day, or your own amount where that is less, to any country')
    await page.getByLabel('EUR a day').press('Enter')
    expect(await said()).toContain('At most 2.00 EUR a day')
    expect(await stack.db.connection.count({ where: { accountId: id } })).toBe(0)
    await page.getByRole('button', { name: 'Allow access' }).press('Enter')
    await page.waitForURL(/localhost:1234|chrome-error/).catch(() => undefined)
    const spender = await stack.db.spender.findFirstOrThrow({ where: { accountId: id } })
    expect(spender).toMatchObject({ maxPerDayMicros: 2_000_000n })
    await page.context().close()
  })
})

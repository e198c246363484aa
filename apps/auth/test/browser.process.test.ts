// The dashboard in a browser, where it takes one to see what becomes of a press.
import { EventEmitter, once } from 'node:events'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM } from './support/chromium.ts'
import { makeAccount, PASSWORD } from './support/people.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())

describe.skipIf(!CHROMIUM)('the dashboard in a browser', { timeout: 180_000 }, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '' })
  })
  afterAll(() => browser.close())

  it('works without JavaScript: sign in, make a token, delete it, sign out', async () => {
    const account = await makeAccount(stack)
    const context = await browser.newContext({ baseURL: stack.issuer, javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto('/sign-in')
    await page.getByLabel('Email').fill(account.email)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('link', { name: 'Settings', exact: true }).click()
    await page.getByRole('link', { name: 'New token' }).click()
    await page.getByLabel('Name').fill('No script')
    await page.getByRole('button', { name: 'Create token' }).click()
    const value = page.getByRole('textbox', { name: 'Token', exact: true })
    expect(await value.inputValue()).toMatch(/^vsms_[\w-]{43}[0-9A-Za-z]{6}$/)
    expect(await value.evaluate((field) => field === document.activeElement)).toBe(true)
    expect(await page.getByRole('button', { name: 'Copy' }).count()).toBe(0)
    await page.reload()
    await page.getByText('cannot be shown again').waitFor()
    await page.getByRole('link', { name: 'To your tokens' }).click()
    expect(await page.getByRole('row', { name: /No script/ }).count()).toBe(1)
    await page
      .getByRole('row', { name: /No script/ })
      .getByRole('button', { name: 'Delete' })
      .click()
    await page.getByRole('button', { name: 'Confirm delete' }).click()
    await page.getByText(/^No script \(…[\w-]{4}…\) was deleted\./).waitFor()
    const status = page.getByRole('status')
    expect(await status.evaluate((notice) => notice === document.activeElement)).toBe(true)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await stack.db.session.count({ where: { accountId: account.id } })).toBe(0)
    await context.close()
  })

  it('can be used by keyboard alone', async () => {
    const account = await makeAccount(stack)
    const context = await browser.newContext({ baseURL: stack.issuer })
    const page = await context.newPage()
    await page.goto('/sign-in')
    // The field has the focus by the first frame, which may come after the page's load.
    await page.locator('[name=email]:focus').waitFor()
    await page.keyboard.type(account.email)
    await page.keyboard.press('Tab')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname === '/')
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content')
    await context.close()
  })

  it('says of each press of Copy that it copied, of the same button too, and marks the last one alone', async () => {
    const context = await browser.newContext({
      baseURL: stack.issuer,
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    const page = await context.newPage()
    await page.goto('/connect#vs-code')
    const status = page.locator('[data-copy-status]')
    await status.evaluate((said) => {
      new MutationObserver(() =>
        said.setAttribute('data-heard', `${Number(said.getAttribute('data-heard')) + 1}`),
      ).observe(said, { childList: true })
    })
    const buttons = page.getByRole('button', { name: /^Copy/ })
    for (const [times, at] of [0, 0, 0, 1].entries()) {
      const before = await status.textContent()
      await buttons.nth(at).click()
      await page.locator(`[data-heard="${times + 1}"]`).waitFor({ state: 'attached' })
      expect(await status.textContent()).not.toBe(before)
      expect((await status.textContent())?.trim()).toBe('Copied.')
      expect(await page.locator('[data-done]').count()).toBe(1)
      expect(await buttons.nth(at).getAttribute('data-done')).toBe('Copied.')
    }
    await context.close()
  })

  /** Fills in a form and presses its button again while the first press, which was carried out, is still being answered. */
  async function pressTwice(page: Page, path: string, fill: () => Promise<void>, button: string) {
    let posts = 0
    const steps = new EventEmitter()
    const [carriedOut, pressedAgain] = [once(steps, 'carried out'), once(steps, 'pressed again')]
    await page.route('**/*', async (route) => {
      if (route.request().method() !== 'POST' || ++posts > 1) return route.continue()
      const response = await route.fetch({ maxRedirects: 0 })
      steps.emit('carried out')
      await pressedAgain
      // Nobody may wait for it any more.
      await route.fulfill({ response }).catch(() => {})
    })
    await page.goto(path)
    await fill()
    await page.getByRole('button', { name: button }).focus()
    await page.keyboard.press('Enter')
    await carriedOut
    await page.keyboard.press('Enter')
    steps.emit('pressed again')
    await page.waitForURL('**/value*')
    await page.unroute('**/*')
    return { posts, value: await page.getByRole('textbox', { name: 'Token', exact: true }).inputValue() }
  }

  it('shows the value of a token to whoever presses twice, and makes one more for whoever goes back and fills in the form again', async () => {
    const { id: accountId } = await makeAccount(stack)
    const context = await browser.newContext({ baseURL: stack.issuer })
    const { cookies } = await stack.person(accountId)
    await context.addCookies(cookies.map(({ name, value }) => ({ name, value, url: stack.issuer })))
    const page = await context.newPage()
    const named = () => page.getByLabel('Name').fill('Twice')
    const made = await pressTwice(page, '/settings/api/new', named, 'Create token')
    expect([made.posts, made.value]).toEqual([1, expect.stringMatching(/^vsms_/)])
    const { id } = await stack.db.apiToken.findFirstOrThrow({ where: { accountId } })
    const replaced = await pressTwice(page, `/settings/api/tokens/${id}/edit`, async () => {}, 'Replace value')
    expect([replaced.posts, replaced.value]).toEqual([1, expect.stringMatching(/^vsms_/)])
    expect(replaced.value).not.toBe(made.value)
    // The page that is gone back to sends again.
    await page.goto('/settings/api/new')
    await named()
    await page.getByRole('button', { name: 'Create token' }).click()
    await page.waitForURL('**/value*')
    await page.goBack()
    await named()
    await page.getByRole('button', { name: 'Create token' }).click()
    await page.waitForURL('**/value*')
    expect(await stack.db.apiToken.count({ where: { accountId, replacedById: null } })).toBe(3)
    await context.close()
  })
})

// Every page, empty and full, at three widths, in both colours and languages: what a browser can measure of its
// looks.
import { randomBytes } from 'node:crypto'
import { SCOPE_NAMES, SCOPES } from '@vertexsms/contract/scopes'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPasswordLink } from '../src/accounts/password-link.ts'
import { LANGUAGES } from '../src/words/room.ts'
import { askApproval } from './support/approvals.ts'
import { CHROMIUM } from './support/chromium.ts'
import { register, start } from './support/client.ts'
import { crowd } from './support/crowd.ts'
import { createLook } from './support/look.ts'
import { addActivity, addConnection, addMessage, addSpender } from './support/owners-data.ts'
import { fillSignIn, makeAccount, PASSWORD } from './support/people.ts'
import { type Stack, startStack } from './support/stack.ts'

// Every page that a person sees, in one walk; support/look.ts says how each is judged.

const BOUNDS = {
  maxPerDayMicros: 5_000_000n,
  countries: ['LT', 'LV', 'EE'],
  senders: ['Shop'],
  askAboveMicros: 50_000n,
}

const TITLE = 'Every page that a person sees, light and dark, on a phone, a tablet and a desktop'
// Pictures take their time.
describe.skipIf(!CHROMIUM)(TITLE, { timeout: process.env.SCREENSHOTS ? 1_200_000 : 300_000 }, () => {
  let stack: Stack
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let look: ReturnType<typeof createLook>
  let account: { id: string; email: string }
  const faults: string[] = []
  beforeAll(async () => {
    stack = await startStack({
      settings: {
        SMTP_URL: 'smtp://127.0.0.1:9',
        MAIL_FROM: 'connect@example.com',
        OPERATOR_CONTACT: 'help@example.com',
      },
    })
    account = await makeAccount(stack, 'active', 'anna@example.com')
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '' })
    ;({ context, page, look } = await openWindow(stack.issuer))
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.close()
  })

  /** A window on an installation, whose pages are judged there. */
  async function openWindow(issuer: string) {
    const context = await browser.newContext({ baseURL: issuer, locale: 'en-GB' })
    // A refused form is answered with 422 and an unknown page with 404, which the browser notes as errors of its own.
    context.on('console', (message) => {
      if (message.type() === 'error' && !/\b(422|404)\b/.test(message.text())) faults.push(message.text())
    })
    context.on('weberror', (error) => faults.push(error.error().message))
    context.on('response', (response) => {
      const isPart = response.request().resourceType() !== 'document'
      if (response.status() >= 500 || (isPart && response.status() >= 400)) faults.push(response.url())
    })
    const page = await context.newPage()
    return { context, page, look: createLook({ context, page, issuer, faults }) }
  }

  const signInWith = (password: string) => signIn(page, { email: account.email, password })
  async function signIn(page: Page, { email, password }: { email: string; password: string }) {
    await page.getByLabel('Email').fill(email)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  it('signing in, before and after a wrong password (WCAG 2.2)', async () => {
    await page.goto('/sign-in')
    await look('sign-in')
    await signInWith('not the password')
    await page.getByRole('alert').waitFor()
    await look('sign-in-refused')
  })

  it('a forgotten password, before and after asking for a link (WCAG 2.2)', async () => {
    await page.goto('/sign-in')
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await page.getByRole('button', { name: 'Mail me a link' }).waitFor()
    await look('forgot-password')
    await page.getByLabel('Email').fill('somebody@example.com')
    await page.getByRole('button', { name: 'Mail me a link' }).click()
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
    await look('forgot-password-sent')
  })

  it('asking for access, and setting a first password, which can be shown (WCAG 2.2)', async () => {
    await page.goto('/request-access')
    await look('request-access')
    const link = { issuerUrl: stack.issuer, email: 'new@example.com', hours: 1, now: new Date() }
    await page.goto(await createPasswordLink(stack.db, link))
    await look('set-password')
    const typed = page.getByLabel('New password')
    for (const [type, isShown] of [
      ['text', true],
      ['password', false],
    ] as const) {
      await page.getByLabel('Show the password').setChecked(isShown)
      expect(await typed.getAttribute('type')).toBe(type)
    }
  })

  it('how each client is connected, with every link to click and every block to copy, and those last that cannot (WCAG 2.2)', async () => {
    await page.goto('/connect')
    const copies = await page.getByRole('button', { name: /^Copy/, includeHidden: true }).allTextContents()
    expect(copies.length).toBeGreaterThan(20)
    expect(new Set(copies).size).toBe(copies.length)
    const clients = await page.locator('.guide h3').allTextContents()
    expect(clients.slice(-3)).toEqual(['Claude', 'ChatGPT', 'REST API'])
    await look('connect')
    await page.goto('/connect#vs-code')
    expect(await page.getByRole('link', { name: 'Add to VS Code', exact: true }).isVisible()).toBe(true)
    await page.locator('#vs-code summary').click()
    await look('connect-tokens')
  })

  it('consent, which names who asks and what is asked, all of it ticked, and the way back to the app (WCAG 2.2)', async () => {
    const client = await register(stack, { client_name: 'An app of somebody' })
    await page.goto((await start(client)).url.href)
    await signInWith(PASSWORD)
    await page.getByRole('button', { name: 'Allow access' }).waitFor()
    const text = await page.locator('main').textContent()
    const sentences = SCOPE_NAMES.map((name) => SCOPES[name].description)
    for (const part of ['127.0.0.1', 'An app of somebody', ...sentences]) expect(text).toContain(part)
    for (const box of await page.getByRole('checkbox').all()) expect(await box.isChecked()).toBe(true)
    await look('consent')
    // The next page leads to the app by itself, and is held here.
    await page.route('**/interaction/**', async (route) => {
      const response = await route.fetch({ maxRedirects: 0 })
      const body = (await response.text()).replace(/<meta http-equiv="refresh"[^>]*>/, '')
      await route.fulfill({ response, body })
    })
    await page.getByRole('button', { name: 'Allow access' }).click()
    await page.getByRole('link').first().waitFor()
    await look('continue')
    const imitation = { client_name: 'VertexSMS Support', redirect_uris: ['https://vertexsms.com.login.example/cb'] }
    await page.goto((await start(await register(stack, imitation))).url.href)
    await page.locator('summary').click()
    await page.getByLabel('Other amount').check()
    await page.getByLabel(SCOPES['sms:send'].description).check()
    await page.getByLabel('EUR a day').fill('five')
    await page.getByRole('button', { name: 'Allow access' }).click()
    await page.getByRole('alert').waitFor()
    await look('consent-imitation')
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByRole('heading', { name: 'Access denied' }).waitFor()
    await look('denied')
    await page.unroute('**/interaction/**')
  })

  it('the settings of a new account, with a new token shown once (WCAG 2.2)', async () => {
    account = await makeAccount(stack, 'active', 'jonas@example.com')
    await context.clearCookies()
    await page.goto('/sign-in')
    await signInWith(PASSWORD)
    await page.getByRole('heading', { name: 'Connect an app' }).waitFor()
    await look('overview-empty')
    await page.goto('/approvals')
    await look('approvals-empty')
    await page.goto('/settings/api')
    await look('settings-api-empty')
    await page.getByRole('link', { name: 'New token' }).click()
    await page.getByLabel('Name').waitFor()
    await look('new-token')
    await page.getByLabel('Name').fill('oauth:mine')
    await page.getByLabel('Other amount').check()
    await page.getByLabel('EUR a day').fill('five')
    await page.getByLabel('Countries').fill('Lithuania')
    await page.getByLabel(/IP/).fill('example.com')
    await page.getByRole('button', { name: 'Create token' }).click()
    await page.getByRole('alert').waitFor()
    // What is wrong is where the person goes on, however long the page.
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('name')
    expect(await page.locator('[aria-invalid="true"]').count()).toBe(4)
    await look('new-token-refused')
    await page.getByLabel('Name').fill('Nightly report')
    await page.getByLabel('EUR a day').fill('2.50')
    await page.getByLabel('Countries').fill('LT, LV')
    await page.getByLabel(/IP/).fill('203.0.113.7')
    await page.getByRole('button', { name: 'Create token' }).click()
    const value = await page.getByRole('textbox', { name: 'Token', exact: true }).inputValue()
    expect(value).toMatch(/^vsms_/)
    await page.getByText('Quick start').click()
    await look('token-created', { isShownOnce: true })
    expect(await page.locator('#value').inputValue()).toBe(value)
    await page.reload()
    await look('token-shown-before')
    await page.goto('/settings/api')
    expect(await page.content()).not.toContain(value)
    const row = await page.getByRole('row', { name: /Nightly report/ }).textContent()
    for (const fact of ['203.0.113.7', 'Send SMS', 'read SMS rates', 'Never used']) expect(row).toContain(fact)
    await look('settings-api')
    await page.getByRole('link', { name: 'Nightly report' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Weekly report')
    await page.getByRole('button', { name: 'Rename' }).click()
    await page.getByRole('status').waitFor()
    await look('token-edit')
    const { id: tokenId } = await stack.db.apiToken.findFirstOrThrow({ where: { accountId: account.id } })
    await stack.db.spender.update({ where: { id: tokenId }, data: { pausedAt: new Date() } })
    await page.reload()
    await page.getByRole('button', { name: 'Resume' }).waitFor()
    await look('token-edit-paused')
    for (const [language, button, heading] of [
      ['lt', 'Pakeisti', 'Nauja reikšmė'],
      ['en', 'Replace value', 'New value'],
    ] as const) {
      await context.addCookies([{ name: 'vertexsms_language', value: language, url: stack.issuer }])
      await page.goto(`/settings/api/tokens/${tokenId}/edit`)
      await page.getByRole('button', { name: button, exact: true }).click()
      await page.getByRole('heading', { name: heading }).waitFor()
      await look('token-replaced', { isShownOnce: true })
      expect(await page.locator('#value').inputValue()).toMatch(/^vsms_/)
    }
    const of = { accountId: account.id, spenderId: tokenId }
    await addMessage(stack, of, { state: 'scheduled', handedAt: null }, { tokenId, scheduledAt: new Date() })
    await page.goto('/settings/api')
    await look('settings-api-paused')
    await page.goto('/')
    await page.getByRole('heading', { name: 'Needs your attention' }).waitFor()
    await look('overview-empty-needs')
    await page.goto('/settings/api')
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('button', { name: 'Confirm delete' }).waitFor()
    await look('token-delete')
  })

  it('sessions, passkeys, the sandbox phone with a message, and no page (WCAG 2.2)', async () => {
    const text = { recipient: '37061234567', sender: 'VertexDemo', text: 'Your parcel is here' }
    const { id: spenderId } = await stack.db.apiToken.findFirstOrThrow({ where: { accountId: account.id } })
    const paid = { state: 'accepted', holdMicros: 0n, chargedMicros: 39_000n }
    const messageId = await addMessage(stack, { accountId: account.id, spenderId }, paid)
    const received = { accountId: account.id, receivedAt: new Date(), messageId }
    await stack.db.sandboxText.create({ data: { ...text, ...received } })
    await fillSignIn(await stack.person(), { email: account.email })
    for (const path of ['/settings/sessions', '/settings/passkeys', '/sandbox/phone', '/no-such-page']) {
      await page.goto(path)
      if (path === '/sandbox/phone') await page.getByText(text.text).waitFor()
      await look(path.slice(1).replace('/', '-'))
    }
  })

  it('the account, before, refused and changed (WCAG 2.2)', async () => {
    await page.goto('/settings/account')
    await look('settings-account')
    await page.getByLabel('Current password').fill('not the password')
    await page.getByLabel('New password').fill('password123')
    await page.getByLabel('New password').evaluate((input) => input.removeAttribute('minlength'))
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.locator('.problem').first().waitFor()
    expect(await page.locator('.problem').count()).toBe(2)
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('password')
    await look('settings-account-refused')
    await page.getByLabel('Your day begins').selectOption('Europe/Vilnius')
    await page.getByRole('button', { name: 'Set time zone' }).click()
    await page.getByRole('status').waitFor()
    await look('settings-account-set')
  })

  it('the VertexSMS account, without a token, refused, not asked, and set, and where nothing real is sent (WCAG 2.2)', async () => {
    await page.goto('/settings/vertexsms-account')
    await page.getByText('does not contact VertexSMS').waitFor()
    await look('vertexsms-account-simulated')
    const key = randomBytes(32).toString('base64url')
    const real = await startStack({
      settings: { UPSTREAM: 'vertexsms', OPERATOR_KEY: key, API_INTERNAL_URL: 'http://127.0.0.1:9' },
    })
    try {
      const window = await openWindow(real.issuer)
      const { email } = await makeAccount(real)
      await sendingAccount(window, email)
      await window.context.close()
    } finally {
      await real.close()
    }
  })

  /** What the owner of an account sees who stores its token while VertexSMS cannot be asked. */
  async function sendingAccount({ page, look }: Awaited<ReturnType<typeof openWindow>>, email: string) {
    await page.goto('/settings/vertexsms-account')
    await signIn(page, { email, password: PASSWORD })
    await page.getByText('No token is set').waitFor()
    await look('vertexsms-account-empty')
    const fill = async (token: string, password: string) => {
      await page.locator('[name="token"]').fill(token)
      await page.getByLabel('Your password for this site').first().fill(password)
      await page.getByRole('button', { name: 'Store token' }).click()
    }
    await fill('with spaces in it', 'not the password')
    await page.locator('.problem').first().waitFor()
    expect(await page.locator('.problem').count()).toBe(2)
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('token')
    await look('vertexsms-account-refused')
    await fill('a-token-of-the-operator-4f2a', PASSWORD)
    await page.getByLabel(/Store it anyway/).waitFor()
    await look('vertexsms-account-not-asked')
    await page.getByLabel(/Store it anyway/).check()
    await fill('a-token-of-the-operator-4f2a', PASSWORD)
    await page.getByText('Last four characters').waitFor()
    await page.getByLabel('EUR for one HLR lookup').fill('0.0035')
    await page.getByRole('button', { name: 'Set price' }).click()
    await page.getByRole('status').waitFor()
    await look('vertexsms-account')
  }

  it('what a connection may spend, did and is set to, full of what waits and is not known, refused, and paused by a rule (WCAG 2.2)', async () => {
    const hostile = {
      clientName: `VertexSMS Support ${'x'.repeat(300)}`,
      redirectHost: 'vertexsms.com.login.example:8443',
    }
    const accountId = account.id
    const spenderId = await addConnection(stack, accountId, hostile)
    const of = { accountId, spenderId }
    await addSpender(stack, of, BOUNDS)
    await addActivity(stack, of)
    for (const recipient of ['37061234567', '37061234999']) await addMessage(stack, of, { recipient })
    const waits = { state: 'scheduled', handedAt: null }
    for (let hours = 1; hours <= 3; hours += 1) {
      await addMessage(stack, of, waits, { scheduledAt: new Date(Date.now() + hours * 3_600_000) })
    }
    // The two of unknown outcome and the three that wait hold their price; those that wait have no day yet.
    const held = { dayHeldMicros: { increment: 2n * 39_000n }, totalHeldMicros: { increment: 5n * 39_000n } }
    await stack.db.spenderCount.updateMany({ where: { spenderId: { in: [spenderId, accountId] } }, data: held })
    await crowd(stack, account.id, 1)
    await page.goto('/settings/api')
    await page.getByText('3 tokens').click()
    await look('settings-api-connection')
    await page
      .getByRole('link', { name: /^Disconnect/ })
      .first()
      .click()
    await look('disconnect')
    await page.goto(`/connections/${spenderId}`)
    await page.getByText('As a table').click()
    await look('connection')
    await page.getByText('Change limits').click()
    await page.getByLabel('Per day', { exact: true }).fill('five')
    await page.getByRole('button', { name: 'Set limits' }).click()
    await page.getByRole('alert').first().waitFor()
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('max_per_day')
    await look('connection-refused')
    await page.goto(`/connections/${spenderId}`)
    await page.getByRole('button', { name: 'Pause' }).click()
    const status = page.getByRole('status')
    await status.waitFor()
    expect(await status.evaluate((element) => element === document.activeElement)).toBe(true)
    await look('connection-paused')
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByRole('button', { name: 'Pause' }).waitFor()
    const fired = { autoPausedAt: new Date(), autoPausedReason: 'number_block', resumedAt: null }
    await stack.db.spender.update({ where: { id: spenderId }, data: fired })
    await page.goto(`/connections/${spenderId}`)
    await look('connection-paused-by-rule')
    await page.goto('/settings/limits')
    await look('account-limits')
  })

  it('sends to approve, one by one and all that wait, before and after (WCAG 2.2)', async () => {
    const { id: spenderId } = await stack.db.connection.findFirstOrThrow({ where: { accountId: account.id } })
    const of = { accountId: account.id, spenderId }
    for (const word of ['Approve', 'Refuse']) {
      await page.goto(`/approvals/${await askApproval(stack, of)}`)
      await page.getByText('Your code is 1234').waitFor()
      await look('approval')
      await page.getByRole('button', { name: word }).click()
      await page.getByRole('status').waitFor()
      await look(`approval-${word.toLowerCase()}d`)
    }
    await askApproval(stack, of, { sealedText: new Uint8Array(64) })
    for (let count = 0; count < 3; count += 1) await askApproval(stack, of)
    await page.goto('/approvals')
    await look('approvals')
    await page
      .getByRole('button', { name: /^Approve/ })
      .first()
      .click()
    await page.getByRole('status').waitFor()
    await look('approvals-decided')
    await stack.db.spender.update({ where: { id: spenderId }, data: { pausedAt: new Date() } })
    await page.goto('/approvals')
    await page.getByText('It is paused: what you approve').waitFor()
    await look('approvals-paused')
    await stack.db.spender.update({ where: { id: spenderId }, data: { pausedAt: null } })
  })

  it('the overview of an account that needs its owner, paused, and what ended (WCAG 2.2)', async () => {
    const ends = ['refresh_reuse', 'replaced', 'deleted']
    for (const endedReason of ends) {
      const approvedAt = new Date(Date.now() - 3_600_000)
      const spenderId = await addConnection(stack, account.id, { approvedAt, endedAt: new Date(), endedReason })
      if (endedReason === 'replaced') await addConnection(stack, account.id, { spenderId })
    }
    for (const redirectHost of ['localhost', 'cursor:']) await addConnection(stack, account.id, { redirectHost })
    // Most of the one limit is used, all of the other.
    const rules = { maxPerDayMicros: 1_400_000n, recipientsPerDay: 5 }
    await stack.db.spender.update({ where: { id: account.id }, data: rules })
    await page.goto('/')
    await look('overview')
    await page.getByRole('button', { name: 'Pause everything' }).click()
    await page.getByRole('button', { name: 'Resume everything' }).waitFor()
    await look('overview-paused')
    await page.goto('/connections/ended')
    await look('ended')
    const { id } = await stack.db.connection.findFirstOrThrow({
      where: { accountId: account.id, endedReason: 'replaced' },
    })
    await page.goto(`/connections/${id}`)
    await look('connection-ended')
  })

  it('the way through the dashboard is one row on a phone and one more of its settings, its footer one, and only the page that is open looks open in forced colours', async () => {
    await page.setViewportSize({ width: 360, height: 800 })
    await page.goto('/settings/sessions')
    const links = page.getByRole('navigation', { name: 'Dashboard' }).getByRole('link')
    for (const language of LANGUAGES) {
      await context.addCookies([{ name: 'vertexsms_language', value: language, url: stack.issuer }])
      for (const path of ['/settings/passkeys', '/settings/vertexsms-account', '/settings/sessions']) {
        await page.goto(path)
        const rows = await page.locator('header nav').evaluateAll((navigations) =>
          navigations.map((navigation) => {
            const boxes = [...navigation.querySelectorAll('a')].map((link) => link.getBoundingClientRect())
            const isInSight = boxes.every(({ left, right }) => left >= 0 && right <= 360)
            return { rows: new Set(boxes.map(({ top }) => top)).size, isInSight }
          }),
        )
        const one = { rows: 1, isInSight: true }
        expect([language, path, rows]).toEqual([language, path, [one, one]])
      }
      for (const as of ['short', 'exact']) {
        await context.addCookies([{ name: 'vertexsms_times', value: as, url: stack.issuer }])
        await page.reload()
        const links = page.locator('footer a')
        const tops = await links.evaluateAll((all) => all.map((link) => link.getBoundingClientRect().top))
        expect([language, as, tops.length, new Set(tops).size]).toEqual([language, as, 3, 1])
      }
      await context.clearCookies({ name: 'vertexsms_times' })
    }
    await context.addCookies([{ name: 'vertexsms_language', value: 'en', url: stack.issuer }])
    await page.reload()
    const current = page.locator('nav [aria-current]')
    expect(await current.allTextContents()).toEqual(['Settings', 'Sessions'])
    expect(await current.evaluateAll((all) => all.map((link) => link.getAttribute('aria-current')))).toEqual([
      'true',
      'page',
    ])
    await page.emulateMedia({ forcedColors: 'active' })
    const lines = await links.evaluateAll((elements) =>
      elements.map((element) => ({
        isOpen: element.hasAttribute('aria-current'),
        colour: getComputedStyle(element).borderBottomColor,
        page: getComputedStyle(document.body).backgroundColor,
      })),
    )
    expect(lines.filter(({ isOpen }) => isOpen)).toHaveLength(1)
    for (const { isOpen, colour, page: canvas } of lines) expect(colour !== canvas).toBe(isOpen)
    await page.emulateMedia({ forcedColors: 'none' })
  })

  it('a list of tokens with pages (WCAG 2.2)', async () => {
    await crowd(stack, account.id, 25)
    await page.goto('/settings/api')
    await page.locator('.pager').first().waitFor()
    await look('settings-api-full')
  })
})

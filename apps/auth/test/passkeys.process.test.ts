// Passkeys in a browser with an authenticator built in, from its button to the row.
import { MUTABLE_NOTICES } from '@vertexsms/contract/notice'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM } from './support/chromium.ts'
import { type MailServer, startMailServer } from './support/mail-server.ts'
import { makeAccount, PASSWORD } from './support/people.ts'
import { hiddenField } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

describe.skipIf(!CHROMIUM)('passkeys in a browser', { timeout: 90_000 }, () => {
  let stack: Stack
  let browser: Browser
  let mailbox: MailServer
  beforeAll(async () => {
    mailbox = await startMailServer()
    const settings = { SMTP_URL: mailbox.url, MAIL_FROM: 'connect@vertexsms.example' }
    stack = await startStack({ mailPollMs: 20, settings })
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '' })
  })
  afterAll(async () => {
    await browser.close()
    await stack.close()
    await mailbox.close()
  })

  /** A browser with a built-in authenticator that says yes, or no when `verifies` is false. */
  async function device(verifies = true): Promise<{ context: BrowserContext; page: Page }> {
    const context = await browser.newContext({ baseURL: stack.issuer })
    const page = await context.newPage()
    const session = await context.newCDPSession(page)
    await session.send('WebAuthn.enable')
    await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: verifies,
        automaticPresenceSimulation: true,
      },
    })
    return { context, page }
  }

  /** Gives the browser a session, as the sign-in page would. */
  async function signIn(context: BrowserContext, accountId: string) {
    const cookies = (await stack.person(accountId)).cookies
    await context.addCookies(cookies.map(({ name, value }) => ({ name, value, url: stack.issuer })))
  }

  async function addPasskey(page: Page, password = PASSWORD) {
    await page.goto('/settings/passkeys')
    await page.getByLabel('Name').fill('Test laptop')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Add a passkey' }).click()
  }

  it('are added under the password and then sign in without it, until they are removed', async () => {
    const { email, id: accountId } = await makeAccount(stack)
    const { context, page } = await device()
    await signIn(context, accountId)
    await addPasskey(page)
    await page.getByText('never used').waitFor()
    expect(await page.getByRole('listitem').filter({ hasText: 'Test laptop' }).count()).toBe(1)

    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL('**/sign-in')
    await page.goto('/sandbox/phone')
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.waitForURL('**/sandbox/phone')
    expect(await page.getByText(email).isVisible()).toBe(true)
    expect((await stack.db.passkey.findFirstOrThrow({ where: { accountId } })).lastUsedAt).not.toBeNull()

    await page.goto('/settings/passkeys')
    await page.getByRole('link', { name: 'Remove Test laptop' }).click()
    await page.getByRole('heading', { name: 'Remove Test laptop?' }).waitFor()
    expect(await stack.db.passkey.count({ where: { accountId } })).toBe(1)
    await page.getByRole('button', { name: 'Remove passkey' }).click()
    await page.getByText('You have no passkey yet.').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL('**/sign-in')
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.getByText('That passkey was not accepted.').waitFor()
    await context.close()
  })

  it('are refused with a wrong password: an open browser is not enough to plant one', async () => {
    const { id: accountId } = await makeAccount(stack)
    const { context, page } = await device()
    await signIn(context, accountId)
    await addPasskey(page, 'not the password')
    await page.getByText('No passkey was added.').waitFor()
    // What was typed beside it is not lost.
    expect(await page.getByLabel('Name').inputValue()).toBe('Test laptop')
    expect(await stack.db.passkey.count({ where: { accountId } })).toBe(0)
    await context.close()
  })

  it('that are added or removed are told to their owner by mail, whatever is muted, and those that are refused are not', async () => {
    const { id: accountId, email } = await makeAccount(stack)
    await stack.db.account.update({ where: { id: accountId }, data: { mutedNotices: [...MUTABLE_NOTICES] } })
    const mails = () => mailbox.mails.filter(({ to }) => to.includes(email))
    const subjects = () => mails().map(({ headers }) => headers.subject)
    const { context, page } = await device()
    await signIn(context, accountId)
    await addPasskey(page, 'not the password')
    await page.getByText('No passkey was added.').waitFor()
    await addPasskey(page)
    await page.getByText('never used').waitFor()
    const added = 'A passkey was added to your VertexSMS account'
    await expect.poll(subjects).toEqual([added])
    const pages = ['passkeys', 'account'].map((name) => `${stack.issuer}/settings/${name}`)
    expect(mails()[0]?.body.match(/https?:\/\/\S+/g)).toEqual(pages)
    // Of what is not there nothing is told.
    const csrf = await page.locator('input[name=csrf]').first().inputValue()
    const form = { form: { csrf, passkey: 'of-nobody' }, headers: { 'sec-fetch-site': 'same-origin' } }
    expect((await page.request.post('/settings/passkeys/remove', form)).status()).toBe(200)
    await page.getByRole('link', { name: 'Remove Test laptop' }).click()
    await page.getByRole('button', { name: 'Remove passkey' }).click()
    await page.getByText('You have no passkey yet.').waitFor()
    await expect.poll(subjects).toEqual([added, 'A passkey was removed from your VertexSMS account'])
    await context.close()
  })

  it('answer one challenge once, for the visitor who got it and nobody else (WebAuthn §13.4.3)', async () => {
    const { id: accountId } = await makeAccount(stack)
    const { context, page } = await device()
    await signIn(context, accountId)
    await addPasskey(page)
    await page.getByText('never used').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL('**/sign-in')

    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
    const csrf = await page.locator('input[name=csrf]').first().inputValue()
    let caught = ''
    await page.route('**/sign-in/passkey', async (route) => {
      caught = new URLSearchParams(route.request().postData() ?? '').get('credential') ?? ''
      await route.fulfill({ status: 204 })
    })
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await expect.poll(() => caught).not.toBe('')

    const send = async (cookie: string, csrf: string) =>
      fetch(`${stack.issuer}/sign-in/passkey`, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, 'sec-fetch-site': 'same-origin' },
        body: new URLSearchParams({ csrf, credential: caught, return_to: '' }),
      })
    const stranger = await stack.person()
    const strangersCsrf = hiddenField((await stranger.get('/sign-in')).html, 'csrf')
    expect((await send(stranger.cookieHeader('/'), strangersCsrf)).status).toBe(422)

    expect((await send(cookie, csrf)).status).toBe(303)
    expect((await send(cookie, csrf)).status).toBe(422)
    await context.close()
  })

  it('are refused when the device did not verify the person (WebAuthn §6.1)', async () => {
    const { id: accountId } = await makeAccount(stack)
    const { context, page } = await device(false)
    await signIn(context, accountId)
    await addPasskey(page)
    await page.getByText('No passkey was used.').waitFor()
    expect(await stack.db.passkey.count({ where: { accountId } })).toBe(0)
    await context.close()
  })
})

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { expectAuthorization, type IndependentClient } from '../support/clients/client.ts'
import { rawClient } from '../support/clients/raw.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'
import { authorize } from '../support/pages/consent.ts'
import { inviteOwner } from '../support/pages/invited.ts'
import { openAs, spenderPage } from '../support/pages/spender.ts'
import { rememberSecret } from '../support/secrets.ts'

// An agent that spends and its owner who holds it: one through MCP, the other in a browser, as in life.

const product = inject('stack')

const NAME = 'An agent that spends'

/** Ten parts, so that few sends reach a limit. */
const LONG = 'x'.repeat(1500)

describe.skipIf(findChromium() === null)('An owner with an agent that spends', () => {
  let browser: Browser
  /** The product, with an account that nobody else uses: its owner pauses all of it. */
  let stack: Awaited<ReturnType<typeof inviteOwner>>
  let client: IndependentClient
  let path: string
  let sent = 0
  beforeAll(async () => {
    browser = await openBrowser()
    stack = await inviteOwner(browser, product)
    const page = await browser.newVisitor()
    client = await rawClient(stack.mcpUrl, NAME)
    await authorize(page, expectAuthorization(client, await client.connect()), stack, { limitADay: '1.00' })
    await client.finish()
    await openAs(page, stack, '/settings/api')
    const app = page.getByRole('article').filter({ hasText: NAME })
    path = (await app.locator('a[href^="/connections/"]').first().getAttribute('href')) ?? ''
    expect(path).toMatch(/^\/connections\/[\da-f-]{36}$/)
    await page.context().close()
  })
  afterAll(async () => {
    await client?.close()
    await browser?.close()
  })

  /** Sends a text to a number of its own; far from the others, as those of customers are. */
  async function send(message: string, more: Record<string, unknown> = {}) {
    sent += 1
    const to = `+3706${String(3_000_000 + sent * 7919)}`
    rememberSecret('phone number', to.slice(1))
    return call({ to, from: 'Vertex', message, ...more })
  }

  async function call(args: Record<string, unknown>) {
    const outcome = await client.callTool('send_sms', args)
    if (outcome.kind !== 'result') throw new Error(`send_sms came to ${outcome.kind}`)
    const { isError = false, structuredContent, content } = outcome.result
    if (!isError) return { code: 'OK', args, details: structuredContent as Record<string, unknown> }
    const { error } = JSON.parse(content[0]?.text ?? '{}') as {
      error: { code: string; details?: Record<string, unknown> }
    }
    return { code: error.code, args, details: error.details ?? {} }
  }

  test('allows it 1.00 EUR a day, is asked for more by a refusal, raises the limit, and the very next call goes out', async () => {
    const codes: string[] = []
    for (let tries = 0; tries < 30 && codes.at(-1) !== 'SPEND_CAP_REACHED'; tries += 1)
      codes.push((await send(LONG)).code)
    expect(codes.at(-1)).toBe('SPEND_CAP_REACHED')
    expect(codes.slice(0, -1).every((code) => code === 'OK')).toBe(true)
    expect(codes.length).toBeGreaterThan(1)
    const { details } = await send(LONG)
    expect(details.manageUrl).toBe(stack.issuer + path)

    const page = await browser.newVisitor()
    await spenderPage(page, stack, path).setLimit('Per day', '9.00')
    expect((await send(LONG)).code).toBe('OK')
    await page.context().close()
  })

  test('is asked about a send above a price, approves it, and it goes out once', async () => {
    const page = await browser.newVisitor()
    await spenderPage(page, stack, path).setLimit('Ask me above', '0.50')
    const asked = await send(`${LONG} approve`)
    expect(asked.code).toBe('APPROVAL_REQUIRED')
    const url = new URL(String(asked.details.approvalUrl))
    expect(url.origin).toBe(stack.issuer)

    await openAs(page, stack, '/approvals')
    expect(await page.getByRole('link', { name: /^Approvals/ }).textContent()).toMatch(/^Approvals\s+1/)
    expect(await page.locator('.bubble').textContent()).toBe(asked.args.message)
    await page.getByRole('button', { name: /^Approve ?: the send of / }).click()
    await page.getByRole('status').waitFor()
    expect(await page.getByRole('button', { name: /^Approve/ }).count()).toBe(0)

    expect((await call(asked.args)).code).toBe('OK')
    await page.goto(url.href)
    await page.getByRole('heading', { name: 'Approved and sent' }).waitFor()
    // The same again is the repeat of what was sent, and a copy that is meant asks anew.
    const again = await call(asked.args)
    expect([again.code, again.details.replayed]).toEqual(['OK', true])
    const copy = await call({ ...asked.args, allowRepeat: true, idempotencyKey: `copy-${Date.now()}` })
    expect(copy.code).toBe('APPROVAL_REQUIRED')
    await page.goto(String(copy.details.approvalUrl))
    await page.getByRole('button', { name: 'Refuse' }).click()
    await page.getByRole('heading', { name: 'Refused' }).waitFor()
    expect((await call({ ...asked.args, allowRepeat: true, idempotencyKey: `copy-${Date.now()}-2` })).code).toBe(
      'APPROVAL_REFUSED',
    )
    await page.context().close()
  })

  test('is asked, and approves by keyboard alone in a browser that runs no script', async () => {
    const page = await browser.newVisitor({ javaScriptEnabled: false })
    const asked = await send(`${LONG} by keyboard`)
    expect(asked.code).toBe('APPROVAL_REQUIRED')
    await openAs(page, stack, new URL(String(asked.details.approvalUrl)).pathname)
    const approve = page.getByRole('button', { name: /^Approve/ })
    for (let tabs = 0; tabs < 40; tabs += 1) {
      await page.keyboard.press('Tab')
      if (await approve.evaluate((button) => button === button.ownerDocument.activeElement)) break
    }
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Approved' }).waitFor()
    expect((await call(asked.args)).code).toBe('OK')
    await page.context().close()
  })

  test('pauses it, which refuses the very next send and nothing that only reads, and resumes it', async () => {
    const page = await browser.newVisitor()
    const its = spenderPage(page, stack, path)
    await its.press('Pause')
    expect((await send('paused')).code).toBe('CONNECTION_PAUSED')
    expect((await client.callTool('get_sms_rates', { country: 'LT' })).kind).toBe('result')
    await its.press('Resume')
    expect((await send('resumed')).code).toBe('OK')

    await openAs(page, stack, '/')
    await page.getByRole('button', { name: 'Pause everything' }).click()
    await page.getByRole('status').waitFor()
    expect((await send('all paused')).code).toBe('CONNECTION_PAUSED')
    await page.getByRole('button', { name: 'Resume everything' }).click()
    await page.getByRole('button', { name: 'Pause everything' }).waitFor()
    expect((await send('all resumed')).code).toBe('OK')
    await page.context().close()
  })

  test('cancels on its page what it scheduled, which then is sent never', async () => {
    const page = await browser.newVisitor()
    const at = new Date(Date.now() + 3_600_000).toISOString()
    const { code } = await send('later', { scheduled: at })
    expect(code).toBe('OK')
    await openAs(page, stack, path)
    await page.getByRole('button', { name: /^Cancel/ }).click()
    await page.getByText('Cancelled. It is not sent').waitFor()
    expect(await page.getByRole('button', { name: /^Cancel/ }).count()).toBe(0)
    expect(browser.faults).toEqual([])
    await page.context().close()
  })

  test('allows another to read only, which reads and is refused what costs money', async () => {
    const page = await browser.newVisitor()
    const reader = await rawClient(stack.mcpUrl)
    await authorize(page, expectAuthorization(reader, await reader.connect()), stack, { readingOnly: true })
    await reader.finish()
    const read = await reader.callTool('get_sms_rates', { country: 'LT' })
    expect(read.kind === 'result' && read.result.isError !== true).toBe(true)
    const refused = await reader.callTool('send_sms', { to: '+37061234567', from: 'Vertex', message: 'no' })
    expect(refused).toMatchObject({ kind: 'refused', status: 403 })
    await reader.close()
    await page.context().close()
  })

  test('disconnects it, and its very next call is refused', async () => {
    const page = await browser.newVisitor()
    await openAs(page, stack, `${path}/disconnect`)
    await page.getByRole('button', { name: /^Disconnect/ }).click()
    await page.getByRole('status').waitFor()
    expect(await client.callTool('get_sms_rates', { country: 'LT' })).toMatchObject({ kind: 'refused', status: 401 })
    await page.context().close()
  })
})

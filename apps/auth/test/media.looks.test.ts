// What pages do for whoever reads them otherwise than on a screen as it comes: on paper, in forced colours, with letters set
// wider, from right to left.
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM } from './support/chromium.ts'
import { addActivity, addConnection, addMessage, addToken } from './support/owners-data.ts'
import { makeAccount } from './support/people.ts'
import { type Stack, startStack } from './support/stack.ts'

/** The first and the last letter of each are of its own direction. */
const TEXTS = { ltr: 'Your code is 1234.', rtl: '\u0631\u0645\u0632\u0643 \u0647\u0648 1234.' }
/** What a person may set, and no page may lose anything by (WCAG 1.4.12). */
const WIDER = '* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }'

describe.skipIf(!CHROMIUM)('A page that is read otherwise', { timeout: 120_000 }, () => {
  let stack: Stack
  let browser: Browser
  let page: Page
  let tokenId: string
  let connectionId: string
  beforeAll(async () => {
    stack = await startStack()
    const { id: accountId } = await makeAccount(stack)
    connectionId = await addConnection(stack, accountId)
    const of = { accountId, spenderId: connectionId }
    await addActivity(stack, of)
    tokenId = await addToken(stack, accountId, { lastFour: 'x7Qa' })
    const accepted = { state: 'accepted', holdMicros: 0n, chargedMicros: 39_000n }
    for (const text of Object.values(TEXTS)) {
      const messageId = await addMessage(stack, of, accepted)
      const received = { accountId, messageId, receivedAt: new Date() }
      await stack.db.sandboxText.create({ data: { ...received, recipient: '37061234567', sender: 'Shop', text } })
    }
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '' })
    const context = await browser.newContext({ baseURL: stack.issuer })
    const { cookies } = await stack.person(accountId)
    await context.addCookies(cookies.map(({ name, value }) => ({ name, value, url: stack.issuer })))
    page = await context.newPage()
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.close()
  })

  const speak = (value: 'en' | 'lt') =>
    page.context().addCookies([{ name: 'vertexsms_language', value, url: stack.issuer }])
  const inkOf = () => page.evaluate(() => getComputedStyle(document.body).color)

  it('is printed in the dark letters of a light page from a dark screen too, without what there is to press', async () => {
    await page.goto(`/connections/${connectionId}`)
    const light = await inkOf()
    const parts = [page.getByRole('navigation').first(), page.getByRole('button').first(), page.locator('footer')]
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await inkOf()).not.toBe(light)
    for (const part of parts) expect(await part.isVisible()).toBe(true)
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' })
    expect(await inkOf()).toBe(light)
    for (const part of parts) expect(await part.isVisible()).toBe(false)
    for (const part of ['h1', '.who-email', '.activity td'])
      expect(await page.locator(part).first().isVisible()).toBe(true)
    await page.emulateMedia({ colorScheme: null, media: null })
  })

  it('is printed with the moments themselves, for paper does not say from when it counts', async () => {
    const drawn = () =>
      page.locator('time[title]').evaluateAll((all) =>
        all.map((time) => {
          const [own, after] = [getComputedStyle(time), getComputedStyle(time, '::after')]
          const said = own.fontSize === '0px' ? '' : time.textContent
          return { said: said + after.content.replace(/^none$|^"|"$/g, ''), full: time.getAttribute('title') }
        }),
      )
    for (const path of ['/', `/connections/${connectionId}`]) {
      await page.goto(path)
      const onScreen = await drawn()
      expect(onScreen.length).toBeGreaterThan(0)
      for (const { said, full } of onScreen) expect(said).not.toContain(full)
      await page.emulateMedia({ media: 'print' })
      for (const { said, full } of await drawn()) expect(said).toBe(full)
      await page.emulateMedia({ media: null })
    }
  })

  it('makes the button that stands out do so where colours are forced, and no other', async () => {
    await page.goto('/settings/api/new')
    await page.emulateMedia({ forcedColors: 'active' })
    const fill = (button: string) =>
      page
        .locator(button)
        .first()
        .evaluate((one) => getComputedStyle(one).backgroundColor)
    const [primary, other] = [await fill('main .button-primary'), await fill('main .button:not(.button-primary)')]
    expect(primary).not.toBe(other)
    await page.locator('main .button-primary').hover()
    expect(await fill('main .button-primary')).toBe(primary)
    await page.goto(`/settings/api/tokens/${tokenId}/edit`)
    expect(
      new Set(
        await page
          .locator('main .button:not(.button-primary)')
          .evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor)),
      ),
    ).toEqual(new Set([other]))
    await page.goto(`/settings/api/tokens/${tokenId}/delete`)
    expect(await fill('main .button-danger-solid')).toBe(primary)
    await page.emulateMedia({ forcedColors: 'none' })
  })

  it('shows a message as its letters run, on the phone that gets it', async () => {
    await page.goto('/sandbox/phone')
    const at = await page.locator('.bubble').evaluateAll((all) =>
      all.map((bubble) => {
        const text = bubble.firstChild as Text
        const left = (from: number) => {
          const range = document.createRange()
          range.setStart(text, from)
          range.setEnd(text, from + 1)
          return range.getBoundingClientRect().left
        }
        return [text.data, left(0) < left(text.data.length - 1) ? 'ltr' : 'rtl']
      }),
    )
    expect(Object.fromEntries(at)).toEqual({ [TEXTS.ltr]: 'ltr', [TEXTS.rtl]: 'rtl' })
  })

  it('keeps the edge of a message where colours are forced', async () => {
    await page.goto('/sandbox/phone')
    const widthOf = () =>
      page
        .locator('.bubble')
        .first()
        .evaluate((one) => getComputedStyle(one).borderTopWidth)
    expect(await widthOf()).toBe('0px')
    await page.emulateMedia({ forcedColors: 'active' })
    expect(await widthOf()).toBe('1px')
    await page.emulateMedia({ forcedColors: 'none' })
  })

  it.each(['en', 'lt'] as const)(
    'lays no word on another where letters are set wider, in %s (WCAG 1.4.12)',
    async (language) => {
      await speak(language)
      for (const [width, path] of [
        [320, `/settings/api/tokens/${tokenId}/delete`],
        [360, `/settings/api/tokens/${tokenId}/edit`],
        [768, '/settings/limits'],
        [768, `/connections/${connectionId}`],
      ] as const) {
        await page.setViewportSize({ width, height: 900 })
        await page.goto(path)
        await page.evaluate((rules) => {
          const wider = new CSSStyleSheet()
          wider.replaceSync(rules)
          document.adoptedStyleSheets = [wider]
        }, WIDER)
        expect.soft([width, path, await overlapping(page)]).toEqual([width, path, []])
      }
      await speak('en')
    },
  )
})

/** Terms and heads of columns that lie on what stands beside them. */
function overlapping(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const edges = (element: Element) => {
      const range = document.createRange()
      range.selectNodeContents(element)
      return range.getBoundingClientRect()
    }
    return [...document.querySelectorAll('.facts dt, thead th, tbody td')].flatMap((one) => {
      const next = one.nextElementSibling
      if (!one.checkVisibility() || !next || one.closest('.hidden') || !(one.textContent ?? '').trim()) return []
      const [mine, other] = [edges(one), next.getBoundingClientRect()]
      const isBeside =
        other.left > one.getBoundingClientRect().left && other.top < mine.bottom && other.bottom > mine.top
      return isBeside && mine.right > other.left ? [(one.textContent ?? '').trim()] : []
    })
  })
}

// What a page does with the largest sums that a limit may say: none reaches out of its place.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM } from './support/chromium.ts'
import { crowd } from './support/crowd.ts'
import { addActivity, addConnection, addSpender } from './support/owners-data.ts'
import { fillSignIn, makeAccount } from './support/people.ts'
import type { Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

// With SCREENSHOTS (a folder) each is kept as a picture.
const FOLDER = process.env.SCREENSHOTS

/** 123 456 789.123456 EUR. */
const LARGE_MICROS = 123_456_789_123_456n

describe.skipIf(!CHROMIUM)('Sums of more than a hundred million euros', { timeout: 120_000 }, () => {
  let stack: Stack
  let browser: Browser
  let connectionId: string
  let person: Person
  beforeAll(async () => {
    stack = await startStack()
    const account = await makeAccount(stack)
    connectionId = await addConnection(stack, account.id)
    const of = { accountId: account.id, spenderId: connectionId }
    await addSpender(stack, of, { maxPerDayMicros: 2n * LARGE_MICROS, maxTotalMicros: 9n * LARGE_MICROS })
    await addActivity(stack, of)
    const { db } = stack
    await db.activity.updateMany({ where: { amountMicros: { gt: 0n } }, data: { amountMicros: LARGE_MICROS } })
    await db.spenderCount.updateMany({
      data: { daySpentMicros: LARGE_MICROS, dayHeldMicros: LARGE_MICROS / 3n, totalSpentMicros: 7n * LARGE_MICROS },
    })
    await crowd(stack, account.id, 25)
    person = await stack.person()
    await fillSignIn(person, account)
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '' })
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.close()
  })

  it.each(['en', 'lt'].flatMap((locale) => [320, 740, 1000].map((width) => [locale, width] as const)))(
    'stand in their places, in %s at %i px (WCAG 1.4.10)',
    async (locale, width) => {
      const context = await browser.newContext({ baseURL: stack.issuer, locale })
      await context.addCookies(
        person.cookies
          .filter(({ path }) => path === '/')
          .map(({ name, value }) => ({ name, value, url: stack.issuer })),
      )
      const page = await context.newPage()
      await page.setViewportSize({ width, height: 900 })
      for (const [name, path] of [
        ['overview', '/'],
        ['account', '/settings/limits'],
        ['connection', `/connections/${connectionId}`],
        ['api', '/settings/api'],
      ] as const) {
        await page.goto(path)
        await page.locator('.bars-table').evaluateAll((all) => {
          for (const one of all) if (one instanceof HTMLDetailsElement) one.open = true
        })
        if (FOLDER) {
          mkdirSync(FOLDER, { recursive: true })
          await page.screenshot({ path: join(FOLDER, `large-sums-${name}-${locale}-${width}.png`), fullPage: true })
        }
        expect.soft([name, await outOfPlace(page)]).toEqual([name, []])
      }
      await context.close()
    },
  )
})

/** Sums that reach out of what they stand in, or lie on other words, and how much wider than the window the page is. */
function outOfPlace(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const over = document.documentElement.scrollWidth - window.innerWidth
    const found = over > 0 ? [`page: ${over}`] : []
    const boxes: { text: string; box: DOMRect }[] = []
    const texts = document.createTreeWalker(document.querySelector('main') ?? document.body, NodeFilter.SHOW_TEXT)
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const words = (text.textContent ?? '').trim()
      const within = text.parentElement
      if (words === '' || !within?.checkVisibility() || within.closest('.hidden, caption, option')) continue
      // The heads of a table that stands as a list are for whoever hears it.
      const head = within.closest('thead')
      if (head && getComputedStyle(head).clipPath !== 'none') continue
      const range = document.createRange()
      range.selectNodeContents(text)
      for (const box of range.getClientRects()) if (box.width > 2 && box.height > 2) boxes.push({ text: words, box })
    }
    for (const place of document.querySelectorAll('td.money, .app-row-money, .row-wraps > .money, .sums dd')) {
      if (!place.checkVisibility()) continue
      const { right, bottom, left } = place.getBoundingClientRect()
      const { paddingRight, paddingLeft } = getComputedStyle(place)
      const range = document.createRange()
      range.selectNodeContents(place)
      const sum = range.getBoundingClientRect()
      const isWithin =
        sum.left >= left + Number.parseFloat(paddingLeft) - 1 &&
        sum.right <= right - Number.parseFloat(paddingRight) + 1
      if (!isWithin || sum.bottom > bottom + 1) found.push(`out of its place: ${place.textContent?.trim()}`)
    }
    for (const row of document.querySelectorAll('.row')) {
      const [inner, money] = [
        row.getBoundingClientRect(),
        row.querySelector(':scope > .money')?.getBoundingClientRect(),
      ]
      const { paddingRight } = getComputedStyle(row)
      if (money && money.right > inner.right - Number.parseFloat(paddingRight) + 1)
        found.push(`out of its row: ${row.textContent}`)
    }
    for (const [at, { text, box }] of boxes.entries()) {
      if (box.right > window.innerWidth || box.left < 0) found.push(`outside: ${text}`)
      for (const other of boxes.slice(at + 1)) {
        if (other.text === text) continue
        const width = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left)
        const height = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top)
        if (width > 1 && height > 6) found.push(`${text} | ${other.text}`)
      }
    }
    return found
  })
}

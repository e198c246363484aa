// The reference of the REST API, as a person reads it in a browser.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'

const { apiUrl } = inject('stack')

describe.skipIf(findChromium() === null)('The page of the REST API', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  test.each([320, 360, 768, 1024, 1440])('has every word in sight at %i px', async (width) => {
    const page = await browser.newVisitor()
    await page.setViewportSize({ width, height: 800 })
    await page.goto(`${apiUrl}/reference`)
    const hidden = await page.locator('td, h1, h2, h3, p, li').evaluateAll((all) =>
      all
        .filter((one) => {
          const { left, right } = one.getBoundingClientRect()
          return left < 0 || right > document.documentElement.clientWidth || one.scrollWidth > one.clientWidth + 1
        })
        .map(({ textContent }) => textContent),
    )
    expect(hidden).toEqual([])
    expect(browser.faults).toEqual([])
  })

  test('leads from its contents to a route', async () => {
    const page = await browser.newVisitor()
    await page.goto(`${apiUrl}/reference`)
    await page.getByRole('listitem').getByRole('link', { name: 'GET /hlr/{id}', exact: true }).click()
    const heading = page.getByRole('heading', { name: 'GET /hlr/{id}', exact: true })
    expect(await heading.evaluate((one) => Math.round(one.getBoundingClientRect().top))).toBeLessThan(100)
  })
})

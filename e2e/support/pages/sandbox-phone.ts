import type { Page } from 'playwright-core'
import { rememberSecret } from '../secrets.ts'
import { waitUntil } from '../wait-until.ts'
import { signIn } from './sign-in.ts'

const ARRIVAL_MS = 30_000

/** Waits until the sandbox phone shows a text to `msisdn` that fits, and resolves with its words. */
export async function readTextOn(
  page: Page,
  account: { email: string; password: string; issuer: string },
  msisdn: string,
  fits: RegExp,
): Promise<string> {
  const address = `${account.issuer}/sandbox/phone?number=${msisdn.replace(/\D/g, '')}`
  return waitUntil(`a text that fits ${fits} on the sandbox phone`, ARRIVAL_MS, async () => {
    await page.goto(address)
    if (new URL(page.url()).pathname === '/sign-in') {
      await signIn(page, account)
      await page.waitForURL('**/sandbox/phone*')
    }
    const texts = await page.locator('.bubble').allInnerTexts()
    for (const text of texts) rememberSecret('message text', text)
    return texts.find((text) => fits.test(text))
  })
}

import type { Page } from 'playwright-core'
import { rememberSecret } from '../secrets.ts'
import { waitUntil } from '../wait-until.ts'
import { signIn } from './sign-in.ts'

const ARRIVAL_MS = 30_000
const PIN = /\b\d{5}\b/

/** Who looks at the phone, and where. */
interface PhoneOwner {
  readonly email: string
  readonly password: string
  readonly issuer: string
}

/** Waits until the sandbox phone shows a text to `msisdn` that fits, and resolves with its words. */
export async function readTextOn(page: Page, account: PhoneOwner, msisdn: string, fits: RegExp): Promise<string> {
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

/** Waits until the sandbox phone shows a PIN to `msisdn`, and resolves with it. */
export async function readPinOn(page: Page, account: PhoneOwner, msisdn: string): Promise<string> {
  return PIN.exec(await readTextOn(page, account, msisdn, PIN))?.[0] ?? ''
}

import type { Page } from 'playwright-core'
import { signIn } from './sign-in.ts'

/** The consent page that `page` shows, for the person at the browser. */
export function consentPage(page: Page) {
  const scope = (name: string) => page.locator(`input[type=checkbox][name=scope][value="${name}"]`)
  return {
    /** Waits until the page is there. */
    shown: () => page.getByRole('button', { name: 'Allow access' }).waitFor(),
    untick: (name: string) => scope(name).uncheck(),
    allow: () => page.getByRole('button', { name: 'Allow access' }).click(),
    deny: () => page.getByRole('button', { name: 'Deny' }).click(),
  }
}

/**
 * Opens a client's authorize URL as a person who signs in where asked, unticks some scopes and allows the rest. Ends
 * on the client's own page.
 */
export async function authorize(
  page: Page,
  authorizeUrl: URL,
  account: { email: string; password: string; issuer: string },
  untick: readonly string[] = [],
): Promise<void> {
  await page.goto(authorizeUrl.href)
  if (new URL(page.url()).pathname === '/sign-in') await signIn(page, account)
  const consent = consentPage(page)
  await consent.shown()
  for (const name of untick) await consent.untick(name)
  await consent.allow()
  await page.waitForURL((url) => url.origin !== account.issuer)
}

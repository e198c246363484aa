import type { Page } from 'playwright-core'
import { signIn } from './sign-in.ts'

/** What the person changes on the page before allowing. */
export interface Choice {
  readonly untick?: readonly string[]
  /** The end of the connection, as the page words it. */
  readonly lasts?: string
  /** What it may spend a day in EUR, one of the amounts that the page offers. */
  readonly limitADay?: string
  /** Whether it may read alone. */
  readonly readingOnly?: boolean
}

/** The consent page that `page` shows, for the person at the browser. */
export function consentPage(page: Page) {
  const scope = (name: string) => page.locator(`input[type=checkbox][name=scope][value="${name}"]`)
  return {
    /** Waits until the page is there. */
    shown: () => page.getByRole('button', { name: 'Allow access' }).waitFor(),
    untick: (name: string) => scope(name).uncheck(),
    async lasts(words: string) {
      await page.locator('details.bounds > summary').click()
      await page.getByLabel('For how long').selectOption({ label: words })
    },
    async limitADay(amount: string) {
      await page.locator('details.bounds > summary').click()
      await page.locator(`input[name=limit][value="${amount}"]`).check()
    },
    allow: () => page.getByRole('button', { name: 'Allow access' }).click(),
    allowReadingOnly: () => page.getByRole('button', { name: 'Allow reading only' }).click(),
    deny: () => page.getByRole('button', { name: 'Deny' }).click(),
  }
}

/**
 * Opens a client's authorize URL as a person who signs in where asked, makes the choice and allows the rest. Ends on the
 * client's own page.
 */
export async function authorize(
  page: Page,
  authorizeUrl: URL,
  account: { email: string; password: string; issuer: string },
  { untick = [], lasts, limitADay, readingOnly = false }: Choice = {},
): Promise<void> {
  await page.goto(authorizeUrl.href)
  if (new URL(page.url()).pathname === '/sign-in') await signIn(page, account)
  const consent = consentPage(page)
  await consent.shown()
  for (const name of untick) await consent.untick(name)
  if (lasts !== undefined) await consent.lasts(lasts)
  if (limitADay !== undefined) await consent.limitADay(limitADay)
  await (readingOnly ? consent.allowReadingOnly() : consent.allow())
  await page.waitForURL((url) => url.origin !== account.issuer)
}

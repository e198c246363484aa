import type { Page } from 'playwright-core'
import { signIn } from './sign-in.ts'

type Owner = { email: string; password: string; issuer: string }

/** Opens a page of the dashboard, signing in where the browser has not done so yet. */
export async function openAs(page: Page, owner: Owner, path: string): Promise<void> {
  await page.goto(owner.issuer + path)
  if (new URL(page.url()).pathname !== '/sign-in') return
  await signIn(page, owner)
  await page.waitForURL((url) => url.pathname !== '/sign-in')
  await page.goto(owner.issuer + path)
}

/** What an owner does on the page of a connection, by its path. */
export function spenderPage(page: Page, owner: Owner, path: string) {
  const open = () => openAs(page, owner, path)
  const told = () => page.getByRole('status').first().waitFor()
  return {
    open,
    async setLimit(label: string, value: string) {
      await open()
      // The form is folded behind what it changes.
      await page.locator('#set > summary').click()
      await page.getByLabel(label, { exact: true }).fill(value)
      await page.getByRole('button', { name: 'Set limits' }).click()
      await told()
    },
    async press(name: 'Pause' | 'Resume') {
      await open()
      await page.getByRole('button', { name, exact: true }).click()
      await told()
    },
  }
}

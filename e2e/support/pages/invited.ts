import { randomBytes } from 'node:crypto'
import { invite } from '../operator.ts'
import { rememberSecret } from '../secrets.ts'
import type { StackFacts } from '../stack.ts'
import type { Browser } from './browser.ts'

/**
 * Invites somebody to a running product, who sets a password: the same product with an account of their own, for what
 * touches a whole account, which other test files use at the same time.
 */
export async function inviteOwner(browser: Browser, stack: StackFacts): Promise<StackFacts> {
  const email = `owner-${randomBytes(4).toString('hex')}@vertexsms.test`
  const password = randomBytes(16).toString('base64url')
  rememberSecret('e-mail', email)
  rememberSecret('password', password)
  const page = await browser.newVisitor()
  const link = await invite(stack.dataDir, email)
  rememberSecret('invitation', link.split('/').at(-1))
  await page.goto(link)
  await page.getByLabel('New password').fill(password)
  await page.getByRole('button', { name: 'Save and sign in' }).click()
  await page.waitForURL((url) => url.pathname === '/')
  await page.context().close()
  return { ...stack, email, password }
}

import { randomBytes } from 'node:crypto'
import { invite } from '../operator.ts'
import { rememberSecret } from '../secrets.ts'
import type { StackFacts } from '../stack.ts'
import type { Browser } from './browser.ts'

/**
 * Invites somebody to a running product, who sets a password: the same product with an account of their own, for what
 * touches a whole account, which other test files use at the same time. It has no token yet.
 */
export async function inviteOwner(browser: Browser, stack: StackFacts): Promise<Omit<StackFacts, 'token'>> {
  const email = `owner-${randomBytes(4).toString('hex')}@vertexsms.test`
  const password = randomBytes(16).toString('base64url')
  rememberSecret('email', email)
  rememberSecret('password', password)
  const page = await browser.newVisitor()
  const link = await invite(stack.dataDir, email)
  await page.goto(link.href)
  await page.getByLabel('New password').fill(password)
  await page.getByRole('button', { name: 'Save and sign in' }).click()
  await page.waitForURL((url) => url.pathname === '/')
  await page.context().close()
  const { token: _, ...product } = stack
  return { ...product, email, password }
}

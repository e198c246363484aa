import type { Page } from 'playwright-core'
import { rememberSecret } from '../secrets.ts'
import { signIn } from './sign-in.ts'

/** The facts of a token that a person makes by hand. */
export interface NewToken {
  readonly name: string
  readonly permissions: readonly string[]
  readonly ipAllowList?: readonly string[]
}

/** Opens Settings -> API, signing in where the browser has not done so yet. */
export async function openApiSettings(page: Page, account: { email: string; password: string; issuer: string }) {
  await page.goto(`${account.issuer}/settings/api`)
  if (new URL(page.url()).pathname === '/sign-in') {
    await signIn(page, account)
    await page.waitForURL('**/settings/api')
  }
  /** The rows of one connected app, unfolded, or those of tokens made by hand. */
  const rows = async (text: string, app?: string) => {
    if (app === undefined) return page.getByRole('row').filter({ hasText: text })
    const card = page.getByRole('article').filter({ hasText: app })
    for (const folded of await card.locator('details').all()) {
      if ((await folded.getAttribute('open')) === null) await folded.locator('> summary').click()
    }
    return card.getByRole('listitem').filter({ hasText: text })
  }
  return {
    /** The text of every row that mentions `text`; of one connected app alone, where its name is given. */
    rows: async (text: string, app?: string) => (await rows(text, app)).allInnerTexts(),
    /** Deletes the token of the first such row, through the page that asks again. */
    deleteToken: async (text: string, app?: string) => {
      await (await rows(text, app)).first().getByRole('button', { name: 'Delete' }).click()
      await page.getByRole('button', { name: 'Confirm delete' }).click()
      await page.getByRole('status').waitFor()
    },
    /** Makes a token and resolves with its value, which the page shows this once. */
    createToken: async (token: NewToken) => {
      await page.getByRole('link', { name: 'New token' }).click()
      await page.getByLabel('Name', { exact: true }).fill(token.name)
      for (const scope of await page.locator('input[name=scope]').all()) await scope.uncheck()
      await page.getByText('Single routes').click()
      for (const box of await page.locator('input[name=permissions]').all()) {
        await box.setChecked(token.permissions.includes((await box.getAttribute('value')) ?? ''))
      }
      await page.locator('[name=ip_allow_list]').fill((token.ipAllowList ?? []).join('\n'))
      await page.getByRole('button', { name: 'Create token' }).click()
      return shownValue()
    },
    /** Gives the token of the first such row another value, and resolves with it. */
    replaceToken: async (text: string) => {
      await (await rows(text)).first().getByRole('link', { name: text }).click()
      await page.getByRole('button', { name: 'Replace value' }).click()
      return shownValue()
    },
  }

  async function shownValue(): Promise<string> {
    const value = await page.getByRole('textbox', { name: 'Token', exact: true }).inputValue()
    rememberSecret('token', value)
    return value
  }
}

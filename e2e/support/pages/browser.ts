import { type BrowserContext, type Browser as Chromium, chromium, type Page } from 'playwright-core'
import { findChromium } from '../chromium.ts'
import { rememberSecret } from '../secrets.ts'

const PAGE_MS = 30_000

/** The machine's Chromium, for the tests of one file. */
export interface Browser {
  /** A new window of somebody who has never been here: no cookie, no history; where asked, a browser that runs no script. */
  newVisitor(how?: { readonly javaScriptEnabled?: boolean }): Promise<Page>
  /** What failed behind the pages so far: answers of 500 and above, and scripts and styles that did not come. */
  readonly faults: readonly string[]
  close(): Promise<void>
}

/** One for all files of a worker. What a visitor leaves behind ends with the visitor. */
let started: Promise<Chromium> | undefined

/** Visitors for the tests of one file; throws where the machine has none (such tests are skipped before they come here). */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === null) throw new Error('There is no Chromium on this machine.')
  started ??= chromium.launch({ executablePath })
  const browser = await started
  const visits: BrowserContext[] = []
  const faults: string[] = []
  return {
    faults,
    newVisitor: async ({ javaScriptEnabled = true } = {}) => {
      const context = await browser.newContext({ javaScriptEnabled })
      visits.push(context)
      context.on('close', () => visits.splice(visits.indexOf(context), 1))
      context.setDefaultTimeout(PAGE_MS)
      context.setDefaultNavigationTimeout(PAGE_MS)
      context.on('response', (response) => {
        const { pathname } = new URL(response.url())
        const isPart = response.request().resourceType() !== 'document'
        if (response.status() >= 500 || (isPart && response.status() >= 400)) {
          faults.push(`${response.status()} for ${pathname}`)
        }
      })
      context.on('weberror', (error) => faults.push(`script error: ${error.error().message}`))
      return context.newPage()
    },
    close: async () => {
      await Promise.all(visits.map(noteCookies))
      await Promise.all([...visits].map((context) => context.close()))
      // A worker of the tests ends its processes when it ends; any other program would wait for this one.
      if (process.env.VITEST === undefined) await browser.close()
    },
  }
}

/** Every cookie value is a credential for the canary test. */
async function noteCookies(context: BrowserContext): Promise<void> {
  for (const cookie of await context.cookies()) rememberSecret('cookie', cookie.value)
}

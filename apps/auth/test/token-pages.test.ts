import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM } from './support/chromium.ts'
import { newSignedIn } from './support/people.ts'
import type { Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

const CONNECTIONS = 1200
const TOKENS_EACH = 3
const MANUAL = 45
const PAGE_ROWS = 20

let stack: Stack
let full: Person
let empty: Person
beforeAll(async () => {
  stack = await startStack()
  const crowded = await newSignedIn(stack)
  full = crowded.person
  empty = (await newSignedIn(stack)).person
  await crowd(crowded.account.id)
})
afterAll(() => stack?.close())

async function crowd(accountId: string): Promise<void> {
  const now = Date.now()
  const connections = Array.from({ length: CONNECTIONS }, (_, index) => ({
    id: randomUUID(),
    accountId,
    grantId: randomUUID(),
    clientId: 'client',
    clientName: `App ${index + 1}`,
    redirectHost: 'localhost',
    scopes: ['sms:rates'],
    createdAt: new Date(now),
    approvedAt: new Date(now - index * 1000),
    expiresAt: new Date(now + 86_400_000),
  }))
  const token = (name: string, connectionId: string | null, index: number) => ({
    id: randomUUID(),
    accountId,
    connectionId,
    kind: connectionId ? ('oauth_access' as const) : ('manual' as const),
    name,
    tokenHash: new Uint8Array(randomBytes(32)),
    permissions: ['GET /rates'],
    ipAllowList: [],
    createdAt: new Date(now - index * 1000),
    expiresAt: connectionId ? new Date(now + 600_000) : null,
  })
  const issued = connections.flatMap(({ id }, index) =>
    Array.from({ length: TOKENS_EACH }, () => token(`oauth:access:${id}`, id, index)),
  )
  const manual = Array.from({ length: MANUAL }, (_, index) => token(`Script ${index + 1}`, null, index))
  await stack.db.connection.createMany({ data: connections })
  await stack.db.apiToken.createMany({ data: [...issued, ...manual] })
}

const named = (html: string, pattern: RegExp) => [...html.matchAll(pattern)].map(([, name]) => name)
const apps = (html: string) => named(html, /<h3>(App \d+)<\/h3>/g)
const scripts = (html: string) => named(html, />(Script \d+)</g)

describe('Settings -> API with thousands of tokens', () => {
  it('shows one page of each list, and every row on exactly one page', async () => {
    const first = (await full.get('/settings/api')).html
    expect(apps(first)).toEqual(Array.from({ length: PAGE_ROWS }, (_, index) => `App ${index + 1}`))
    expect(scripts(first)).toHaveLength(PAGE_ROWS)
    const seen = [scripts(first), scripts((await full.get('/settings/api?tokens=2')).html)]
    seen.push(scripts((await full.get('/settings/api?tokens=3')).html))
    expect(new Set(seen.flat()).size).toBe(MANUAL)
    expect(apps((await full.get('/settings/api?apps=60')).html).at(-1)).toBe(`App ${CONNECTIONS}`)
    expect(first.length).toBeLessThan(200_000)
  })

  it.each(['0', '-1', '999999', '1e3', 'x', '', '2&apps=3'])('shows a page that exists for apps=%s', async (page) => {
    const view = await full.get(`/settings/api?apps=${page}`)
    expect(view.status).toBe(200)
    expect(apps(view.html)).toHaveLength(PAGE_ROWS)
  })

  it('has no pages where everything fits on one', async () => {
    expect((await empty.get('/settings/api')).html).not.toContain('class="pager"')
  })

  it.skipIf(!CHROMIUM)('fits every width, full and empty', { timeout: 120_000 }, async () => {
    const browser = await chromium.launch({ executablePath: CHROMIUM ?? '' })
    const folder = process.env.SCREENSHOTS
    if (folder) mkdirSync(folder, { recursive: true })
    for (const [name, person] of Object.entries({ full, empty })) {
      for (const width of [360, 768, 1440]) {
        const context = await browser.newContext({ viewport: { width, height: 900 }, baseURL: stack.issuer })
        const cookies = person.cookies.map((cookie) => ({ name: cookie.name, value: cookie.value, url: stack.issuer }))
        await context.addCookies(cookies)
        const page = await context.newPage()
        await page.goto('/settings/api')
        const wider = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
        expect([name, width, wider]).toEqual([name, width, 0])
        if (folder) {
          const pager = page.locator('.pager').first()
          if (name === 'full') await pager.scrollIntoViewIfNeeded()
          await page.screenshot({ path: `${folder}/${name}-${width}.png` })
        }
        await context.close()
      }
    }
    await browser.close()
  })
})

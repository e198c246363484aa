// A full Settings -> API in a browser: filled once, which is what takes long, and looked at from all sides.
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { accessTokenName, refreshTokenName } from '@vertexsms/contract/api-token'
import { sampleOf } from '@vertexsms/service/sample'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { violationsIn } from './support/axe.ts'
import { CHROMIUM } from './support/chromium.ts'
import { addCount, addSpender } from './support/owners-data.ts'
import { fillSignIn, makeAccount } from './support/people.ts'
import type { Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

// With SCREENSHOTS (a folder) each is kept as a picture.
const FOLDER = process.env.SCREENSHOTS
const TOKENS = 30
const CONNECTIONS = 10
const NAMES = [
  'Cron',
  'Nightly report of the warehouse in Kaunas, second line',
  'a-name-without-any-space-that-is-exactly-sixty-characters-lo',
]
const CLIENTS = [
  'Claude',
  'Official VertexSMS Support Assistant by VertexSMS GmbH verified and trusted partner '.repeat(3),
]
const HOSTS = ['claude.ai', 'localhost', 'cursor:', 'a-very-long-host-name.of-some-customer.integration.example.com']

/** Somebody with thirty tokens and ten connections, of all shapes. */
async function fill(stack: Stack, accountId: string): Promise<void> {
  const now = Date.now()
  const at = (days: number) => new Date(now + days * 86_400_000)
  const row = (facts: object) => ({
    id: randomUUID(),
    accountId,
    tokenHash: new Uint8Array(randomBytes(32)),
    createdAt: at(-40),
    ...facts,
  })
  const connections = Array.from({ length: CONNECTIONS }, (_, index) => ({
    id: randomUUID(),
    accountId,
    grantId: randomUUID(),
    clientId: 'client',
    clientName: CLIENTS[index % CLIENTS.length] ?? '',
    redirectHost: HOSTS[index % HOSTS.length] ?? '',
    scopes: ['sms:send', 'sms:rates', 'sender:write', 'hlr:lookup', 'numbers:read'].slice(index % 5),
    createdAt: at(-3),
    approvedAt: at(-index),
    expiresAt: at(30),
  }))
  await stack.db.connection.createMany({ data: connections })
  await stack.db.spender.createMany({
    data: connections.map(({ id }, index) => ({
      id,
      accountId,
      kind: 'connection' as const,
      createdAt: at(-3),
      maxPerDayMicros: index % 3 === 2 ? null : 5_000_000n,
      pausedAt: index === 1 ? at(-1) : null,
    })),
  })
  await stack.db.spenderCount.createMany({
    data: connections.map(({ id }, index) => ({
      spenderId: id,
      upstream: 'sandbox',
      day: at(0),
      dayEndsAt: at(1),
      daySpentMicros: BigInt(index) * 777_000n,
      totalSpentMicros: BigInt(index) * 9_999_999_000n,
    })),
  })
  await stack.db.apiToken.createMany({
    data: [
      ...connections.flatMap(({ id }) =>
        [accessTokenName(id), refreshTokenName(id)].map((name, index) =>
          row({
            name,
            connectionId: id,
            kind: index === 0 ? ('oauth_access' as const) : ('oauth_refresh' as const),
            permissions: ['GET /rates'],
            expiresAt: at(1),
          }),
        ),
      ),
      ...Array.from({ length: TOKENS }, (_, index) =>
        row({
          name: NAMES[index % NAMES.length] ?? '',
          kind: 'manual' as const,
          lastFour: index === 7 ? null : `x${index % 10}Q${index % 7}`,
          permissions: ['GET /rates', 'POST /sms', 'POST /hlr', 'GET /hlr'].slice(index % 4),
          ipAllowList: index % 5 === 0 ? ['203.0.113.7', '2001:db8:aaaa:bbbb::/64'] : [],
          createdAt: at(-index),
          lastUsedAt: index % 2 === 0 ? at(-index) : null,
          expiresAt: index % 3 === 0 ? null : at(index),
        }),
      ),
    ] as never,
  })
}

describe.skipIf(!CHROMIUM)('Settings -> API with thirty tokens and ten connections', { timeout: 300_000 }, () => {
  let stack: Stack
  let browser: Browser
  let accountId: string
  let person: Person
  beforeAll(async () => {
    stack = await startStack()
    const account = await makeAccount(stack)
    accountId = account.id
    await fill(stack, accountId)
    person = await stack.person()
    await fillSignIn(person, account)
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '' })
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.close()
  })

  /** A window of that person. */
  async function open(options: { javaScriptEnabled?: boolean; locale?: string } = {}) {
    const context: BrowserContext = await browser.newContext({ baseURL: stack.issuer, ...options })
    await context.addCookies(
      person.cookies.filter(({ path }) => path === '/').map(({ name, value }) => ({ name, value, url: stack.issuer })),
    )
    return { context, page: await context.newPage() }
  }
  const widthOver = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  const heightOf = (page: Page, what: string) =>
    page.locator(what).evaluate((element) => element.getBoundingClientRect().height)

  // Of a month with a long name more dates take two lines on a phone: there is room for every one.
  it.each([
    ['en', 1440, 2200, 74],
    ['en', 768, 3000, 100],
    ['en', 360, 5000, 166],
    ['lt', 768, 3000, 100],
    ['lt', 360, 5200, 172],
  ])(
    'fits in %s at %i px: tokens in at most %i px, a row in %i px on average, nothing cut or wider than the page',
    async (locale, width, most, row) => {
      const { context, page } = await open({ locale })
      await page.setViewportSize({ width, height: 900 })
      await page.goto('/settings/api')
      if (FOLDER) {
        mkdirSync(FOLDER, { recursive: true })
        await page.screenshot({ path: join(FOLDER, `thirty-tokens-${locale}-${width}.png`), fullPage: true })
      }
      expect(await widthOver(page)).toBeLessThanOrEqual(0)
      const table = await heightOf(page, 'table.tokens')
      expect(table).toBeLessThan(most)
      expect(table / TOKENS).toBeLessThan(row)
      // Every cell is as wide as what stands in it.
      const cut = await page
        .locator('table.tokens tbody :is(th, td)')
        .evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth + 1).length)
      expect(cut).toBe(0)
      // No button lies on words.
      const covered = await page.locator('table.tokens tbody tr').evaluateAll((rows) =>
        rows.flatMap((row) => {
          const button = row.querySelector('button')?.getBoundingClientRect()
          const words = document.createRange()
          return [...row.querySelectorAll('th, td:not(.row-action)')].flatMap((cell) => {
            words.selectNodeContents(cell)
            const lies = [...words.getClientRects()].some(
              ({ left, right, top, bottom }) =>
                button && left < button.right && right > button.left && top < button.bottom && bottom > button.top,
            )
            return lies ? [cell.textContent] : []
          })
        }),
      )
      expect(covered).toEqual([])
      if (width === 768) {
        const cells = await page
          .locator('table.tokens tbody tr')
          .first()
          .locator('th, td')
          .evaluateAll((found) =>
            found
              .map((cell) => cell.getBoundingClientRect())
              .flatMap(({ width, top }) => (width > 0 ? [Math.round(top)] : [])),
          )
        expect(new Set(cells).size).toBe(1)
        // No name is broken into a column of letters.
        const names = await page
          .locator('table.tokens tbody th')
          .evaluateAll((found) => found.map((cell) => cell.getBoundingClientRect().width))
        expect(Math.min(...names)).toBeGreaterThan(150)
      }
      await context.close()
    },
  )

  it('has every name of a button once, and no heading that is made of an id', async () => {
    const { context, page } = await open()
    await page.goto('/settings/api')
    await page.locator('.app-row, .app-tokens').evaluateAll((rows) => {
      for (const row of rows) (row as HTMLDetailsElement).open = true
    })
    const texts = await page.locator('main').locator('button, a.button, summary').allTextContents()
    const names = texts.map((text) => text.replace(/\s+/g, ' ').trim())
    expect(names.length).toBeGreaterThan(TOKENS + 6 * CONNECTIONS)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
    for (const heading of await page.getByRole('heading').allTextContents()) expect(heading).not.toMatch(/[\da-f]{8}-/)
    await context.close()
  })

  // The first and the last of them, unless there is time for all.
  it.each(
    sampleOf(
      [
        ['en', 'light'],
        ['en', 'dark'],
        ['lt', 'light'],
        ['lt', 'dark'],
      ] as const,
      2,
      process.env,
    ),
  )('passes axe in %s, %s, with all of it (WCAG 2.2)', async (locale, colorScheme) => {
    const { context, page } = await open({ locale })
    await page.emulateMedia({ colorScheme })
    await page.goto('/settings/api')
    expect(await page.locator('html').getAttribute('lang')).toBe(locale)
    expect(await violationsIn(page)).toEqual([])
    await context.close()
  })

  it('lets a token be made, found and deleted by keyboard alone, without a script', async () => {
    const { context, page } = await open({ javaScriptEnabled: false })
    const focused = () => page.locator(':focus')
    const words = () =>
      page.evaluate(() => {
        const at = document.activeElement as HTMLInputElement | null
        const texts = [at, ...(at?.labels ?? [])].map((element) => element?.textContent)
        return [at?.ariaLabel, ...texts].join(' ').replace(/\s+/g, ' ')
      })
    /** Tabs until what has the focus is called so. */
    const tabTo = async (name: RegExp) => {
      const said = name.source.replace(/[$^]/g, '')
      for (let presses = 0; presses < 200; presses += 1) {
        await page.keyboard.press('Tab')
        // Its role and name are asked for where the words fit: asking takes a look at the whole page.
        if (!(await words()).includes(said)) continue
        const found = focused().and(
          page
            .getByRole('button', { name })
            .or(page.getByRole('link', { name }))
            .or(page.getByRole('textbox', { name }))
            .or(page.getByRole('searchbox', { name }))
            .or(page.getByRole('checkbox', { name })),
        )
        if ((await found.count()) > 0) return
      }
      throw new Error(`nothing called ${name} can be reached`)
    }
    await page.goto('/settings/api')
    await tabTo(/^New token$/)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/settings/api/new')
    await tabTo(/^Name$/)
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    expect(await focused().getAttribute('id')).toBe('name')
    await page.keyboard.type('By keyboard')
    await tabTo(/^Send SMS/)
    await page.keyboard.press('Space')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Token created' }).waitFor()
    const value = await focused().inputValue()
    expect(value).toMatch(/^vsms_/)
    const token = await stack.db.apiToken.findFirstOrThrow({ where: { accountId, name: 'By keyboard' } })
    expect(token.permissions).toEqual(['GET /rates'])
    await tabTo(/^I have copied it$/)
    await page.keyboard.press('Enter')
    await page.getByRole('searchbox', { name: /^Name or its four/ }).waitFor()
    await tabTo(/^Name or its four/)
    await page.keyboard.type(`keyboard`)
    await page.keyboard.press('Enter')
    await page.waitForURL('**find=keyboard**')
    expect(await page.getByRole('row').count()).toBe(2)
    await tabTo(/^Delete By keyboard/)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Confirm delete', exact: true }).waitFor()
    await tabTo(/^Confirm delete$/)
    await page.keyboard.press('Enter')
    await page.getByRole('status').waitFor()
    expect(await focused().textContent()).toBe(
      `By keyboard (…${token.lastFour}…) was deleted. Its very next call fails.`,
    )
    await context.close()
  })

  it('copies the value of a new token where a script may, and says so', async () => {
    const { context, page } = await open()
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.goto('/settings/api/new')
    await page.getByLabel('Name').fill('To copy')
    await page.getByRole('button', { name: 'Create token' }).click()
    const value = await page.getByRole('textbox', { name: 'Token', exact: true }).inputValue()
    await page.getByRole('button', { name: 'Copy token' }).click()
    await page.getByText('Copied.').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(value)
    await page.getByRole('button', { name: 'Copy Try it' }).click()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(`Bearer ${value}`)
    await page.goto('/connect')
    await page.getByRole('heading', { name: 'Claude Code' }).click()
    await page.getByRole('button', { name: 'Copy Claude Code: Terminal', exact: true }).click()
    await page.getByText('Copied.').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^claude mcp add /)
    await context.close()
  })

  it('keeps every sum of the overview in its frame, however much it is, and two in a line where they fit', async () => {
    await addSpender(stack, { accountId, spenderId: accountId })
    await addCount(stack, { spenderId: accountId })
    const { context, page } = await open()
    for (const [micros, lines] of [
      [1_234_500n, 3],
      [1_234_567_890_000n, 4],
    ] as const) {
      await stack.db.spenderCount.updateMany({ where: { spenderId: accountId }, data: { dayHeldMicros: micros } })
      for (const width of [320, 360, 768, 1440]) {
        await page.setViewportSize({ width, height: 900 })
        await page.goto('/')
        expect([width, await widthOver(page)]).toEqual([width, 0])
        const tiles = await page.locator('.tiles > div').evaluateAll((all) =>
          all.map((tile) => {
            const { top, right } = tile.getBoundingClientRect()
            return { top, isWithin: (tile.querySelector('strong')?.getBoundingClientRect().right ?? 0) <= right }
          }),
        )
        expect([width, tiles.filter(({ isWithin }) => !isWithin)]).toEqual([width, []])
        if (width === 360) expect(new Set(tiles.map(({ top }) => top)).size).toBe(lines)
        if (width === 1440) expect(new Set(tiles.map(({ top }) => top)).size).toBe(1)
      }
    }
    await context.close()
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CONNECTIONS, crowd, MANUAL } from './support/crowd.ts'
import { newSignedIn } from './support/people.ts'
import type { Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

const PAGE_ROWS = 20
const TOKEN_ROWS = 50

let stack: Stack
let full: Person
let empty: Person
beforeAll(async () => {
  stack = await startStack()
  const crowded = await newSignedIn(stack)
  full = crowded.person
  empty = (await newSignedIn(stack)).person
  await crowd(stack, crowded.account.id)
})
afterAll(() => stack?.close())

const named = (html: string, pattern: RegExp) => [...html.matchAll(pattern)].map(([, name]) => name)
const apps = (html: string) => named(html, /“(App \d+)”, an app on this computer<\/strong>/g)
const scripts = (html: string) => named(html, /edit">(Script \d+)</g)

describe('Settings -> API with thousands of tokens', () => {
  it('shows one page of each list, and every row on exactly one page', async () => {
    const first = (await full.get('/settings/api')).html
    expect(apps(first)).toEqual(Array.from({ length: PAGE_ROWS }, (_, index) => `App ${index + 1}`))
    expect(scripts(first)).toHaveLength(TOKEN_ROWS)
    const seen = [scripts(first), scripts((await full.get('/settings/api?tokens=2')).html)]
    expect(seen.flat()).toHaveLength(MANUAL)
    expect(new Set(seen.flat()).size).toBe(MANUAL)
    expect(apps((await full.get('/settings/api?apps=60')).html).at(-1)).toBe(`App ${CONNECTIONS}`)
    expect(first.length).toBeLessThan(200_000)
  })

  it.each(['0', '-1', '999999', '1e3', 'x', '', '2&apps=3'])('shows a page that exists for apps=%s', async (page) => {
    const view = await full.get(`/settings/api?apps=${page}`)
    expect(view.status).toBe(200)
    expect(apps(view.html)).toHaveLength(PAGE_ROWS)
  })

  it('leads to the pages around one in words that are true of every order', async () => {
    for (const order of ['order=created&sort=connected', 'order=name&sort=spent']) {
      const { html } = await full.get(`/settings/api?apps=2&tokens=2&${order}`)
      const words = named(html, /rel="(?:prev|next)">([^<]+)</g)
      expect([order, words]).toEqual([order, ['Previous', 'Next', 'Previous']])
    }
  })

  it('has no pages where everything fits on one', async () => {
    expect((await empty.get('/settings/api')).html).not.toContain('class="pager"')
  })

  it('keeps what is looked for, and in which order, from page to page', async () => {
    const { html } = await full.get('/settings/api?find=script&order=name')
    expect(html).toContain('href="/settings/api?find=script&amp;order=name&amp;tokens=2#tokens"')
    const both = (await full.get('/settings/api?find=script&q=app')).html
    expect(both).toContain('href="/settings/api?q=app&amp;find=script&amp;apps=2#apps"')
    expect(both).toContain('href="/settings/api?q=app&amp;find=script&amp;tokens=2#tokens"')
    const last = (await full.get(`/settings/api?q=app+${CONNECTIONS}`)).html
    expect(apps(last)).toEqual([`App ${CONNECTIONS}`])
  })
})

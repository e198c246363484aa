// The words and addresses that programs and guides find our English pages by: none changes without a release that says so.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askApproval } from './support/approvals.ts'
import { connect, register, start } from './support/client.ts'
import { addSpender, addToken } from './support/owners-data.ts'
import { newSignedIn } from './support/people.ts'
import type { Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
let person: Person
let page: { connection: string; approval: string; token: string; consent: URL }
beforeAll(async () => {
  stack = await startStack()
  const signedIn = await newSignedIn(stack)
  person = signedIn.person
  const accountId = signedIn.account.id
  const client = await register(stack)
  await connect(client, person)
  const { id: spenderId } = await stack.db.connection.findFirstOrThrow({ where: { accountId } })
  const tokenId = await addToken(stack, accountId)
  await addSpender(stack, { accountId, spenderId: accountId })
  page = {
    connection: `/connections/${spenderId}`,
    approval: `/approvals/${await askApproval(stack, { accountId, spenderId })}`,
    token: `/settings/api/tokens/${tokenId}`,
    consent: (await start(client)).url,
  }
})
afterAll(() => stack?.close())

/** What a person reads in each element of a kind; what is said only to those who hear a list read out is left out. */
function readIn(html: string, element: 'button' | 'label' | 'a' | 'code'): string[] {
  const found = html.matchAll(new RegExp(`<${element}(?: [^>]*)?>(.*?)</${element}>`, 'gs'))
  return [...found].map(([, inner = '']) =>
    inner
      .replace(/<span class="hidden">.*?<\/span>/gs, '')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  )
}

const open = async (address: string | URL, by: Person = person) => {
  const { html, status } = await by.open(address)
  expect(status, String(address)).toBe(200)
  return html
}
const buttonsOf = async (address: string | URL, by?: Person) => readIn(await open(address, by), 'button')

describe('a page in English', () => {
  it('labels what signs in Email and Password, and the button Sign in', async () => {
    const html = await open('/sign-in', await stack.person())
    expect(readIn(html, 'label')).toEqual(['Email', 'Password'])
    expect(readIn(html, 'button')).toContain('Sign in')
  })

  it.each(['/', '/settings/api', '/sandbox/phone', '/approvals'])('%s has the button Sign out', async (address) => {
    expect(await buttonsOf(address)).toContain('Sign out')
  })

  it('asks with Allow access, Allow reading only and Deny, and names each scope as it is published', async () => {
    const html = await open(page.consent)
    const buttons = readIn(html, 'button')
    for (const word of ['Allow access', 'Allow reading only', 'Deny', 'Sign out']) expect(buttons).toContain(word)
    const [asked = ''] = /<fieldset class="grants">.*?<\/fieldset>/s.exec(html) ?? []
    const published = {
      'sms:send': 'Send SMS on your behalf.',
      'sms:rates': 'Read SMS rates.',
      'sender:write': 'Register and confirm Sender IDs on your account.',
      'hlr:lookup': 'Run HLR lookups (billable per query).',
      'numbers:read': 'Read mobile network metadata and validate phone numbers.',
    }
    expect(readIn(asked, 'code')).toEqual(Object.keys(published))
    const labels = readIn(asked, 'label')
    for (const [at, sentence] of Object.values(published).entries()) expect(labels[at]?.startsWith(sentence)).toBe(true)
  })

  it('makes a token with Create token and ends it with Delete and Confirm delete', async () => {
    expect(await buttonsOf('/settings/api/new')).toContain('Create token')
    expect(await buttonsOf('/settings/api')).toContain('Delete')
    expect(await buttonsOf(`${page.token}/edit`)).toContain('Delete')
    expect(await buttonsOf(`${page.token}/delete`)).toContain('Confirm delete')
  })

  it('shows the tokens of an app on /settings/api by the names that are published', async () => {
    const names = readIn(await open('/settings/api'), 'code').filter((name) => name.startsWith('oauth:'))
    const { id } = await stack.db.connection.findFirstOrThrow()
    expect(names.sort()).toEqual([`oauth:access:${id}`, `oauth:refresh:${id}`])
  })

  it('stops an app with Pause and lets it go on with Resume, on its own page and among all', async () => {
    const csrf = /name="csrf" value="([^"]*)"/.exec(await open(page.connection))?.[1] ?? ''
    for (const [word, action] of [
      ['Pause', 'pause'],
      ['Resume', 'resume'],
    ] as const) {
      expect(await buttonsOf(page.connection)).toContain(word)
      expect(await buttonsOf('/settings/api')).toContain(word)
      await person.post(`${page.connection}/${action}`, [['csrf', csrf]])
    }
    expect(await buttonsOf(page.connection)).toContain('Pause')
  })

  it('stops all with Pause everything', async () => {
    expect(await buttonsOf('/')).toContain('Pause everything')
    expect(await buttonsOf('/settings/limits')).toContain('Pause everything')
  })

  it('ends an app with Disconnect', async () => {
    expect(readIn(await open(page.connection), 'a')).toContain('Disconnect')
    expect(readIn(await open('/settings/api'), 'a')).toContain('Disconnect')
    expect(await buttonsOf(`${page.connection}/disconnect`)).toContain('Disconnect')
  })

  it('answers what waits for its owner with Approve and Refuse, alone and among all', async () => {
    for (const address of [page.approval, '/approvals'])
      expect((await buttonsOf(address)).filter((word) => /^(Approve|Refuse)$/.test(word)).sort()).toEqual([
        'Approve',
        'Refuse',
      ])
  })
})

describe('an address that others rely on', () => {
  it.each(['/connect', '/healthz', '/readyz'])('%s answers everybody', async (address) => {
    expect((await (await stack.person()).get(address)).status).toBe(200)
  })

  it.each(['/settings/api', '/sandbox/phone'])('%s is a page of whoever signed in', async (address) => {
    expect((await person.get(address)).status).toBe(200)
    expect((await (await stack.person()).open(address)).url.pathname).toBe('/sign-in')
  })
})

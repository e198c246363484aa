// A link that sets a password, and everything that somebody who was in before may still hold.
import { randomUUID } from 'node:crypto'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { usePasswordLink } from '../../src/accounts/password-link.ts'
import { askApproval } from '../support/approvals.ts'
import { Authenticator } from '../support/authenticator.ts'
import { answer, connect, refresh, register, start, type TestClient } from '../support/client.ts'
import { Gate } from '../support/gate.ts'
import { addSpender } from '../support/owners-data.ts'
import { fillSignIn, makeAccount, PASSWORD } from '../support/people.ts'
import { hiddenField, type Person, refreshTarget } from '../support/person.ts'
import { linkOf, NO_WAYS_IN, runOperator, secretOf, waysIn } from '../support/resets.ts'
import { type Stack, startStack } from '../support/stack.ts'

// Whoever holds the password until now must be out when a reset or a lock is through, whatever was under way.

const NEW_PASSWORD = 'an entirely new password'
const gate = new Gate()

let test: TestDatabase
let stack: Stack
let client: TestClient
beforeAll(async () => {
  test = await testDatabase()
  stack = await startStack({ test, db: (db) => gate.guard(db) })
  client = await register(stack)
})
afterAll(async () => {
  await stack?.close()
  await test?.close()
})

type Account = { readonly id: string; readonly email: string }

/** Everything that ends what the old password opened. */
const ENDINGS: readonly (readonly [string, (account: Account) => Promise<unknown>])[] = [
  ['a reset by the operator', ({ email }) => runOperator(stack, 'reset', email)],
  ['a lock by the operator', ({ email }) => runOperator(stack, 'disable', email)],
  [
    'a new password by link',
    async (account) =>
      usePasswordLink(stack.db, { secret: secretOf(await linkOf(stack, account)), password: NEW_PASSWORD }),
  ],
]

/** Lets `act` go as far as its transaction, runs the ending, and lets it go on. */
async function meanwhile<Result>(act: () => Promise<Result>, ending: () => Promise<unknown>): Promise<Result> {
  const { arrived, open } = gate.close()
  const acting = act()
  await arrived
  await ending()
  open()
  return acting
}

async function passkeyOf(person: Person, account: Account): Promise<Authenticator> {
  const authenticator = new Authenticator(stack.issuer)
  expect((await plant(person, authenticator)).status).toBe(303)
  expect(await stack.db.passkey.count({ where: { accountId: account.id } })).toBe(1)
  return authenticator
}

async function plant(person: Person, authenticator: Authenticator) {
  const { html } = await person.get('/settings/passkeys')
  return person.post('/settings/passkeys', [
    ['csrf', hiddenField(html, 'csrf')],
    ['name', 'Key'],
    ['password', PASSWORD],
    ['credential', authenticator.create(optionsOn(html))],
  ])
}

async function makeToken(person: Person) {
  const { html } = await person.get('/settings/api/new')
  return person.post('/settings/api/new', [
    ['csrf', hiddenField(html, 'csrf')],
    ['name', 'Back door'],
    ['permissions', 'POST /sms'],
    ['expires_in', 'never'],
  ])
}

async function signInByPasskey(person: Person, authenticator: Authenticator) {
  const { html } = await person.get('/sign-in')
  return person.post('/sign-in/passkey', [
    ['csrf', hiddenField(html, 'csrf')],
    ['return_to', ''],
    ['credential', authenticator.get(optionsOn(html))],
  ])
}

function optionsOn(html: string): string {
  return /data-options="([^"]*)"/.exec(html)?.[1]?.replaceAll('&quot;', '"').replaceAll('&amp;', '&') ?? ''
}

describe.each(ENDINGS)('%s', (_name, end) => {
  it('leaves no session to a sign-in whose password was checked before it', async () => {
    const account = await makeAccount(stack)
    const thief = await stack.person()
    const signedIn = await meanwhile(
      () => fillSignIn(thief, account),
      () => end(account),
    )
    expect(signedIn.status).toBe(422)
    expect(await waysIn(stack.db, account.id)).toEqual(NO_WAYS_IN)
    expect((await thief.get('/settings/api')).status).toBe(303)
  })

  it('leaves no session to a passkey that was checked before it', async () => {
    const account = await makeAccount(stack)
    const authenticator = await passkeyOf(await stack.person(account.id), account)
    const thief = await stack.person()
    expect((await signInByPasskey(await stack.person(), authenticator)).status).toBe(303)
    const signedIn = await meanwhile(
      () => signInByPasskey(thief, authenticator),
      () => end(account),
    )
    expect(signedIn.status).toBe(422)
    expect(await waysIn(stack.db, account.id)).toEqual(NO_WAYS_IN)
  })

  it('leaves no passkey that was being added', async () => {
    const account = await makeAccount(stack)
    const thief = await stack.person(account.id)
    const added = await meanwhile(
      () => plant(thief, new Authenticator(stack.issuer)),
      () => end(account),
    )
    expect(added.status).toBe(422)
    expect(await waysIn(stack.db, account.id)).toEqual(NO_WAYS_IN)
  })

  it('leaves no token made by hand that was being made', async () => {
    const account = await makeAccount(stack)
    const thief = await stack.person(account.id)
    const made = await meanwhile(
      () => makeToken(thief),
      () => end(account),
    )
    expect([made.status, made.url.pathname]).toEqual([303, '/settings/api/new'])
    expect(await waysIn(stack.db, account.id)).toEqual(NO_WAYS_IN)
    // Nor a page with a value: whoever is still signed in gets one.
    const owner = await stack.person((await makeAccount(stack)).id)
    const { headers } = await makeToken(owner)
    expect((await owner.get(headers.get('location') ?? '')).html).toMatch(/vsms_[\w-]{49}/)
  })

  it('leaves no connection that was being approved', async () => {
    const account = await makeAccount(stack)
    const thief = await stack.person(account.id)
    const page = await thief.open((await start(client)).url)
    const answered = await meanwhile(
      () => answer(thief, page),
      () => end(account),
    )
    expect(answered.url.pathname).toBe('/sign-in')
    expect(await waysIn(stack.db, account.id)).toEqual(NO_WAYS_IN)
  })

  it('leaves nothing of an approval that no browser has taken on yet', async () => {
    const account = await makeAccount(stack)
    const thief = await stack.person(account.id)
    const page = await thief.open((await start(client)).url)
    const { html } = await thief.post(page.url, [
      ['csrf', hiddenField(page.html, 'csrf')],
      ['decision', 'allow'],
      ['scope', 'sms:rates'],
    ])
    await end(account)
    const view = await thief.open(new URL(refreshTarget(html) ?? '', page.url))
    expect([view.url.origin, view.status]).toEqual([stack.issuer, 400])
  })

  it('leaves no send approved by a verdict that was on its way', async () => {
    const account = await makeAccount(stack)
    const thief = await stack.person(account.id)
    // Of a token made by hand, which outlives a reset: only the session that answers has ended.
    const of = { accountId: account.id, spenderId: randomUUID() }
    await addSpender(stack, of, { kind: 'token' })
    const id = await askApproval(stack, of)
    const csrf = hiddenField((await thief.get(`/approvals/${id}`)).html, 'csrf')
    const fields: [string, string][] = [
      ['csrf', csrf],
      ['decision', 'approve'],
    ]
    const answered = await meanwhile(
      () => thief.post(`/approvals/${id}`, fields),
      () => end(account),
    )
    expect(answered.headers.get('location')).toBe(`/sign-in?return_to=${encodeURIComponent(`/approvals/${id}`)}`)
    expect(await stack.db.approval.findUnique({ where: { id } })).toMatchObject({ state: 'pending', decidedAt: null })
  })

  it('leaves nothing to whoever tries everything at once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const account = await makeAccount(stack)
      const inside = await stack.person(account.id)
      const authenticator = await passkeyOf(await stack.person(account.id), account)
      const page = await inside.open((await start(client)).url)
      const tokens = await connect(client, await stack.person(account.id))
      const outside = await Promise.all(Array.from({ length: 5 }, () => stack.person()))
      await Promise.allSettled([
        ...outside.slice(1).map((person) => fillSignIn(person, account)),
        signInByPasskey(outside[0] as Person, authenticator),
        plant(inside, new Authenticator(stack.issuer)),
        answer(inside, page),
        refresh(client, tokens.refresh),
        end(account),
      ])
      expect(await waysIn(stack.db, account.id)).toEqual(NO_WAYS_IN)
    }
  })
})

/** Of each ending, of which there are three. */
const ROUNDS = process.env.TEST_FULL ? 3 : 1

describe('a link that sets a password, used', () => {
  const use = async (person: Person, link: string) => {
    const { html, url } = await person.open(new URL(link))
    const fields = ['csrf', 'link'].map((name): [string, string] => [name, hiddenField(html, name)])
    return () => person.post(url, [...fields, ['password', NEW_PASSWORD]])
  }

  it('while nothing else happens sets it', async () => {
    const account = await makeAccount(stack)
    const { status } = await (await use(await stack.person(), await linkOf(stack, account)))()
    expect(status).toBe(303)
    expect((await fillSignIn(await stack.person(), { ...account, password: NEW_PASSWORD })).status).toBe(303)
  })

  it.each([
    ['the account is disabled', ({ email }: Account) => runOperator(stack, 'disable', email)],
    ['a newer link is made', (account: Account) => linkOf(stack, account)],
    ['the account is deleted', ({ email }: Account) => runOperator(stack, 'delete', email, '--confirm', email)],
  ])('while %s sets none and signs nobody in', async (what, happen) => {
    const account = await makeAccount(stack)
    const person = await stack.person()
    const before = await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })
    const post = await use(person, await linkOf(stack, account))
    const { status } = await meanwhile(post, () => happen(account))
    expect(status).toBe(410)
    const after = await stack.db.account.findUnique({ where: { email: account.email } })
    expect(after?.passwordHash).toBe(what === 'the account is deleted' ? undefined : before.passwordHash)
    expect(await stack.db.session.count({ where: { accountId: account.id } })).toBe(0)
    expect((await person.get('/settings/api')).status).toBe(303)
  })
})

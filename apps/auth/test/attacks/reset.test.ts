// A link that sets a password, and everything that somebody who was in before may still hold.
import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createDatabase, type Database } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { bundleForTests } from '@vertexsms/service/bundle'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SHORT_LIVED_FLAGS } from '../../../../scripts/short-lived.ts'
import { createPasswordLink, usePasswordLink } from '../../src/accounts/password-link.ts'
import { runCommandLine } from '../../src/cli/run.ts'
import { askApproval } from '../support/approvals.ts'
import { Authenticator } from '../support/authenticator.ts'
import { answer, connect, refresh, register, start, type TestClient, type Tokens } from '../support/client.ts'
import { type DatabaseWire, databaseWire } from '../support/database-wire.ts'
import { Gate } from '../support/gate.ts'
import { addSpender } from '../support/owners-data.ts'
import { fillSignIn, makeAccount, PASSWORD } from '../support/people.ts'
import { hiddenField, type Person, refreshTarget } from '../support/person.ts'
import { type Stack, startStack } from '../support/stack.ts'

// Whoever holds the password until now must be out when a reset or a lock is through, whatever was under way.

const MAIN = 'apps/auth/src/cli/main'
const programs = mkdtempSync(join(tmpdir(), 'vertexsms-reset-'))
const NEW_PASSWORD = 'an entirely new password'
const gate = new Gate()

let test: TestDatabase
let stack: Stack
let client: TestClient
beforeAll(async () => {
  await bundleForTests([`${MAIN}.ts`], programs, process.env.TEST_PROGRAMS_DIR)
  test = await testDatabase()
  stack = await startStack({ test, db: (db) => gate.guard(db) })
  client = await register(stack)
})
afterAll(async () => {
  await stack?.close()
  await test?.close()
  rmSync(programs, { recursive: true })
})

type Account = { readonly id: string; readonly email: string }

/** What a command needs of the settings. */
function operatorEnv(url = stack.env.DATABASE_URL): Record<string, string> {
  return { DATABASE_URL: url, ISSUER_URL: stack.issuer }
}

async function operator(...args: string[]): Promise<string> {
  const out: string[] = []
  const terminal = { env: operatorEnv(), readInput: async () => '', print: (line: string) => void out.push(line) }
  expect(await runCommandLine(args, { ...terminal, complain: terminal.print })).toBe(0)
  return out.join('\n')
}

const linkOf = ({ email }: Account, db: Database = stack.db) =>
  createPasswordLink(db, { issuerUrl: stack.issuer, email, hours: 1, now: new Date() })
const secretOf = (link: string) => new URL(link).searchParams.get('link') ?? ''

/** Everything that ends what the old password opened. */
const ENDINGS: readonly (readonly [string, (account: Account) => Promise<unknown>])[] = [
  ['a reset by the operator', ({ email }) => operator('reset', email)],
  ['a lock by the operator', ({ email }) => operator('disable', email)],
  [
    'a new password by link',
    async (account) => usePasswordLink(stack.db, { secret: secretOf(await linkOf(account)), password: NEW_PASSWORD }),
  ],
]

/** Whether anything that an ending ends is left. */
async function waysIn({ id: accountId }: Account): Promise<Record<string, number>> {
  const { db } = stack
  return {
    sessions: await db.session.count({ where: { accountId } }),
    passkeys: await db.passkey.count({ where: { accountId } }),
    connections: await db.connection.count({ where: { accountId, endedAt: null } }),
    tokens: await db.apiToken.count({ where: { accountId } }),
    artifacts: await db.oidcArtifact.count({ where: { accountId } }),
  }
}
const NONE = { sessions: 0, passkeys: 0, connections: 0, tokens: 0, artifacts: 0 }

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
    expect(await waysIn(account)).toEqual(NONE)
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
    expect(await waysIn(account)).toEqual(NONE)
  })

  it('leaves no passkey that was being added', async () => {
    const account = await makeAccount(stack)
    const thief = await stack.person(account.id)
    const added = await meanwhile(
      () => plant(thief, new Authenticator(stack.issuer)),
      () => end(account),
    )
    expect(added.status).toBe(422)
    expect(await waysIn(account)).toEqual(NONE)
  })

  it('leaves no token made by hand that was being made', async () => {
    const account = await makeAccount(stack)
    const thief = await stack.person(account.id)
    const made = await meanwhile(
      () => makeToken(thief),
      () => end(account),
    )
    expect([made.status, made.url.pathname]).toEqual([303, '/settings/api/new'])
    expect(await waysIn(account)).toEqual(NONE)
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
    expect(await waysIn(account)).toEqual(NONE)
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
      expect(await waysIn(account)).toEqual(NONE)
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
    const { status } = await (await use(await stack.person(), await linkOf(account)))()
    expect(status).toBe(303)
    expect((await fillSignIn(await stack.person(), { ...account, password: NEW_PASSWORD })).status).toBe(303)
  })

  it.each([
    ['the account is disabled', ({ email }: Account) => operator('disable', email)],
    ['a newer link is made', (account: Account) => linkOf(account)],
    ['the account is deleted', ({ email }: Account) => operator('delete', email, '--confirm', email)],
  ])('while %s sets none and signs nobody in', async (what, happen) => {
    const account = await makeAccount(stack)
    const person = await stack.person()
    const before = await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })
    const post = await use(person, await linkOf(account))
    const { status } = await meanwhile(post, () => happen(account))
    expect(status).toBe(410)
    const after = await stack.db.account.findUnique({ where: { email: account.email } })
    expect(after?.passwordHash).toBe(what === 'the account is deleted' ? undefined : before.passwordHash)
    expect(await stack.db.session.count({ where: { accountId: account.id } })).toBe(0)
    expect((await person.get('/settings/api')).status).toBe(303)
  })
})

describe('a reset that is cut off', () => {
  let wire: DatabaseWire
  beforeAll(async () => {
    wire = await databaseWire(stack.env.DATABASE_URL)
  })
  afterAll(() => wire?.close())

  interface Before {
    readonly account: Account
    readonly person: Person
    readonly tokens: Tokens
    readonly state: Record<string, number>
    readonly passwordHash: string
  }

  async function before(): Promise<Before> {
    const account = await makeAccount(stack)
    const person = await stack.person(account.id)
    const passkey = { id: account.id, accountId: account.id, publicKey: new Uint8Array(1), counter: 0n }
    await stack.db.passkey.create({ data: { ...passkey, name: 'Key', createdAt: new Date() } })
    const tokens = await connect(client, person)
    const { passwordHash } = await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })
    return { account, person, tokens, state: await waysIn(account), passwordHash }
  }

  async function isUntouched({ account, state, passwordHash }: Before): Promise<boolean> {
    const now = await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })
    const left = await waysIn(account)
    if (now.passwordHash === passwordHash) {
      expect(left).toEqual(state)
      return true
    }
    expect(left).toEqual(NONE)
    return false
  }

  it('by the loss of the database leaves all as it was and the link good, or is through', async () => {
    let untouched = 0
    for (let messages = 1; ; messages += 1) {
      const was = await before()
      const link = await linkOf(was.account)
      const db = createDatabase({ url: wire.url, poolSize: 1 })
      await db.$queryRaw`SELECT 1`
      let through = false
      const broken = wire.breakAfter(messages).then(() => {
        wire.mend()
      })
      const use = usePasswordLink(db, { secret: secretOf(link), password: NEW_PASSWORD })
      through = await use.then(
        (used) => used !== null,
        () => false,
      )
      if (through) wire.mend()
      else await broken
      await db.$disconnect()
      if (through) {
        expect(await isUntouched(was)).toBe(false)
        break
      }
      if (await isUntouched(was)) {
        untouched += 1
        expect(await usePasswordLink(stack.db, { secret: secretOf(link), password: NEW_PASSWORD })).not.toBeNull()
        expect(await isUntouched(was)).toBe(false)
      }
    }
    // Begin, lock, clock, link, password, sessions, passkeys, connections, artifacts: it was cut in all of them.
    expect(untouched).toBeGreaterThanOrEqual(8)
  }, 120_000)

  it.each([4, 7, 10])('by the death of its process after %i messages leaves all as it was', async (messages) => {
    const was = await before()
    const args = [...SHORT_LIVED_FLAGS, join(programs, `${MAIN}.js`), 'reset', was.account.email]
    const broken = wire.breakAfter(START_MESSAGES + messages)
    const env = { ...process.env, ...operatorEnv(wire.url) }
    const child = spawn(process.execPath, args, { env, stdio: 'ignore' })
    const ended = once(child, 'exit')
    await Promise.race([broken, ended])
    child.kill('SIGKILL')
    await ended
    wire.mend()
    expect(await isUntouched(was)).toBe(true)
    expect((await was.person.get('/settings/api')).status).toBe(200)
    await operator('reset', was.account.email)
    expect(await isUntouched(was)).toBe(false)
  })
})

it('the commands of the operator run in a process of their own as well', async () => {
  const args = [...SHORT_LIVED_FLAGS, join(programs, `${MAIN}.js`), 'invite', `${randomUUID()}@example.com`]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { PATH: process.env.PATH, ...operatorEnv() },
  })
  expect(stdout).toMatch(/^http:\S+\/set-password\?link=[\w-]{43}\n$/)
})

/** What a new connection says before its first statement: start-up and password. */
const START_MESSAGES = 2

// From a request for access to an account, by the pages and the commands that do it together, and what is over on the
// way.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NO_LIMITS } from '@vertexsms/contract/spender-limits'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPasswordLink } from '../src/accounts/password-link.ts'
import { runCommandLine } from '../src/cli/run.ts'
import { createManualToken, replaceToken } from '../src/settings/manual-tokens.ts'
import { cleanUp } from './support/clean-up.ts'
import { CAN_MEET, waitingFor } from './support/meeting.ts'
import { fillSignIn, makeAccount, newSignedIn, PASSWORD } from './support/people.ts'
import { hiddenField, type Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

const folder = mkdtempSync(join(tmpdir(), 'vertexsms-operator-'))
let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(async () => {
  await stack.close()
  rmSync(folder, { recursive: true })
})

function operatorEnv() {
  return {
    DATABASE_URL: stack.env.DATABASE_URL,
    ISSUER_URL: stack.issuer,
    OPERATOR_KEY: Buffer.from(stack.env.OPERATOR_KEY).toString('base64url'),
  }
}

/** Runs one operator command. */
async function operator(args: string[], input = ''): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCommandLine(args, {
    env: operatorEnv(),
    readInput: async () => input,
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** Opens the link and sends its form. */
async function usePasswordLink(person: Person, link: string, password: string) {
  return setPassword(person, await person.open(link), password)
}

/** Sends the form of an open link. */
function setPassword(person: Person, { html }: { html: string }, password: string) {
  const fields: [string, string][] = [
    ['csrf', hiddenField(html, 'csrf')],
    ['link', hiddenField(html, 'link')],
    ['password', password],
  ]
  return person.post('/set-password', fields)
}

function linkFor(email: string, hours = 1, now = new Date()): Promise<string> {
  return createPasswordLink(stack.db, { issuerUrl: stack.issuer, email, hours, now })
}

async function requestAccess(person: Person, changes: Record<string, string> = {}) {
  const { html } = await person.get('/request-access')
  const fields = { email: 'ada@example.com', name: 'Ada', company: 'Example', reason: 'Delivery alerts', ...changes }
  return person.post('/request-access', [['csrf', hiddenField(html, 'csrf')], ...Object.entries(fields)])
}

describe('from a request to an account', () => {
  it.skipIf(!CAN_MEET)(
    'an invitation that is made while an earlier one is used is refused, and sets no password',
    async () => {
      const email = `${randomUUID()}@example.com`
      const { out: link } = await operator(['invite', email])
      const person = await stack.person()
      let both: Promise<[Awaited<ReturnType<typeof usePasswordLink>>, Awaited<ReturnType<typeof operator>>]> | undefined
      await stack.db.$transaction(
        async (tx) => {
          await tx.$queryRaw`SELECT id::text FROM password_link WHERE email = ${email} FOR UPDATE`
          const used = usePasswordLink(person, link, PASSWORD)
          await expect.poll(() => waitingFor(stack.db)).toBe(1)
          both = Promise.all([used, operator(['invite', email])])
          await expect.poll(() => waitingFor(stack.db)).toBe(2)
        },
        { timeout: 30_000 },
      )
      const [used, invited] = (await both) ?? []
      expect(used?.headers.get('location')).toBe('/')
      expect(invited).toMatchObject({ code: 1, out: '' })
      expect(invited?.err).toContain('has an account already')
      expect(await stack.db.passwordLink.count({ where: { email, usedAt: null } })).toBe(0)
    },
  )

  it('a request is kept, listed, invited, and becomes an account that can sign in', async () => {
    await stack.db.accessRequest.deleteMany()
    expect((await requestAccess(await stack.person(), { reason: 'Alerts \u001b[31mred' })).status).toBe(422)
    const thanks = await requestAccess(await stack.person(), { email: ' Ada@Example.com', name: 'Ada "L"' })
    expect(thanks.status).toBe(200)
    expect(thanks.html).toContain('We have your request')

    const listed = await operator(['requests'])
    expect(listed.out).toMatch(/ada@example\.com\s+Ada "L"\s+Example\s+Delivery alerts/)

    const invited = await operator(['invite', 'Ada@example.com'])
    expect(invited).toMatchObject({ code: 0, err: '' })
    expect(invited.out).toMatch(new RegExp(`^${stack.issuer}/set-password\\?link=[\\w-]{43}$`))
    expect((await operator(['requests'])).out).toBe('No open requests.')
    expect(await stack.db.account.count({ where: { email: 'ada@example.com' } })).toBe(0)

    const person = await stack.person()
    const answer = await usePasswordLink(person, invited.out, PASSWORD)
    expect(answer.status).toBe(303)
    expect((await person.get('/settings/api')).html).toContain('ada@example.com')
    expect((await fillSignIn(await stack.person(), { email: 'ada@example.com' })).status).toBe(303)
    expect((await operator(['invite', 'ada@example.com'])).err).toContain('has an account already')
  })

  it('a request says the same whether the address has an account or not', async () => {
    const { email } = await makeAccount(stack)
    const answers = [
      await requestAccess(await stack.person(), { email }),
      await requestAccess(await stack.person(), { email: 'nobody@example.com' }),
    ]
    expect(new Set(answers.map(({ status, html }) => `${status} ${html}`)).size).toBe(1)
  })

  it.each([
    ['no email address', { email: 'nonsense' }, 'Enter a complete email address.'],
    ['no name', { name: ' ' }, 'id="name-problem" role="alert">Fill this in.'],
    ['a text of 1001 characters', { reason: 'x'.repeat(1001) }, '1,000 characters at most'],
  ])('a request with %s is refused', async (_name, changes, sentence) => {
    const { status, html } = await requestAccess(await stack.person(), changes)
    expect(status).toBe(422)
    expect(html).toContain(sentence)
  })

  it('a request can be dismissed', async () => {
    await requestAccess(await stack.person(), { email: 'spam@example.com' })
    expect((await operator(['dismiss', 'spam@example.com'])).out).toBe('Dismissed.')
    expect((await operator(['dismiss', 'spam@example.com'])).code).toBe(1)
  })
})

describe('a password link', () => {
  it('works once, even when two use it at the same moment', async () => {
    const email = `${randomUUID()}@example.com`
    const link = await linkFor(email)
    const people = [await stack.person(), await stack.person(), await stack.person()]
    // Whoever opened it later than it was used would have no form to send.
    const opened = await Promise.all(people.map(async (person) => ({ person, page: await person.open(link) })))
    const answers = await Promise.all(opened.map(({ person, page }) => setPassword(person, page, PASSWORD)))
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 410, 410])
    expect((await (await stack.person()).get(link)).status).toBe(410)
  })

  it('leaves the address at once and stays in no link of the page; a reload finds it, also after a refused password', async () => {
    const email = `${randomUUID()}@example.com`
    const link = await linkFor(email)
    const secret = new URL(link).searchParams.get('link') ?? ''
    const person = await stack.person()
    const first = await person.get(link)
    expect([first.status, first.headers.get('location')]).toEqual([303, '/set-password'])
    expect(first.headers.get('cache-control')).toBe('no-store')
    expect(first.headers.getSetCookie().join()).toMatch(/Path=\/set-password; HttpOnly; SameSite=Lax/)
    const page = await person.get('/set-password')
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    for (const [, target] of page.html.matchAll(/(?:href|action|src|content)="([^"]*)"/g)) {
      expect(target).not.toContain(secret)
    }
    expect((await person.get('/')).headers.get('location')).toBe('/sign-in')
    expect(person.cookieHeader('/sign-in')).not.toContain(secret)

    const refused = await usePasswordLink(person, '/set-password', 'short')
    expect(refused.status).toBe(422)
    expect((await person.get('/set-password')).html).toContain(email)
    expect((await usePasswordLink(person, '/set-password', PASSWORD)).status).toBe(303)
    const spent = await person.get('/set-password')
    expect([spent.status, spent.html.includes('href="/forgot-password"')]).toEqual([410, true])
  })

  it('of two that are open side by side each sets the password of the account that its page names', async () => {
    const emails = [`${randomUUID()}@example.com`, `${randomUUID()}@example.com`] as const
    const person = await stack.person()
    const first = await person.open(await linkFor(emails[0]))
    await person.open(await linkFor(emails[1]))
    const fields = ['csrf', 'link'].map((name) => [name, hiddenField(first.html, name)] as const)
    expect((await person.post('/set-password', [...fields, ['password', PASSWORD]])).status).toBe(303)
    expect(await stack.db.account.count({ where: { email: emails[0] } })).toBe(1)
    expect(await stack.db.account.count({ where: { email: emails[1] } })).toBe(0)
  })

  it('welcomes a newcomer, and tells who resets a password what ends by it', async () => {
    const newcomer = await (await stack.person()).open(await linkFor(`${randomUUID()}@example.com`))
    expect(newcomer.html).toContain('Welcome to VertexSMS')
    expect(newcomer.html).not.toContain('signs you out everywhere')
    const { email } = await makeAccount(stack)
    const owner = await (await stack.person()).open(await linkFor(email))
    expect(owner.html).toContain('signs you out everywhere')
    expect(owner.html).not.toContain('Welcome')
  })

  it('is not spent by opening it, as link scanners do', async () => {
    const link = await linkFor(`${randomUUID()}@example.com`)
    for (let round = 0; round < 3; round += 1) expect((await (await stack.person()).open(link)).status).toBe(200)
    expect((await usePasswordLink(await stack.person(), link, PASSWORD)).status).toBe(303)
  })

  it('stops working when its time is over, also after the form was opened', async () => {
    const email = `${randomUUID()}@example.com`
    const link = await linkFor(email)
    const person = await stack.person()
    const { html } = await person.open(link)
    await stack.db.passwordLink.updateMany({ where: { email }, data: { expiresAt: new Date() } })
    const fields: [string, string][] = [
      ['csrf', hiddenField(html, 'csrf')],
      ['link', hiddenField(html, 'link')],
      ['password', PASSWORD],
    ]
    expect((await person.post('/set-password', fields)).status).toBe(410)
    expect(await stack.db.account.count({ where: { email } })).toBe(0)
  })

  it('stops working when a newer one is made', async () => {
    const email = `${randomUUID()}@example.com`
    const [older, newer] = [await linkFor(email), await linkFor(email)]
    expect((await (await stack.person()).get(older)).status).toBe(410)
    expect((await (await stack.person()).open(newer)).status).toBe(200)
  })

  it('is kept as a hash only', async () => {
    const email = `${randomUUID()}@example.com`
    const secret = (await linkFor(email)).split('link=')[1] ?? ''
    const row = await stack.db.passwordLink.findFirstOrThrow({ where: { email } })
    expect(row.secretHash).toEqual(hashToken(secret))
    expect(JSON.stringify(row)).not.toContain(secret)
  })

  it.each([
    ['eleven characters', 'elevenchars', 'Use at least 12 characters.'],
    ['the address itself', 'grace@example.com', 'must not be your email address'],
    ['the mailbox dressed up', 'Grace1234!!!', 'The password must not be'],
    ['a common one', 'password12345', 'one of the first passwords'],
    ['a common one, repeated', 'qwertyQWERTYqwerty', 'one of the first passwords'],
    ['one character, repeated', 'aaaaaaaaaaaaaaaa', 'one of the first passwords'],
    ['our own name', 'VertexSMS-123456', 'one of the first passwords'],
    ['201 characters', 'long word '.repeat(21).slice(0, 201), 'Use at most 200 characters.'],
  ])('refuses %s as a password', async (_name, password, sentence) => {
    const link = await linkFor('grace@example.com')
    const { status, html } = await usePasswordLink(await stack.person(), link, password)
    expect(status).toBe(422)
    expect(html).toContain(sentence)
    expect(html).not.toMatch(/type="password"[^>]*value=/)
  })

  it.each(['twelve chars', 'korrekt häst batteri', 'Tr0ub4dor&3xx', '密码密碼很长的一句话没有人知道啊'])(
    'takes %j as a password, whatever it is composed of',
    async (password) => {
      const email = `${randomUUID()}@example.com`
      expect((await usePasswordLink(await stack.person(), await linkFor(email), password)).status).toBe(303)
      expect((await fillSignIn(await stack.person(), { email, password })).status).toBe(303)
    },
  )
})

describe('what is over', () => {
  it('is cleaned away: sessions, password links and spent challenges, and nothing that still counts', async () => {
    const { account, person } = await newSignedIn(stack)
    const stays = await linkFor(`${randomUUID()}@example.com`)
    const gone = await newSignedIn(stack)
    const past = new Date(Date.now() - 120_000)
    await stack.db.session.updateMany({ where: { accountId: gone.account.id }, data: { expiresAt: past } })
    await stack.db.passwordLink.create({
      data: { id: randomUUID(), secretHash: hashToken('x'), email: 'x@example.com', createdAt: past, expiresAt: past },
    })
    await stack.db.passkeyChallenge.create({ data: { id: hashToken('y'), expiresAt: past } })
    expect(await cleanUp(stack.db, new Date())).toMatchObject({
      'clean-up of sessions': 1,
      'clean-up of password links': 1,
      'clean-up of passkey challenges': 1,
    })
    expect((await person.get('/settings/api')).html).toContain(account.email)
    expect((await (await stack.person()).open(stays)).status).toBe(200)
  })
})

describe('the operator', () => {
  /** A signed-in account with everything that hangs on it. */
  async function everything() {
    const { account, person } = await newSignedIn(stack)
    const now = new Date()
    const later = new Date(now.getTime() + 3_600_000)
    const connection = await stack.db.connection.create({
      data: {
        id: randomUUID(),
        accountId: account.id,
        grantId: randomUUID(),
        clientId: 'client-1',
        clientName: 'Claude',
        redirectHost: 'claude.ai',
        createdAt: now,
        approvedAt: now,
        expiresAt: later,
      },
    })
    const token = { accountId: account.id, createdAt: now, permissions: ['GET /rates'] }
    await stack.db.apiToken.create({
      data: {
        ...token,
        id: randomUUID(),
        kind: 'oauth_refresh',
        name: 'oauth:refresh:x',
        connectionId: connection.id,
        tokenHash: hashToken(randomUUID()),
      },
    })
    await stack.db.apiToken.create({
      data: { ...token, id: randomUUID(), kind: 'manual', name: 'script', tokenHash: hashToken(randomUUID()) },
    })
    await stack.db.oidcArtifact.create({
      data: { kind: 'AuthorizationCode', id: randomUUID(), payload: {}, accountId: account.id, expiresAt: later },
    })
    await stack.db.passkey.create({
      data: {
        id: randomUUID(),
        accountId: account.id,
        name: 'key',
        publicKey: new Uint8Array(1),
        counter: 0n,
        createdAt: now,
      },
    })
    return { account, person }
  }

  async function left(accountId: string) {
    const { db } = stack
    return {
      sessions: await db.session.count({ where: { accountId } }),
      codes: await db.oidcArtifact.count({ where: { accountId } }),
      connections: await db.connection.count({ where: { accountId, endedAt: null } }),
      issuedTokens: await db.apiToken.count({ where: { accountId, kind: { not: 'manual' } } }),
      manualTokens: await db.apiToken.count({ where: { accountId, kind: 'manual' } }),
      passkeys: await db.passkey.count({ where: { accountId } }),
    }
  }
  const NOTHING = { sessions: 0, codes: 0, connections: 0, issuedTokens: 0, passkeys: 0 }

  it('disables an account: sessions, codes and connections end at once, and it cannot come back by itself', async () => {
    const { account, person } = await everything()
    expect(await left(account.id)).toEqual({
      sessions: 1,
      codes: 1,
      connections: 1,
      issuedTokens: 1,
      manualTokens: 1,
      passkeys: 1,
    })
    const pending = await linkFor(account.email)
    expect((await operator(['disable', account.email])).out).toBe('Disabled.')
    expect(await left(account.id)).toMatchObject(NOTHING)
    expect((await person.get('/settings/api')).status).toBe(303)
    expect((await fillSignIn(await stack.person(), { email: account.email })).status).toBe(422)
    expect((await (await stack.person()).get(pending)).status).toBe(410)

    expect((await operator(['enable', account.email])).out).toBe('Enabled.')
    expect((await fillSignIn(await stack.person(), { email: account.email })).status).toBe(303)
    // What ended does not come back: whoever has the link is why it was disabled, for all we know.
    expect((await (await stack.person()).get(pending)).status).toBe(410)
  })

  it('resets a password: the old one and all that came in with it end at once, before the link is used', async () => {
    const { account, person } = await everything()
    const { out: link } = await operator(['reset', account.email])
    expect(await left(account.id)).toMatchObject(NOTHING)
    expect((await person.get('/settings/api')).status).toBe(303)
    expect((await fillSignIn(await stack.person(), { email: account.email })).status).toBe(422)
    expect((await usePasswordLink(await stack.person(), link, 'an entirely new password')).status).toBe(303)
    const password = 'an entirely new password'
    expect((await fillSignIn(await stack.person(), { email: account.email, password })).status).toBe(303)
  })

  it('counts a token whose value was replaced once, and none that ran out', async () => {
    const { account } = await newSignedIn(stack)
    const session = await stack.db.session.findFirstOrThrow({ where: { accountId: account.id } })
    const by = { accountId: account.id, sessionId: session.id }
    const token = { name: 'Nightly', permissions: ['GET /rates'] as const, ipAllowList: [], limits: NO_LIMITS }
    const create = async (expiresAt: Date | null) =>
      createManualToken(stack.db, by, { ...token, form: randomUUID(), expiresAt }, new Date())
    const { id } = await create(null)
    await create(new Date(Date.now() - 1000))
    const { lastFour } = await stack.db.apiToken.findUniqueOrThrow({ where: { id } })
    expect(await replaceToken(stack.db, by, { tokenId: id, lastFour, overlapSeconds: 600 })).toHaveProperty('value')
    expect((await operator(['accounts'])).out).toMatch(new RegExp(`${account.email}\\s+active\\s+\\S+\\s+0\\s+1$`, 'm'))
  })

  it('sees the accounts and the signing keys, and rotates these', async () => {
    const { email } = await makeAccount(stack)
    expect((await operator(['accounts'])).out).toMatch(
      new RegExp(`${email}\\s+active\\s+\\d{4}-\\d\\d-\\d\\d\\s+0\\s+0`),
    )
    expect((await operator(['keys'])).out).toMatch(/signs[\s\S]*under operator key [0-9a-f]{8}\./)
    expect((await operator(['rotate-keys'])).out).toMatch(/is published and signs from/)
    expect((await operator(['keys'])).out).toMatch(/signs[\s\S]*next/)
    expect(await operator(['rotate-keys'])).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^A new key is already published and signs from \S+\.$/),
    })
  })

  it('makes a client for introspection, whose secret is printed once and works', async () => {
    const { out } = await operator(['introspection-client', 'Billing'])
    const [, id = ''] = /^client id: +(\S+)$/m.exec(out) ?? []
    const [, secret = ''] = /^client secret: +(\S+)$/m.exec(out) ?? []
    const rows = JSON.stringify(await stack.db.oidcClient.findMany())
    expect(rows).toContain(id)
    expect(rows).not.toContain(secret)
    const introspect = (password: string) =>
      fetch(`${stack.issuer}/oauth/introspect`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}` },
        body: new URLSearchParams({ token: 'unknown' }),
      })
    const answer = await introspect(secret)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ active: false })
    expect((await introspect('wrong')).status).toBe(401)
  })

  it('is helped by --help, and told what is wrong without a stack', async () => {
    expect((await operator(['--help'])).out).toMatch(/invite EMAIL[\s\S]*DATABASE_URL/)
  })

  it.each([
    ['invite', 'invite'],
    ['invite EMAIL', 'invite', 'a@example.com', 'b@example.com'],
    ['invite EMAIL', 'invite', '--force'],
    ['rotate-keys', 'rotate-keys', 'now'],
  ])('says last how %s is used where the line is not understood: %j', async (usage, ...args) => {
    const { code, err } = await operator(args)
    expect(code).toBe(2)
    expect(err).toMatch(new RegExp(`^.+\nUsage: ${usage}`))
  })

  it.each([
    ['invite', 'nonsense'],
    ['disable', 'nobody@example.com'],
    ['dismiss', 'stranger@example.com'],
    ['pause', randomUUID()],
    ['approve', randomUUID()],
    ['settle-unknown', '1'],
  ])('says in one line what refuses %s %s, and nothing of how that is used', async (...args) => {
    const { code, err } = await operator(args)
    expect(code).toBe(1)
    expect(err).toMatch(/^.+\.$/)
  })

  it.each([
    ['destroy', 'destroy'],
    ['Invite', 'Invite'],
    ['x'.repeat(5000), `${'x'.repeat(40)}…`],
    ['a\u001b[2J\r\nb\u202e', 'a [2J b'],
    ['', ''],
  ])('is told last that there is no command %j, below those that there are', async (typed, shown) => {
    const { code, out, err } = await operator([typed])
    expect([code, out]).toEqual([2, ''])
    const lines = err.split('\n')
    expect(lines.slice(-2)).toEqual(['', `There is no command called "${shown}".`])
    expect(lines.slice(0, -2).join('\n')).toBe((await operator(['--help'])).out)
  })

  it('is told of one command alone by its own --help, -h, and by help with its name', async () => {
    for (const line of [
      ['limits', '--help'],
      ['limits', 'a@example.com', '-h'],
      ['help', 'limits'],
    ]) {
      const { code, out } = await operator(line)
      expect([code, out]).toEqual([0, expect.stringMatching(/^Usage: limits WHO .*\n.*--max-per-day.*$/)])
    }
    expect((await operator(['help'])).out).toBe((await operator(['--help'])).out)
    for (const line of [
      ['destroy', '--help'],
      ['help', 'destroy'],
    ]) {
      const { code, err } = await operator(line)
      expect(code).toBe(2)
      expect(err).toMatch(/invite EMAIL.*There is no command called "destroy"\.$/s)
    }
  })
})

describe('the demo account', () => {
  it('is made from fresh credentials in a private file, and stays the same when seeded again', async () => {
    const file = join(folder, 'demo.json')
    expect(await operator(['seed-demo', '--credentials', file])).toEqual({
      code: 0,
      out: 'demo account ready',
      err: '',
    })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const first = readFileSync(file, 'utf8')
    const { email, password, token } = JSON.parse(first) as Record<string, string>
    expect(email).toBe('demo@vertexsms.test')
    expect((await fillSignIn(await stack.person(), { email: email ?? '', password: password ?? '' })).status).toBe(303)
    const row = await stack.db.apiToken.findUniqueOrThrow({
      where: { tokenHash: hashToken(token ?? '') },
      include: { account: { include: { senderIds: true } } },
    })
    expect(row).toMatchObject({ kind: 'manual', name: 'Demo script', expiresAt: null })
    expect(row.permissions).toHaveLength(11)
    expect(row.account.balanceMicros).toBe(100_000_000n)
    expect(row.account.senderIds).toMatchObject([{ name: 'VertexDemo', type: 'AlphaNumeric', status: 'confirmed' }])

    const tokens = () => stack.db.apiToken.count({ where: { accountId: row.accountId } })
    const before = await tokens()
    await stack.db.account.update({ where: { id: row.accountId }, data: { balanceMicros: 5n } })
    await operator(['seed-demo', '--credentials', file])
    expect(readFileSync(file, 'utf8')).toBe(first)
    expect(await tokens()).toBe(before)
    const account = await stack.db.account.findUniqueOrThrow({ where: { id: row.accountId } })
    expect(account.balanceMicros).toBe(5n)
  })

  it('gets a new token when the old one was deleted: a deleted value never comes back', async () => {
    const file = join(folder, 'deleted.json')
    await operator(['seed-demo', '--credentials', file])
    const before = JSON.parse(readFileSync(file, 'utf8')) as { token: string; password: string }
    await stack.db.apiToken.deleteMany({ where: { tokenHash: hashToken(before.token) } })
    await operator(['seed-demo', '--credentials', file])
    const after = JSON.parse(readFileSync(file, 'utf8')) as { token: string; password: string }
    expect(after.password).toBe(before.password)
    expect(after.token).not.toBe(before.token)
    expect(await stack.db.apiToken.count({ where: { tokenHash: hashToken(before.token) } })).toBe(0)
    expect(await stack.db.apiToken.count({ where: { tokenHash: hashToken(after.token) } })).toBe(1)
  })

  it('says that the file is at fault where it can be neither read nor made', async () => {
    for (const file of [join(folder, 'missing', 'demo.json'), folder]) {
      const { code, err } = await operator(['seed-demo', '--credentials', file])
      expect([code, err]).toEqual([
        1,
        expect.stringContaining('The file of the credentials cannot be read or written.'),
      ])
    }
  })

  it('takes its credentials from standard input as well, and refuses half of them', async () => {
    const credentials = { email: 'other-demo@example.com', password: PASSWORD, token: `vsms_${'x'.repeat(43)}` }
    expect((await operator(['seed-demo'], JSON.stringify(credentials))).code).toBe(0)
    expect((await fillSignIn(await stack.person(), { email: credentials.email })).status).toBe(303)
    for (const input of ['', '{}', JSON.stringify({ ...credentials, token: 'short' })]) {
      const { code, err } = await operator(['seed-demo'], input)
      expect(code).toBe(1)
      expect(err).not.toContain(PASSWORD)
    }
  })
})

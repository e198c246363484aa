// From the form of a password to the session that it begins, and to that session's end.
import { randomBytes } from 'node:crypto'
import { Prisma } from '@vertexsms/db/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashPassword } from '../src/accounts/password.ts'
import { CAN_MEET, meetBehind } from './support/meeting.ts'
import { fillSignIn, makeAccount, newSignedIn, PASSWORD } from './support/people.ts'
import { hiddenField } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

const SESSIONS = '/settings/sessions'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())

/** Hashed as the product does it. */
const setRealPassword = async (id: string) =>
  stack.db.account.update({ where: { id }, data: { passwordHash: await hashPassword(PASSWORD) } })

describe('signing in', () => {
  it('gives the right password a session and leads to the overview of the account', async () => {
    const account = await makeAccount(stack)
    const person = await stack.person()
    const answer = await fillSignIn(person, { email: `  ${account.email.toUpperCase()} ` })
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe('/')
    const page = await person.get('/')
    expect(page.status).toBe(200)
    expect(page.html).toContain(account.email)
  })

  it('sends a session cookie that scripts and other sites cannot use (RFC 6265bis §4.1.2)', async () => {
    const account = await makeAccount(stack)
    const answer = await fillSignIn(await stack.person(), { email: account.email })
    const cookie = answer.headers.getSetCookie().find((line) => line.startsWith('vertexsms_session=')) ?? ''
    expect(cookie).toMatch(/; HttpOnly(;|$)/)
    expect(cookie).toMatch(/; SameSite=Lax(;|$)/)
    expect(cookie).toMatch(/; Path=\/(;|$)/)
    expect(cookie).not.toMatch(/Domain=/i)
  })

  it('keeps no session secret and no password in the database', async () => {
    const account = await makeAccount(stack)
    await setRealPassword(account.id)
    const person = await stack.person()
    await fillSignIn(person, { email: account.email })
    const secret = person.cookies.find(({ name }) => name === 'vertexsms_session')?.value ?? ''
    expect(secret.length).toBeGreaterThanOrEqual(43)
    const rows = await stack.db.account.findUniqueOrThrow({ where: { id: account.id }, include: { sessions: true } })
    const dump = JSON.stringify(rows, (_key, value) => (typeof value === 'bigint' ? String(value) : value))
    expect(dump).not.toContain(secret)
    expect(dump).not.toContain(Buffer.from(secret).toString('hex'))
    expect(dump).not.toContain(PASSWORD)
    expect(rows.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })

  it('answers a wrong password, an unknown address and a disabled account with the same words', async () => {
    const [active, disabled] = [await makeAccount(stack), await makeAccount(stack, 'disabled')]
    const tries = [
      { email: active.email, password: 'not the password' },
      { email: 'nobody@example.com' },
      { email: disabled.email },
      { email: 'not an address' },
    ]
    const answers = []
    for (const sent of tries) {
      const { status, html } = await fillSignIn(await stack.person(), sent)
      answers.push({ status, alert: /role="alert">([^<]*)</.exec(html)?.[1] })
    }
    expect(answers[0]).toEqual({ status: 422, alert: 'The email address or the password is not right.' })
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  })

  it('does the same work for an unknown address as for a wrong password', async () => {
    const account = await makeAccount(stack)
    await setRealPassword(account.id)
    const person = await stack.person()
    const { html } = await person.get('/sign-in')
    const csrf = hiddenField(html, 'csrf')
    // Processor time, which a busy machine does not change, instead of time on the clock.
    const workMicros = async (emails: string[]) => {
      const start = process.cpuUsage()
      for (const email of emails) {
        await person.post('/sign-in', [
          ['csrf', csrf],
          ['email', email],
          ['password', 'wrong password'],
        ])
      }
      return process.cpuUsage(start).user
    }
    const rounds = Array.from({ length: 9 }, (_, round) => round)
    await workMicros(['warm-up@example.com'])
    const known = await workMicros(rounds.map(() => account.email))
    const unknown = await workMicros(rounds.map((round) => `nobody${round}@example.com`))
    // Without the decoy an unknown address costs about a tenth.
    expect(unknown).toBeGreaterThan(known / 3)
  })

  it.each([
    ['/interaction/abc-DEF_123', '/interaction/abc-DEF_123'],
    ['/sandbox/phone?number=37061234567', '/sandbox/phone?number=37061234567'],
    ['/settings/sessions', '/settings/sessions'],
    ['/approvals', '/approvals'],
    ['/approvals/abc-DEF_123', '/approvals/abc-DEF_123'],
    ['/connections/abc-123/disconnect', '/connections/abc-123/disconnect'],
    ['/settings/api?q=a*b~(c)', '/settings/api?q=a*b~(c)'],
    ['/connections/abc-123/pause', '/'],
    ['https://evil.example/', '/'],
    ['//evil.example/', '/'],
    ['/\\evil.example', '/'],
    ['/interaction/../../evil', '/'],
    ['/settings//evil.example/%2f..', '/'],
    ['/settings/api\r\nset-cookie: a=b', '/'],
    ['javascript:alert(1)', '/'],
    ['/sign-out', '/'],
    ['/interaction/x@evil.example', '/'],
  ])('leads from return_to %j to %s only (RFC 9700 §4.11)', async (returnTo, expected) => {
    const account = await makeAccount(stack)
    const answer = await fillSignIn(await stack.person(), { email: account.email, returnTo })
    expect(answer.headers.get('location')).toBe(expected)
  })

  it('starts a new session each time and ends the one the browser came with (session fixation)', async () => {
    const { account, person } = await newSignedIn(stack)
    const planted = person.cookieHeader('/')
    const { html } = await person.get('/request-access')
    await person.post('/sign-in', [
      ['csrf', hiddenField(html, 'csrf')],
      ['email', account.email],
      ['password', PASSWORD],
    ])
    expect((await person.get('/settings/api')).status).toBe(200)
    const thief = await stack.person()
    thief.store(
      new URL(thief.origin),
      planted.split('; ').map((pair) => `${pair}; Path=/`),
    )
    expect((await thief.get('/settings/api')).status).toBe(303)
  })

  it('sends a stranger to sign in and afterwards to where they wanted to go', async () => {
    const answer = await (await stack.person()).get('/sandbox/phone?number=123')
    expect(answer.headers.get('location')).toBe('/sign-in?return_to=%2Fsandbox%2Fphone%3Fnumber%3D123')
  })
})

describe('a session', () => {
  it('ends at once on the server with Sign out', async () => {
    const { person } = await newSignedIn(stack)
    const copy = await stack.person()
    copy.store(
      new URL(copy.origin),
      person
        .cookieHeader('/')
        .split('; ')
        .map((pair) => `${pair}; Path=/`),
    )
    const { html } = await person.get('/settings/api')
    const answer = await person.post('/sign-out', [['csrf', hiddenField(html, 'csrf')]])
    expect(answer.headers.get('location')).toBe('/sign-in')
    expect((await person.get('/settings/api')).status).toBe(303)
    expect((await copy.get('/settings/api')).status).toBe(303)
  })

  it('ends when its time is over', async () => {
    const { account, person } = await newSignedIn(stack)
    await stack.db.session.updateMany({
      where: { accountId: account.id },
      data: { expiresAt: new Date(Date.now() - 1) },
    })
    expect((await person.get('/settings/api')).status).toBe(303)
  })

  it('is worth nothing once the account is disabled', async () => {
    const { account, person } = await newSignedIn(stack)
    await stack.db.account.update({ where: { id: account.id }, data: { status: 'disabled' } })
    expect((await person.get('/settings/api')).status).toBe(303)
  })

  it('says so once on the sign-in page when it has ended, the same whatever ended it and to whoever sends a cookie', async () => {
    const { account, person } = await newSignedIn(stack)
    const { person: other } = await newSignedIn(stack)
    const stranger = await stack.person()
    const said = async (who: typeof person) => {
      const { html } = await who.open(new URL('/settings/account', stack.issuer))
      return /role="status">([^<]*)</.exec(html)?.[1] ?? null
    }
    expect(await said(stranger)).toBeNull()
    await stack.db.account.update({ where: { id: account.id }, data: { status: 'disabled' } })
    await stack.db.session.deleteMany({ where: { accountId: { not: account.id } } })
    const words = await said(person)
    expect(words).toContain('your session has ended, or the account was disabled')
    expect(await said(other)).toBe(words)
    const made = await fetch(`${stack.issuer}/sign-in`, { headers: { cookie: 'vertexsms_session=of-nobody' } })
    expect(await made.text()).toContain(words)
    // Another tab may have signed in since this one asked: its cookie must not go.
    expect(made.headers.getSetCookie().some((one) => one.startsWith('vertexsms_session'))).toBe(false)
    expect(await said(person)).toBeNull()
  })

  it.skipIf(!CAN_MEET)('leaves one of two browsers signed in that end all others at once', async () => {
    const { id } = await stack.account()
    const browsers = [await stack.person(id), await stack.person(id)]
    const forms = await Promise.all(
      browsers.map(async (person) => ({ person, csrf: hiddenField((await person.get(SESSIONS)).html, 'csrf') })),
    )
    const rows = Prisma.sql`SELECT id::text FROM session WHERE account_id = ${id}::uuid FOR UPDATE`
    const end = forms.map(
      ({ person, csrf }) =>
        () =>
          person.post(`${SESSIONS}/end-others`, [['csrf', csrf]]),
    )
    await meetBehind(stack.db, rows, end)
    expect(await stack.db.session.count({ where: { accountId: id } })).toBe(1)
  })

  it('notes when it was last seen, at most once a minute', async () => {
    const { account, person } = await newSignedIn(stack)
    const seen = async () => (await stack.db.session.findFirstOrThrow({ where: { accountId: account.id } })).lastSeenAt
    const first = await seen()
    await person.get('/settings/api')
    expect(await seen()).toEqual(first)
    const earlier = new Date(first.getTime() - 61_000)
    await stack.db.session.updateMany({ where: { accountId: account.id }, data: { lastSeenAt: earlier } })
    await person.get('/settings/api')
    expect((await seen()).getTime()).toBeGreaterThan(earlier.getTime())
  })

  it('has a name over https that no other host and no plain page can set (RFC 6265bis §4.1.3.2)', async () => {
    const secure = await startStack({
      settings: { ISSUER_URL: 'https://auth.example', OPERATOR_KEY: randomBytes(32).toString('base64url') },
    })
    try {
      const account = await makeAccount(secure)
      // The name of the public host stands in for a proxy that ends TLS.
      const person = await secure.person()
      const listening = `http://localhost:${(secure.app.server.address() as { port: number }).port}`
      const page = await fetch(`${listening}/sign-in`)
      const visitor = page.headers.getSetCookie()[0]?.split(';')[0] ?? ''
      const answer = await fetch(`${listening}/sign-in`, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie: visitor, origin: 'https://auth.example' },
        body: new URLSearchParams({
          csrf: hiddenField(await page.text(), 'csrf'),
          email: account.email,
          password: PASSWORD,
        }),
      })
      expect(answer.status).toBe(303)
      const cookies = answer.headers.getSetCookie()
      expect(cookies.length).toBeGreaterThan(0)
      for (const cookie of cookies) expect(cookie).toMatch(/^__Host-[^;]*;.*Secure/)
      expect(person.cookies).toEqual([])
    } finally {
      await secure.close()
    }
  })
})

// One page and its forms: password and time zone.
import { randomBytes } from 'node:crypto'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { verifyPassword } from '../src/accounts/password.ts'
import { createPasswordLink } from '../src/accounts/password-link.ts'
import { presentName } from '../src/connections/time-zone.ts'
import { LIMITS } from '../src/service-limits.ts'
import { connect, refresh, register } from './support/client.ts'
import { realTime, untilWindow } from './support/clock.ts'
import { CAN_MEET, waitingFor } from './support/meeting.ts'
import { fillSignIn, makeAccount, newSignedIn, PASSWORD } from './support/people.ts'
import { hiddenField, type Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

const PATH = '/settings/account'
const NEW_PASSWORD = 'four other unrelated words'
let test: TestDatabase
let stack: Stack
/** A node beside it that counts. */
let strict: Stack
beforeAll(async () => {
  test = await testDatabase()
  const OPERATOR_KEY = randomBytes(32).toString('base64url')
  stack = await startStack({ test, settings: { OPERATOR_KEY } })
  strict = await startStack({ test, settings: { OPERATOR_KEY, RATE_LIMITS: 'on' } })
})
afterEach(() => realTime(strict))
afterAll(async () => {
  await strict?.close()
  await stack?.close()
  await test?.close()
})

async function send(person: Person, form: string, fields: Record<string, string>) {
  const csrf = hiddenField((await person.get(PATH)).html, 'csrf')
  return person.post(`${PATH}/${form}`, Object.entries({ csrf, ...fields }))
}

function change(person: Person, fields: Record<string, string> = {}) {
  return send(person, 'password', { password: PASSWORD, new_password: NEW_PASSWORD, ...fields })
}

async function hashOf(accountId: string): Promise<string> {
  return (await stack.db.account.findUniqueOrThrow({ where: { id: accountId } })).passwordHash
}

describe('the password', () => {
  it('is changed by who knows it, which signs every other browser out and this one in anew', async () => {
    const { account, person } = await newSignedIn(stack)
    const copy = person.cookieHeader(PATH)
    const other = await stack.person(account.id)
    const link = { issuerUrl: stack.issuer, email: account.email, hours: 1, now: new Date() }
    const waiting = await createPasswordLink(stack.db, link)

    const answer = await change(person)
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `${PATH}?done=password`])
    const { html } = await person.get(`${PATH}?done=password`)
    expect(html).toContain('Your password is changed.')
    expect((await other.get(PATH)).headers.get('location')).toContain('/sign-in')
    // A copy of this browser's cookie is out as well, and so is a link that was under way.
    const copied = await fetch(stack.issuer + PATH, { headers: { cookie: copy }, redirect: 'manual' })
    expect(copied.status).toBe(303)
    expect((await (await stack.person()).open(waiting)).status).toBe(410)

    const { email } = account
    expect((await fillSignIn(await stack.person(), { email })).status).toBe(422)
    expect((await fillSignIn(await stack.person(), { email, password: NEW_PASSWORD })).status).toBe(303)
  })

  it('that can be shown is corrected by nothing, nor sent to what checks spelling', async () => {
    const { person } = await newSignedIn(stack)
    const link = { issuerUrl: stack.issuer, email: 'new@example.com', hours: 1, now: new Date() }
    const pages = [
      await person.get(PATH),
      await (await stack.person()).open(await createPasswordLink(stack.db, link)),
    ] as const
    for (const { html } of pages) {
      const shown = [...html.matchAll(/data-shows="([^"]+)"/g)].map(([, id]) => id)
      expect(shown).toHaveLength(1)
      for (const id of shown) {
        const [field = ''] = new RegExp(`<input id="${id}"[^>]*>`).exec(html) ?? []
        for (const part of ['spellcheck="false"', 'autocapitalize="none"', 'autocorrect="off"'])
          expect(field).toContain(part)
      }
    }
  })

  it.each([
    ['leaves connected apps and passkeys alone, unless the box is ticked', {}, true],
    ['disconnects every app where the box is ticked', { end_connections: 'on' }, false],
  ])('%s', async (_title, fields, goesOn) => {
    const { account, person } = await newSignedIn(stack)
    const client = await register(stack)
    const tokens = await connect(client, person)
    const passkey = { accountId: account.id, publicKey: new Uint8Array(1), counter: 0n, createdAt: new Date() }
    await stack.db.passkey.create({ data: { ...passkey, id: account.id, name: 'Laptop' } })
    expect((await person.get(PATH)).html).not.toMatch(/name="end_connections"[^>]*checked/)
    expect((await change(person, fields)).status).toBe(303)
    expect(await stack.db.passkey.count({ where: { accountId: account.id } })).toBe(1)
    const refreshed = refresh(client, tokens.refresh).then(
      () => true,
      () => false,
    )
    expect(await refreshed).toBe(goesOn)
    const [connection] = await stack.db.connection.findMany({ where: { accountId: account.id } })
    expect(connection?.endedReason ?? null).toBe(goesOn ? null : 'account')
  })

  it.each([
    ['with a wrong password', { password: 'not the password' }, 'Nothing was changed.'],
    ['without the password', { password: '' }, 'Nothing was changed.'],
    ['to a short one', { new_password: 'short' }, 'Use at least 12 characters.'],
    ['to a common one', { new_password: 'password123456' }, 'one of the first passwords'],
    ['to the same one', { new_password: PASSWORD }, 'the password you have now'],
  ])('is not changed %s, and nobody is signed out', async (_case, fields, sentence) => {
    const { account, person } = await newSignedIn(stack)
    const other = await stack.person(account.id)
    const before = await hashOf(account.id)
    const { status, html } = await change(person, { end_connections: 'on', ...fields })
    expect(status).toBe(422)
    expect(html).toContain(sentence)
    // What was typed is not in the page; what was ticked still is.
    for (const typed of [PASSWORD, NEW_PASSWORD, 'not the password']) expect(html).not.toContain(typed)
    expect(html).toContain('type both again')
    expect(html).toMatch(/name="end_connections"[^>]*checked/)
    expect(await hashOf(account.id)).toBe(before)
    expect((await other.get(PATH)).status).toBe(200)
    expect((await person.get(PATH)).status).toBe(200)
  })

  it('is not the email address, as by a link', async () => {
    const { account, person } = await newSignedIn(stack)
    const { status, html } = await change(person, { new_password: account.email })
    expect([status, html.includes('must not be your email address')]).toEqual([422, true])
  })

  it('of two changes at once one stands: the other was proved with a password that is gone', async () => {
    const { account, person } = await newSignedIn(stack)
    const csrf = hiddenField((await person.get(PATH)).html, 'csrf')
    const send = (new_password: string) =>
      person.post(`${PATH}/password`, Object.entries({ csrf, password: PASSWORD, new_password }))
    const answers = await Promise.all([send(NEW_PASSWORD), send('yet another four words')])
    const done = answers.filter(({ headers }) => headers.get('location')?.includes('done=password'))
    expect(done.length).toBe(1)
    const winner = answers[0] === done[0] ? NEW_PASSWORD : 'yet another four words'
    expect(await verifyPassword(await hashOf(account.id), winner)).toBe(true)
  })

  it('is changed a few times an hour, for each change is a mail to its owner; what was refused is none', async () => {
    await untilWindow(LIMITS.passwordChange.seconds, strict)
    const { id } = await makeAccount(strict)
    const person = await strict.person(id)
    const changed = async (password: string, new_password: string) => {
      const csrf = hiddenField((await person.get(PATH)).html, 'csrf')
      return (await person.post(`${PATH}/password`, Object.entries({ csrf, password, new_password }))).status
    }
    const mails = () => strict.db.notice.count({ where: { accountId: id, kind: 'password_changed' } })
    let [now, next] = [PASSWORD, NEW_PASSWORD]
    for (let at = 0; at < LIMITS.passwordChange.hits; at += 1) {
      expect([await changed(next, now), await changed(now, next)]).toEqual([422, 303])
      ;[now, next] = [next, now]
    }
    expect([await changed(now, next), await mails()]).toEqual([429, LIMITS.passwordChange.hits])
  })

  it('gives no more guesses than signing in, counted together, on every page that asks for it', async () => {
    await untilWindow(LIMITS.signIn.seconds, strict)
    const { email, id } = await makeAccount(strict)
    const person = await strict.person(id)
    const csrf = hiddenField((await person.get(PATH)).html, 'csrf')
    const guess = (path: string) =>
      person.post(path, Object.entries({ csrf, password: 'wrong', token: 'x'.repeat(20) }))
    const paths = [`${PATH}/password`, '/settings/passkeys', '/settings/vertexsms-account']
    for (let at = 0; at < LIMITS.signIn.hits; at += 1) {
      expect((await guess(paths[at % paths.length] ?? '')).status).toBe(422)
    }
    for (const path of paths) expect((await guess(path)).status).toBe(429)
    expect((await fillSignIn(await strict.person(), { email })).status).toBe(429)
  })
})

describe('the time zone', () => {
  it('is chosen from those there are, and UTC again', async () => {
    const { account, person } = await newSignedIn(stack)
    const zone = async () => (await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })).timeZone
    expect((await person.get(PATH)).html).toMatch(/<option value="" selected>UTC/)
    expect((await send(person, 'time-zone', { time_zone: 'Europe/Vilnius' })).status).toBe(303)
    expect(await zone()).toBe('Europe/Vilnius')
    const { html } = await person.get(`${PATH}?done=zone`)
    expect(html).toContain('<option value="Europe/Vilnius" selected>Vilnius')
    expect(html).toContain('Your time zone is Europe/Vilnius.')
    expect((await send(person, 'time-zone', { time_zone: '' })).status).toBe(303)
    expect(await zone()).toBeNull()
    expect((await person.get(`${PATH}?done=zone`)).html).toContain('Your time zone is UTC.')
  })

  it('is told as text, whatever stands there', async () => {
    const { account, person } = await newSignedIn(stack)
    await stack.db.account.update({ where: { id: account.id }, data: { timeZone: '<b>"' } })
    const { status, html } = await person.get(`${PATH}?done=zone`)
    expect(status).toBe(200)
    expect(html).not.toContain('<b>')
  })

  it.each([
    ['Asia/Calcutta', 'Asia/Kolkata', 'Kolkata'],
    ['Europe/Kiev', 'Europe/Kyiv', 'Kyiv'],
    ['Asia/Rangoon', 'Asia/Yangon', 'Yangon'],
    ['America/Godthab', 'America/Nuuk', 'Nuuk'],
    ['America/Buenos_Aires', 'America/Argentina/Buenos_Aires', 'Argentina, Buenos Aires'],
  ])(
    'that stands as %s is shown as %s, and is kept by looking at it and by choosing it',
    async (old, present, place) => {
      const { account, person } = await newSignedIn(stack)
      const where = { id: account.id }
      await stack.db.account.update({ where, data: { timeZone: old } })
      const { html } = await person.get(`${PATH}?done=zone`)
      expect(html).toContain(`<option value="${present}" selected>${place}</option>`)
      expect(html.split(' selected>')).toHaveLength(2)
      expect(html).toContain(`Your time zone is ${present}.`)
      expect((await stack.db.account.findUniqueOrThrow({ where })).timeZone).toBe(old)
      for (const name of [present, old]) {
        expect((await send(person, 'time-zone', { time_zone: name })).status).toBe(303)
        expect((await stack.db.account.findUniqueOrThrow({ where })).timeZone).toBe(name)
      }
    },
  )

  it('is offered once, under its present name, and is the same zone under either', async () => {
    const { person } = await newSignedIn(stack)
    const { html } = await person.get(PATH)
    const select = /<select id="time-zone"[\s\S]*?<\/select>/.exec(html)?.[0] ?? ''
    const offered = [...select.matchAll(/<option value="([^"]+)"/g)].map(([, name = '']) => name)
    expect(new Set(offered).size).toBe(offered.length)
    const clocks = (timeZone: string) => {
      const clock = new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'short', timeStyle: 'short' })
      return [0, 6].map((month) => clock.format(new Date(Date.UTC(2026, month, 1))))
    }
    const listed = Intl.supportedValuesOf('timeZone')
    const renamed = listed.filter((name) => !offered.includes(name))
    expect(renamed.map(presentName).filter((name) => !offered.includes(name))).toEqual([])
    for (const name of renamed) expect([name, clocks(name)]).toEqual([name, clocks(presentName(name))])
    const old = ['Europe/Kiev', 'Asia/Calcutta', 'Asia/Rangoon', 'America/Godthab', 'Asia/Katmandu', 'Asia/Saigon']
    expect(offered.filter((name) => old.includes(name))).toEqual([])
    for (const name of ['Europe/Vilnius', ...old.map(presentName)]) expect(offered).toContain(name)
  })

  it('that stands under a name that is in no list is kept by looking at it', async () => {
    const { account, person } = await newSignedIn(stack)
    await stack.db.account.update({ where: { id: account.id }, data: { timeZone: 'US/Eastern' } })
    expect((await person.get(PATH)).html).toContain('<option value="US/Eastern" selected>Eastern</option>')
  })

  it.each(['+02:00', 'Europe/Nowhere', 'Europe/Vilnius; DROP', '../etc/passwd', 'x'.repeat(5000)])(
    'is not set to %j',
    async (time_zone) => {
      const { account, person } = await newSignedIn(stack)
      const { status, html } = await send(person, 'time-zone', { time_zone })
      expect([status, html.includes('Choose a time zone from the list.')]).toEqual([422, true])
      expect((await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })).timeZone).toBeNull()
    },
  )

  it.each([
    ['europe/vilnius', 'Europe/Vilnius'],
    ['ASIA/KOLKATA', 'Asia/Kolkata'],
    ['us/eastern', 'America/New_York'],
    ['utc', 'UTC'],
  ])('that is typed as %s is kept as %s', async (time_zone, kept) => {
    const { account, person } = await newSignedIn(stack)
    expect((await send(person, 'time-zone', { time_zone })).status).toBe(303)
    expect((await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })).timeZone).toBe(kept)
    expect((await person.get(PATH)).html).toContain(`<option value="${kept}" selected>`)
  })

  it('of another account stays as it is', async () => {
    const other = await stack.account()
    const { person } = await newSignedIn(stack)
    await send(person, 'time-zone', { time_zone: 'Europe/Vilnius' })
    expect((await stack.db.account.findUniqueOrThrow({ where: { id: other.id } })).timeZone).toBeNull()
  })
})

describe('the notices by email', () => {
  const told = 'No email is sent to you, because this service has no mail server.'

  it('are none where the service has no mail server, and the page says why and where to look', async () => {
    const { person } = await newSignedIn(stack)
    const { html } = await person.get(PATH)
    expect(html).toContain(told)
    expect(html).not.toContain(`action="${PATH}/mails"`)
  })

  it('are chosen where it has one', async () => {
    const settings = { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'connect@example.com' }
    const mailing = await startStack({ settings })
    try {
      const { person } = await newSignedIn(mailing)
      const { html } = await person.get(PATH)
      expect(html).toContain(`action="${PATH}/mails"`)
      expect(html).not.toContain(told)
    } finally {
      await mailing.close()
    }
  })
})

describe.skipIf(!CAN_MEET)('an account that is deleted while a request of its owner is under way', () => {
  it.each<readonly [string, (person: Person, csrf: string) => ReturnType<Person['get']>]>([
    ['a page', (person) => person.get(PATH)],
    [
      'a form with the password',
      (person, csrf) =>
        person.post(`${PATH}/password`, Object.entries({ csrf, password: PASSWORD, new_password: NEW_PASSWORD })),
    ],
  ])('leads to signing in from %s', async (_what, ask) => {
    const { account, person } = await newSignedIn(stack)
    const csrf = hiddenField((await person.get(PATH)).html, 'csrf')
    let asked: ReturnType<Person['get']> | undefined
    await stack.db.$transaction(
      async (tx) => {
        // What every page reads once it knows who asks.
        await tx.$executeRaw`LOCK TABLE approval IN ACCESS EXCLUSIVE MODE`
        asked = ask(person, csrf)
        await expect.poll(() => waitingFor(stack.db)).toBe(1)
        await tx.account.delete({ where: { id: account.id } })
      },
      { timeout: 30_000 },
    )
    const answer = await asked
    const signIn = `/sign-in?return_to=${encodeURIComponent(PATH)}`
    expect([answer?.status, answer?.headers.get('location')]).toEqual([303, signIn])
  })
})

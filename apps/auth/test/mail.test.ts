// What is mailed, to whom and how often, over one mail server that also fails.
import { randomBytes, randomUUID } from 'node:crypto'
import { MUTABLE_NOTICES, type MutableNotice } from '@vertexsms/contract/notice'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RESET_HOURS } from '../src/accounts/password-link.ts'
import { LIMITS } from '../src/service-limits.ts'
import { connect, refresh, register } from './support/client.ts'
import { later, realTime, untilWindow } from './support/clock.ts'
import { Gate } from './support/gate.ts'
import { type MailServer, startMailServer } from './support/mail-server.ts'
import { operator } from './support/operator.ts'
import { fillSignIn, makeAccount, newSignedIn, PASSWORD } from './support/people.ts'
import { hiddenField, type Person } from './support/person.ts'
import { type Stack, type StackOptions, startStack } from './support/stack.ts'

const NEW_PASSWORD = 'four other unrelated words'
const FROM = 'connect@vertexsms.example'
const POLL_MS = 20
const OPERATOR_KEY = randomBytes(32).toString('base64url')

let server: MailServer
let test: TestDatabase
let stack: Stack
beforeAll(async () => {
  server = await startMailServer({ user: 'mailer:pa%20ss@' })
  test = await testDatabase()
  stack = await node()
})
afterAll(async () => {
  await stack?.close()
  await test?.close()
  await server?.close()
})
beforeEach(async () => {
  await stack.db.notice.deleteMany()
  await stack.db.passwordRequest.deleteMany()
  server.mails.length = 0
  server.attempts = 0
  server.reception = 'takes'
})
afterEach(() => realTime(stack))

/** A node that sends mail through the server of these tests. */
function node(options: StackOptions = {}): Promise<Stack> {
  const settings = { SMTP_URL: server.url, MAIL_FROM: FROM, OPERATOR_KEY, ...options.settings }
  return startStack({ test, mailPollMs: POLL_MS, ...options, settings })
}

async function forgot(person: Person, email: string) {
  const csrf = hiddenField((await person.get('/forgot-password')).html, 'csrf')
  return person.post('/forgot-password', Object.entries({ csrf, email }))
}

const arrived = (count: number) => expect.poll(() => server.mails.length, { timeout: 20_000 }).toBe(count)
/** Nothing waits any more: each was sent, or given up. */
const settled = () =>
  expect
    .poll(
      async () => [
        await stack.db.passwordRequest.count({ where: { nextAt: { not: null } } }),
        await stack.db.notice.count({ where: { nextAt: { not: null } } }),
      ],
      { timeout: 20_000 },
    )
    .toEqual([0, 0])

const linksOf = (body: string) => body.match(/https?:\/\/\S+/g) ?? []

async function usePasswordLink(link: string, password = NEW_PASSWORD) {
  const person = await stack.person()
  const { html, status } = await person.open(link)
  if (status !== 200) return { status, person }
  const fields = { csrf: hiddenField(html, 'csrf'), link: hiddenField(html, 'link'), password }
  const { status: answer } = await person.post('/set-password', Object.entries(fields))
  // The mail that tells of it would arrive in the next test otherwise.
  if (answer === 303) await settled()
  return { status: answer, person }
}

describe('a forgotten password', () => {
  it('is set anew by the link that is mailed, once, which ends everything that had got in', async () => {
    const { account, person } = await newSignedIn(stack)
    const client = await register(stack)
    const tokens = await connect(client, person)
    await arrived(1)
    server.mails.length = 0

    const answer = await forgot(await stack.person(), ` ${account.email.toUpperCase()} `)
    expect(answer.status).toBe(200)
    await arrived(1)
    const [mail] = server.mails
    expect(mail).toMatchObject({ from: FROM, to: [account.email] })
    expect(mail?.headers).toMatchObject({ subject: 'A new password for your VertexSMS account' })
    const [link = '', ...others] = linksOf(mail?.body ?? '')
    expect(link).toMatch(new RegExp(`^${stack.issuer}/set-password\\?link=[\\w-]{43}$`))
    expect(others).toEqual([])
    // Asking alone changes nothing.
    expect((await person.get('/settings/account')).status).toBe(200)

    expect((await usePasswordLink(link)).status).toBe(303)
    expect((await person.get('/settings/account')).status).toBe(303)
    await expect(refresh(client, tokens.refresh)).rejects.toThrow()
    expect((await fillSignIn(await stack.person(), { email: account.email, password: NEW_PASSWORD })).status).toBe(303)
    expect((await usePasswordLink(link)).status).toBe(410)
  })

  it('is answered alike, and costs the page the same, whether the address has an account or not', async () => {
    const { email } = await makeAccount(stack)
    const disabled = await makeAccount(stack, 'disabled')
    const pages = new Set<string>()
    for (const one of ['nobody@example.com', disabled.email, email]) {
      const { status, html } = await forgot(await stack.person(), one)
      expect(html).toContain(`If <strong class="name">${one}</strong> has an account`)
      pages.add(`${status} ${html.replace(/name="csrf" value="[^"]*"/g, '').replaceAll(one, '')}`)
    }
    expect(pages.size).toBe(1)
    // A note each; only the job, later, knows whose account it is.
    expect(await stack.db.passwordRequest.count()).toBe(3)
    await settled()
    expect(server.mails.map(({ to }) => to)).toEqual([[email]])
    expect(await stack.db.passwordLink.count({ where: { email: 'nobody@example.com' } })).toBe(0)
  })

  it('leaves an invited address its invitation: it has no password yet', async () => {
    const email = `${randomUUID()}@example.com`
    const data = { id: randomUUID(), email, createdAt: new Date(), expiresAt: new Date(Date.now() + 3_600_000) }
    await stack.db.passwordLink.create({ data: { ...data, secretHash: new Uint8Array(32).fill(9) } })
    await forgot(await stack.person(), email)
    await settled()
    expect(server.mails).toEqual([])
    expect(await stack.db.passwordLink.count({ where: { id: data.id } })).toBe(1)
  })

  it('that anybody may ask for leaves the link that an operator handed over good, until one of the two is used', async () => {
    const { email } = await makeAccount(stack)
    const ofOperator = async () => (await operator(stack, ['reset', email])).out
    const first = await ofOperator()
    await forgot(await stack.person(), email)
    await arrived(1)
    const [mailed = ''] = linksOf(server.mails[0]?.body ?? '')
    expect((await (await stack.person()).open(mailed)).status).toBe(200)
    expect((await usePasswordLink(first)).status).toBe(303)
    expect((await usePasswordLink(mailed)).status).toBe(410)

    server.mails.length = 0
    const second = await ofOperator()
    await forgot(await stack.person(), email)
    await arrived(1)
    expect((await usePasswordLink(linksOf(server.mails[0]?.body ?? '')[0] ?? '')).status).toBe(303)
    expect((await usePasswordLink(second)).status).toBe(410)
  })

  it('leaves the link that an operator handed over good in its last hour, too', async () => {
    const { email } = await makeAccount(stack)
    const { out } = await operator(stack, ['reset', email])
    await later((RESET_HOURS - 1) * 3600 + 60, stack)
    await forgot(await stack.person(), email)
    await arrived(1)
    expect((await usePasswordLink(out)).status).toBe(303)
  })

  it('has one live link, good for an hour, of which the database knows a hash alone', async () => {
    const { email } = await makeAccount(stack)
    await forgot(await stack.person(), email)
    await arrived(1)
    await forgot(await stack.person(), email)
    await arrived(2)
    const [older = '', newer = ''] = server.mails.flatMap(({ body }) => linksOf(body))
    expect((await usePasswordLink(older)).status).toBe(410)
    const secret = new URL(newer).searchParams.get('link') ?? ''
    const rows = JSON.stringify([await stack.db.passwordLink.findMany(), await stack.db.passwordRequest.findMany()])
    expect(rows).toContain(email)
    expect(rows).not.toContain(secret)
    await later(3600 + 60, stack)
    expect((await usePasswordLink(newer)).status).toBe(410)
  })

  it.each([
    '',
    'nonsense',
    'a@b, c@example.com',
    'x@example.com\r\nBcc: y@example.com',
    `${'x'.repeat(300)}@example.com`,
  ])('is asked for with a whole address: %j is refused, and noted nowhere', async (typed) => {
    const { status, html } = await forgot(await stack.person(), typed)
    expect([status, html.includes('Enter a complete email address.')]).toEqual([422, true])
    expect(html).toMatch(/aria-invalid="true" aria-describedby="problem"/)
    expect(await stack.db.passwordRequest.count()).toBe(0)
  })

  it('fills no mailbox and no table: by account the rest is left unsaid, by address refused', async () => {
    const strict = await node({ settings: { RATE_LIMITS: 'on' } })
    try {
      await untilWindow(LIMITS.forgotPassword.seconds, strict)
      for (const email of [(await makeAccount(strict)).email, 'nobody@example.com']) {
        const statuses: number[] = []
        for (let at = 0; at < LIMITS.forgotPasswordAccount.hits + 2; at += 1) {
          statuses.push((await forgot(await strict.person(), email)).status)
        }
        expect(statuses).toEqual(statuses.map(() => 200))
        expect(await strict.db.passwordRequest.count({ where: { email } })).toBe(LIMITS.forgotPasswordAccount.hits)
      }
      const { email } = await makeAccount(strict)
      const owner = await strict.person()
      await fillSignIn(owner, { email })
      const rest = LIMITS.forgotPassword.hits - 2 * (LIMITS.forgotPasswordAccount.hits + 2)
      for (let at = 0; at < rest; at += 1) {
        expect((await forgot(await strict.person(), `${randomUUID()}@example.com`)).status).toBe(200)
      }
      const refused = await forgot(await strict.person(), 'late@example.com')
      expect(refused.status).toBe(429)
      // How long, and what was typed: the page is the form again.
      expect(refused.html).toMatch(/Please wait \d+ (minutes?|hours?)[^.]*, then try again\./)
      expect(refused.html).toContain('name="email" value="late@example.com"')
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      // Neighbours keep nobody out of a browser that is known, and it vouches for its own account alone.
      expect((await forgot(owner, 'late@example.com')).status).toBe(429)
      expect((await forgot(owner, email)).status).toBe(200)
      expect(await strict.db.passwordRequest.count({ where: { email } })).toBe(1)
    } finally {
      await strict.close()
    }
  })

  it.each([
    [undefined, 'Ask the person or the team that invited you.'],
    ['help@example.com', 'href="mailto:help@example.com"'],
    ['https://example.com/help', 'href="https://example.com/help"'],
  ])('without a mail server is a matter of the operator, and the page says so (contact %s)', async (contact, words) => {
    const settings = { OPERATOR_KEY, ...(contact !== undefined && { OPERATOR_CONTACT: contact }) }
    const silent = await startStack({ test, settings })
    try {
      const person = await silent.person()
      const { html } = await person.get('/forgot-password')
      expect(html).toContain('This service sends no mail.')
      expect(html).toContain(words)
      expect(html).not.toContain('<form')
      const csrf = hiddenField((await person.get('/sign-in')).html, 'csrf')
      const { status } = await person.post('/forgot-password', Object.entries({ csrf, email: 'a@example.com' }))
      expect(status).toBe(200)
      expect(await silent.db.passwordRequest.count()).toBe(0)
    } finally {
      await silent.close()
    }
  })
})

describe('the mail server', () => {
  it('is signed in to, and neither its password nor an address is ever logged', async () => {
    const { email } = await makeAccount(stack)
    server.signIns.length = 0
    server.reception = 'refuses'
    await forgot(await stack.person(), email)
    await settled()
    expect(server.signIns).toContain('mailer:pa ss')
    const lines = stack.logLines.join('\n')
    expect(lines).toContain('a mail was not sent')
    for (const secret of ['pa ss', 'pa%20ss', 'mailer', email, '/set-password?']) expect(lines).not.toContain(secret)
  })

  it.each([
    ['takes it', 'takes', 1, 1],
    ['is busy at first', 'says later', 2, 1],
    ['refuses it', 'refuses', 1, 0],
    ['may have taken it', 'takes and says nothing', 1, 1],
  ] as const)(
    'that %s is told a mail as often as it should be, and no more',
    async (_case, reception, attempts, mails) => {
      server.reception = reception
      const { email } = await makeAccount(stack)
      await forgot(await stack.person(), email)
      await expect.poll(() => server.attempts, { timeout: 20_000 }).toBe(1)
      await expect.poll(() => stack.db.passwordRequest.count({ where: { claimedUntil: { not: null } } })).toBe(0)
      server.reception = 'takes'
      // Whatever is to be tried again is due by then, and again.
      await later(600, stack)
      await settled()
      await later(600, stack)
      await settled()
      expect([server.attempts, server.mails.length]).toEqual([attempts, mails])
    },
  )

  it('elsewhere is spoken to encrypted or not at all: no password, no link, in the clear (RFC 3207 §4.1)', async () => {
    // Another address of this machine, which is none of its usual names.
    const plain = await startMailServer({ host: '127.0.0.2', user: 'mailer:secret@' })
    const untrusted = await startMailServer({ host: '127.0.0.2', user: 'mailer:secret@', disabledCommands: [] })
    // None of the node beside, which would send it by its own server.
    const apart = await testDatabase()
    try {
      for (const elsewhere of [plain, untrusted]) {
        const settings = { SMTP_URL: elsewhere.url, MAIL_FROM: FROM, OPERATOR_KEY }
        const sending = await startStack({ test: apart, settings, mailPollMs: POLL_MS })
        const { email } = await makeAccount(sending)
        await forgot(await sending.person(), email)
        await expect
          .poll(() => sending.db.passwordRequest.count({ where: { email, attempts: 1, claimedUntil: null } }), {
            timeout: 20_000,
          })
          .toBe(1)
        expect([elsewhere.mails, elsewhere.signIns]).toEqual([[], []])
        await sending.close()
      }
    } finally {
      await plain.close()
      await untrusted.close()
      await apart.close()
    }
  })
})

describe('a notice', () => {
  const DETAILS: Readonly<Record<MutableNotice, Record<string, string>>> = {
    new_connection: {},
    first_send: {},
    limit_near: { upstream: 'vertexsms', limit: 'day', max: '5000000', used: '4100000' },
    auto_pause: { rule: 'number_block' },
  }

  async function noteFor(
    accountId: string,
    kind: MutableNotice,
    changes: Record<string, unknown> = {},
  ): Promise<string> {
    const now = new Date()
    const data = {
      id: randomUUID(),
      accountId,
      spenderId: accountId,
      kind,
      about: randomUUID(),
      details: DETAILS[kind],
    }
    await stack.db.notice.create({ data: { ...data, createdAt: now, nextAt: now, ...changes } })
    return data.id
  }

  async function connectionOf(accountId: string, clientName: string, redirectHost: string): Promise<string> {
    const id = randomUUID()
    const now = new Date()
    const times = { createdAt: now, approvedAt: now, expiresAt: new Date(now.getTime() + 86_400_000) }
    const of = {
      id,
      accountId,
      grantId: randomUUID(),
      clientId: 'client',
      clientName,
      redirectHost,
      scopes: ['sms:send'],
    }
    await stack.db.connection.create({ data: { ...of, ...times } })
    return id
  }

  it('of a new connection goes to its owner, and one that is approved again is none', async () => {
    const { account, person } = await newSignedIn(stack)
    const client = await register(stack, { client_name: 'Report writer' })
    await connect(client, person)
    await arrived(1)
    const [mail] = server.mails
    const connection = await stack.db.connection.findFirstOrThrow({ where: { accountId: account.id } })
    expect(mail).toMatchObject({ to: [account.email], from: FROM })
    expect(mail?.headers.subject).toBe('A new app is connected to your VertexSMS account')
    expect(mail?.body).toContain('an app whose answers go to 127[.]0[.]0[.]1.')
    expect(mail?.body).toContain('It calls itself "Report writer". Nobody has verified this name.')
    expect(linksOf(mail?.body ?? '')).toEqual([
      `${stack.issuer}/connections/${connection.id}`,
      `${stack.issuer}/settings/account`,
      `${stack.issuer}/settings/account`,
    ])
    await connect(client, person)
    await settled()
    expect(server.mails.length).toBe(1)
  })

  it.each([
    ['first_send', 'An app sends for the first time', /first message/],
    ['limit_near', 'A limit of your VertexSMS account', /today 4\.10\sEUR of 5\.00\sEUR/],
    ['auto_pause', 'An app was paused', /numbers that follow each other/],
    ['new_connection', 'A new app is connected', /allowed to use your account/],
  ] as const)(
    'of the kind %s says what happened, and is not sent to who switched it off',
    async (kind, subject, body) => {
      const { account, person } = await newSignedIn(stack)
      await noteFor(account.id, kind)
      await arrived(1)
      expect(server.mails[0]?.headers.subject).toContain(subject)
      expect(server.mails[0]?.body).toMatch(body)

      const csrf = hiddenField((await person.get('/settings/account')).html, 'csrf')
      const kept = Object.keys(DETAILS).filter((one) => one !== kind)
      const fields = [['csrf', csrf], ['language', 'lt'], ...kept.map((one) => ['notice', one])] as [string, string][]
      // A browser that was left open is not enough to silence an alarm.
      for (const password of [[], [['password', 'not the password']]] as [string, string][][]) {
        const refused = await person.post('/settings/account/mails', [...fields, ...password])
        expect(refused.status).toBe(422)
        expect(refused.html).toMatch(
          /name="password"[^>]* aria-invalid="true" aria-describedby="mails-problem" autofocus/,
        )
        expect(refused.html).toContain('<option value="lt" lang="lt" selected>')
        const { mutedNotices } = await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })
        expect(mutedNotices).toEqual([])
      }
      const proved: [string, string][] = [...fields, ['password', PASSWORD]]
      expect((await person.post('/settings/account/mails', proved)).status).toBe(303)
      const page = (await person.get('/settings/account')).html
      for (const one of Object.keys(DETAILS)) {
        expect(new RegExp(`value="${one}" checked`).test(page), one).toBe(one !== kind)
      }
      const off = await noteFor(account.id, kind)
      const on = await noteFor(account.id, kept[0] as MutableNotice)
      await settled()
      expect(await stack.db.notice.count({ where: { id: off, sentAt: null } })).toBe(1)
      expect(await stack.db.notice.count({ where: { id: on, sentAt: { not: null } } })).toBe(1)
      // In the language that was chosen beside it.
      expect(server.mails.length).toBe(2)
      expect(server.mails[1]?.body).toMatch(/^Sveiki,/)
      expect(server.mails[1]?.headers.subject).toMatch(/VertexSMS/)
    },
  )

  it('is switched on again without a password', async () => {
    const { account, person } = await newSignedIn(stack)
    await stack.db.account.update({ where: { id: account.id }, data: { mutedNotices: [...MUTABLE_NOTICES] } })
    const csrf = hiddenField((await person.get('/settings/account')).html, 'csrf')
    const fields = [['csrf', csrf], ...MUTABLE_NOTICES.map((kind) => ['notice', kind])] as [string, string][]
    expect((await person.post('/settings/account/mails', fields)).status).toBe(303)
    expect(await stack.db.account.findUnique({ where: { id: account.id } })).toMatchObject({ mutedNotices: [] })
  })

  it('and its language stay as they were chosen since by a page that was opened before and changes neither', async () => {
    const { account, person } = await newSignedIn(stack)
    const choice = async () => {
      const { language, mutedNotices } = await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })
      return { language, mutedNotices }
    }
    const filled = (html: string) => {
      const form = html.split('action="/settings/account/mails"')[1]?.split('</form>')[0] ?? ''
      const hidden = [...form.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
        name,
        value,
      ])
      const ticked = [...form.matchAll(/name="notice" value="([^"]+)" checked/g)].map(([, value]) => ['notice', value])
      const language = /<option value="(\w+)"[^>]* selected/.exec(form)?.[1] ?? ''
      return [...hidden, ...ticked, ['language', language]] as [string, string][]
    }
    await stack.db.account.update({ where: { id: account.id }, data: { language: 'en' } })
    const stale = filled((await person.get('/settings/account')).html)
    expect(stale.filter(([name]) => name === 'notice')).toHaveLength(MUTABLE_NOTICES.length)
    await stack.db.account.update({
      where: { id: account.id },
      data: { mutedNotices: ['first_send'], language: 'lt' },
    })
    expect((await person.post('/settings/account/mails', stale)).status).toBe(303)
    expect(await choice()).toEqual({ language: 'lt', mutedNotices: ['first_send'] })
    // What is changed on it is taken.
    const on = stale.map(([name, value]): [string, string] => [name, name === 'language' ? 'lt' : value])
    await stack.db.account.update({ where: { id: account.id }, data: { language: 'en' } })
    const less = on.filter(([name, value]) => name !== 'notice' || value !== 'limit_near')
    const proved = await person.post('/settings/account/mails', [...less, ['password', PASSWORD]])
    expect(proved.status).toBe(303)
    expect(await choice()).toEqual({ language: 'lt', mutedNotices: ['first_send', 'limit_near'] })
  })

  it('is not switched off without a password by a form that was on its way when it was switched on again', async () => {
    const gate = new Gate()
    const gated = await startStack({ test, settings: { OPERATOR_KEY }, db: (db) => gate.guard(db) })
    try {
      const { account, person } = await newSignedIn(gated)
      await gated.db.account.update({ where: { id: account.id }, data: { mutedNotices: ['first_send'] } })
      const csrf = hiddenField((await person.get('/settings/account')).html, 'csrf')
      const kept = MUTABLE_NOTICES.filter((kind) => kind !== 'first_send')
      const fields = [['csrf', csrf], ...kept.map((kind) => ['notice', kind])] as [string, string][]
      const { arrived, open } = gate.close()
      const late = person.post('/settings/account/mails', fields)
      await arrived
      await gated.db.account.update({ where: { id: account.id }, data: { mutedNotices: ['new_connection'] } })
      open()
      expect((await late).status).toBe(303)
      expect(await gated.db.account.findUnique({ where: { id: account.id } })).toMatchObject({ mutedNotices: [] })
    } finally {
      await gated.close()
    }
  })

  it.each(['xx', '<b>', 'en\r\nBcc: x@example.com', '__proto__', ''])(
    'is in no language that nobody offers, such as %j, and a kind that nobody may mute changes nothing',
    async (language) => {
      const { account, person } = await newSignedIn(stack)
      await stack.db.account.update({ where: { id: account.id }, data: { language: 'lt' } })
      const csrf = hiddenField((await person.get('/settings/account')).html, 'csrf')
      const kinds = [...MUTABLE_NOTICES, 'password_changed', 'toString', '<b>']
      const fields = [['csrf', csrf], ['language', language], ...kinds.map((kind) => ['notice', kind])]
      expect((await person.post('/settings/account/mails', fields as [string, string][])).status).toBe(303)
      const { language: stands, mutedNotices } = await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })
      expect([stands, mutedNotices]).toEqual(['lt', []])
    },
  )

  it('of a changed password goes to its owner, whatever is muted, in the language of the browser first met', async () => {
    const account = await makeAccount(stack)
    await stack.db.account.update({ where: { id: account.id }, data: { mutedNotices: [...MUTABLE_NOTICES] } })
    const person = await stack.person()
    await person.get('/language?to=lt&back=/sign-in')
    await fillSignIn(person, account)
    const csrf = hiddenField((await person.get('/settings/account')).html, 'csrf')
    const change = (password: string) =>
      person.post('/settings/account/password', [
        ['csrf', csrf],
        ['password', password],
        ['new_password', NEW_PASSWORD],
      ])
    expect((await change('not the password')).status).toBe(422)
    expect((await change(PASSWORD)).status).toBe(303)
    await arrived(1)
    expect(server.mails[0]).toMatchObject({ to: [account.email], from: FROM })
    expect(server.mails[0]?.headers.subject).toBe('Pakeistas jūsų VertexSMS paskyros slaptažodis')
    expect(linksOf(server.mails[0]?.body ?? '')).toEqual([`${stack.issuer}/forgot-password`])
    await settled()
    expect(server.mails.length).toBe(1)
    // Another browser in another language changes nothing of that.
    const { language } = await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })
    await fillSignIn(await stack.person(), { ...account, password: NEW_PASSWORD })
    expect([language, (await stack.db.account.findUniqueOrThrow({ where: { id: account.id } })).language]).toEqual([
      'lt',
      'lt',
    ])
  })

  it.each(['token', 'account', 'connection'] as const)('of limits leads to the page of the %s', async (kind) => {
    const { account, person } = await newSignedIn(stack)
    const facts = { kind: 'manual' as const, permissions: ['POST /sms'], ipAllowList: [], createdAt: new Date() }
    const token = { ...facts, id: randomUUID(), name: 'Nightly', tokenHash: new Uint8Array(randomBytes(32)) }
    if (kind === 'token') await stack.db.apiToken.create({ data: { ...token, accountId: account.id } })
    const ids = {
      token: token.id,
      account: account.id,
      connection: kind === 'connection' ? await connectionOf(account.id, 'x', 'app.example') : '',
    }
    await noteFor(account.id, 'limit_near', { spenderId: ids[kind] })
    await arrived(1)
    const [page = ''] = linksOf(server.mails[0]?.body ?? '')
    const { status, html } = await person.get(page.slice(stack.issuer.length))
    expect(status).toBe(200)
    expect(html).toContain('name="max_per_day"')
  })

  it.each([
    ['en', 'recipients used today: 1 of 1, by your whole account.'],
    ['lt', 'šiandien iš gavėjų ribos 1 per dieną išnaudota 1: visa jūsų paskyra.'],
  ])('of recipients reads well in %s of one as of many', async (language, sentence) => {
    const { account } = await newSignedIn(stack)
    await stack.db.account.update({ where: { id: account.id }, data: { language } })
    const details = { upstream: 'vertexsms', limit: 'recipients', max: '1', used: '1' }
    await noteFor(account.id, 'limit_near', { details })
    await arrived(1)
    expect(server.mails[0]?.body).toContain(sentence)
  })

  it.each([
    ['Claude". VertexSMS has checked it. “It„ is «"good', 'Claude’. VertexSMS has checked it. ’It’ is ’good'],
    ["Claude''. VertexSMS has checked it. ″It״ is ʺgood", 'Claude’. VertexSMS has checked it. ’It’ is ’good'],
    ['Claude \u0486\u0486. VertexSMS', 'Claude ’. VertexSMS'],
    ['VertexSMS שלום', '\u2068VertexSMS שלום\u2069'],
  ])('lets no name end the quotation that it stands in, or turn what is around it: %s', async (name, said) => {
    const { account } = await newSignedIn(stack)
    await noteFor(account.id, 'first_send', { spenderId: await connectionOf(account.id, name, 'app.example') })
    await arrived(1)
    const warned = `It calls itself "${said}". Nobody has verified this name. This is not VertexSMS.`
    expect(server.mails[0]?.body.split(/\r?\n/)).toContain(warned)
  })

  it('shows a hostile name as one quiet line: no header, no link, no second recipient', async () => {
    const { account } = await newSignedIn(stack)
    const name = `Pay\r\nBcc: spy@evil.example\r\n\r\nGo to https://evil.example/ or www.evil.example \u202e\u0007${'x'.repeat(3000)}`
    const spenderId = await connectionOf(account.id, name, 'evil.example\r\nCc: spy@evil.example')
    for (const kind of Object.keys(DETAILS) as MutableNotice[]) await noteFor(account.id, kind, { spenderId })
    await arrived(4)
    for (const mail of server.mails) {
      expect(mail.to).toEqual([account.email])
      expect(Object.keys(mail.headers)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^b?cc$/)]))
      expect(mail.headers.to).toBe(account.email)
      expect(mail.headers.subject).not.toMatch(/evil|Pay/)
      expect(mail.headers['content-type']).toMatch(/^text\/plain/)
      for (const link of linksOf(mail.body)) expect(new URL(link).origin).toBe(stack.issuer)
      expect(mail.body).not.toMatch(/evil\.example|@evil|\p{Cf}|^Bcc|x{100}/mu)
      expect(mail.body).toContain('evil[.]example')
    }
  })

  it('is sent once, however many nodes there are, and never for an account that is disabled, or days later', async () => {
    const nodes = [await node(), await node()]
    try {
      const { account } = await newSignedIn(stack)
      const disabled = await makeAccount(stack, 'disabled')
      await noteFor(disabled.id, 'first_send')
      await noteFor(account.id, 'first_send', { createdAt: new Date(Date.now() - 3 * 86_400_000) })
      const ids = await Promise.all(Array.from({ length: 15 }, () => noteFor(account.id, 'first_send')))
      await arrived(15)
      await settled()
      expect(server.mails.length).toBe(15)
      const messageIds = server.mails.map(({ headers }) => headers['message-id'])
      expect(messageIds.sort()).toEqual(ids.map((id) => `<${id}@vertexsms.example>`).sort())
    } finally {
      for (const one of nodes) await one.close()
    }
  })

  it('that a node died over is sent by another once its claim is over', async () => {
    const { account } = await newSignedIn(stack)
    await noteFor(account.id, 'first_send', { attempts: 1, claimedUntil: new Date(Date.now() + 30_000) })
    await noteFor(account.id, 'auto_pause')
    await arrived(1)
    expect(server.mails[0]?.headers.subject).toContain('was paused')
    await later(60, stack)
    await arrived(2)
  })
})

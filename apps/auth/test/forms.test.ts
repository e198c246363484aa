// What holds for each form, whatever it is for.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPasswordLink } from '../src/accounts/password-link.ts'
import { isSameOrigin } from '../src/web/forms.ts'
import { makeAccount, newSignedIn, PASSWORD } from './support/people.ts'
import { hiddenField, type Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  // Nobody listens there: the form that asks for a mail is shown, and only noted.
  stack = await startStack({ settings: { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'connect@example.com' } })
})
afterAll(() => stack.close())

type Fields = [string, string][]

/** A form: where it is shown, where it goes, and what an honest browser fills in. */
interface Form {
  readonly route: string
  readonly page: string
  readonly path: string
  readonly fields: Fields
  readonly person: Person
  /** The statuses of a post that is let in. */
  readonly accepted: readonly number[]
}

const SOME_ID = randomUUID()

/** Of the ways in which a form is refused, each form takes one of so many. */
const SHARES = 4

const FORMS: readonly (() => Promise<Form>)[] = [
  visitorForm('/sign-in', '/sign-in', async () => {
    const { email } = await makeAccount(stack)
    return [
      ['email', email],
      ['password', PASSWORD],
    ]
  }),
  visitorForm('/sign-in', '/sign-in/passkey', async () => [['credential', '{}']]),
  visitorForm('/request-access', '/request-access', async () => [
    ['email', `${randomUUID()}@example.com`],
    ['name', 'Ada'],
    ['company', 'Example'],
    ['reason', 'Alerts'],
  ]),
  async () => {
    const link = { issuerUrl: '', email: `${randomUUID()}@example.com`, hours: 1, now: new Date() }
    const page = await createPasswordLink(stack.db, link)
    const secret = page.split('=')[1] ?? ''
    const fields: Fields = [
      ['link', secret],
      ['password', PASSWORD],
    ]
    return {
      route: '/set-password',
      page,
      path: '/set-password',
      fields,
      person: await stack.person(),
      accepted: [303],
    }
  },
  sessionForm('/sign-out', '/sign-out'),
  sessionForm('/settings/api/new', '/settings/api/new', [
    ['name', 'x'],
    ['permissions', 'GET /rates'],
    ['expires_in', '1d'],
  ]),
  sessionForm('/settings/api/tokens/:tokenId/delete', `/settings/api/tokens/${SOME_ID}/delete`),
  sessionForm('/settings/api/tokens/:tokenId/edit', `/settings/api/tokens/${SOME_ID}/edit`, [['name', 'x']]),
  sessionForm('/settings/api/tokens/:tokenId/replace', `/settings/api/tokens/${SOME_ID}/replace`),
  sessionForm('/connections/:connectionId/disconnect', `/connections/${SOME_ID}/disconnect`),
  sessionForm('/settings/sessions/:sessionId/end', `/settings/sessions/${SOME_ID}/end`),
  sessionForm('/settings/sessions/end-others', '/settings/sessions/end-others'),
  sessionForm('/settings/passkeys', '/settings/passkeys', [
    ['password', PASSWORD],
    ['credential', '{}'],
  ]),
  sessionForm('/settings/passkeys/remove', '/settings/passkeys/remove', [['passkey', 'none']]),
  sessionForm('/settings/account/password', '/settings/account/password', [
    ['password', 'not the password'],
    ['new_password', PASSWORD],
  ]),
  visitorForm('/forgot-password', '/forgot-password', async () => [['email', `${randomUUID()}@example.com`]]),
  sessionForm('/settings/account/mails', '/settings/account/mails', [['notice', 'first_send']]),
  sessionForm('/settings/account/time-zone', '/settings/account/time-zone', [['time_zone', 'Europe/Vilnius']]),
  sessionForm('/settings/vertexsms-account', '/settings/vertexsms-account', [
    ['token', 'a-token-of-the-operator-0001'],
    ['password', PASSWORD],
    ['unasked', 'on'],
  ]),
  sessionForm('/settings/vertexsms-account/price', '/settings/vertexsms-account/price', [['hlr_price', '0.01']]),
  sessionForm('/settings/vertexsms-account/remove', '/settings/vertexsms-account/remove', [['password', PASSWORD]]),
  sessionForm('/settings/limits/limits', '/settings/limits/limits', [['max_per_day', '9']]),
  sessionForm('/settings/limits/pause', '/settings/limits/pause'),
  sessionForm('/settings/limits/resume', '/settings/limits/resume'),
  // Nobody's: a post that is let in finds nothing.
  sessionForm('/messages/:messageId/outcome', '/messages/1/outcome', [['outcome', 'sent']], [404]),
  sessionForm('/messages/:messageId/cancel', '/messages/1/cancel', [], [404]),
  sessionForm('/settings/api/tokens/:tokenId/limits', `/settings/api/tokens/${SOME_ID}/limits`, [], [404]),
  sessionForm('/settings/api/tokens/:tokenId/pause', `/settings/api/tokens/${SOME_ID}/pause`, [], [404]),
  sessionForm('/settings/api/tokens/:tokenId/resume', `/settings/api/tokens/${SOME_ID}/resume`, [], [404]),
  sessionForm('/approvals', '/approvals', [['spender', SOME_ID]]),
  sessionForm('/approvals/:approvalId', `/approvals/${SOME_ID}`, [['decision', 'refuse']], [404]),
  sessionForm('/connections/:connectionId/limits', `/connections/${SOME_ID}/limits`, [], [404]),
  sessionForm('/connections/:connectionId/pause', `/connections/${SOME_ID}/pause`, [], [404]),
  sessionForm('/connections/:connectionId/resume', `/connections/${SOME_ID}/resume`, [], [404]),
]

function visitorForm(page: string, path: string, fields: () => Promise<Fields>) {
  return async (): Promise<Form> => ({
    route: path,
    page,
    path,
    fields: await fields(),
    person: await stack.person(),
    accepted: [200, 303, 422],
  })
}

/** Whoever is signed in at all the forms of a session; the one that ends it has a session of its own. */
let shared: Promise<{ person: Person }> | undefined

function sessionForm(route: string, path: string, fields: Fields = [], accepted: readonly number[] = [200, 303, 422]) {
  return async (): Promise<Form> => {
    if (route !== '/sign-out') shared ??= newSignedIn(stack)
    const { person } = (route === '/sign-out' ? undefined : await shared) ?? (await newSignedIn(stack))
    return { route, page: '/settings/passkeys', path, fields, person, accepted }
  }
}

/** The paths that take a POST, read from Fastify's drawing of its route tree. */
function postRoutes(tree: string): string[] {
  const above: string[] = []
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods = ''] = /^([ │]*)[├└]── (\S+)(?: \((.*)\))?$/u.exec(line) ?? []
    const depth = indent.length / 4
    above.splice(depth, above.length, part)
    return methods.split(', ').includes('POST') ? [above.join('')] : []
  })
}

/** The bare code of a masked token, as it would stand in a page without the mask. */
function unmasked(token: string): string {
  const bytes = Buffer.from(token, 'base64url')
  return Buffer.from(bytes.subarray(32).map((byte, index) => byte ^ (bytes[index] ?? 0))).toString('base64url')
}

/** Every table's row count: what a refused form must not change. */
async function counts() {
  const { db } = stack
  return JSON.stringify([
    await db.session.count(),
    await db.apiToken.count(),
    await db.accessRequest.count(),
    await db.account.count(),
    await db.passkey.count(),
    await db.passkeyChallenge.count(),
    await db.upstreamAccount.count(),
    await db.passwordRequest.count(),
    await db.passwordLink.count({ where: { usedAt: null } }),
  ])
}

describe('a form whose session has ended meanwhile', () => {
  it.each([
    ['/settings/account/mails', '/settings/account'],
    ['/settings/api/new', '/settings/api/new'],
    [`/settings/api/tokens/${SOME_ID}/limits`, `/settings/api/tokens/${SOME_ID}`],
    [`/connections/${SOME_ID}/pause`, `/connections/${SOME_ID}`],
    [`/connections/${SOME_ID}/disconnect`, `/connections/${SOME_ID}/disconnect`],
    ['/approvals', '/approvals'],
    [`/approvals/${SOME_ID}`, `/approvals/${SOME_ID}`],
  ])('leads from %s to signing in, and then to the page that shows it', async (path, page) => {
    const answer = await fetch(`${stack.issuer}${path}`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams(),
    })
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      `/sign-in?return_to=${encodeURIComponent(page)}`,
    ])
  })

  it.each([
    ['/messages/1/cancel', `/connections/${SOME_ID}`, `/connections/${SOME_ID}`],
    ['/messages/1/outcome', '/settings/api', '/settings/api'],
    [`/connections/${SOME_ID}/pause`, '/', null],
    [`/approvals/${SOME_ID}`, '/approvals', '/approvals'],
    [`/approvals/${SOME_ID}`, '//evil.example', `/approvals/${SOME_ID}`],
    [`/approvals/${SOME_ID}`, `/approvals/${SOME_ID}/x`, `/approvals/${SOME_ID}`],
    ['/messages/1/cancel', 'https://evil.example/', null],
  ])(
    'leads from %s, which says that it stands on %s, to that page where it is one of ours',
    async (path, back, page) => {
      const body = new URLSearchParams({ back })
      const answer = await fetch(`${stack.issuer}${path}`, { method: 'POST', redirect: 'manual', body })
      const then = page === null ? '' : `?return_to=${encodeURIComponent(page)}`
      expect([answer.status, answer.headers.get('location')]).toEqual([303, `/sign-in${then}`])
    },
  )

  it.each(['/sign-out', '/messages/1/cancel'])(
    'leads from %s, which no page is under, to the first page',
    async (path) => {
      const answer = await fetch(`${stack.issuer}${path}`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams(),
      })
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/sign-in'])
    },
  )
})

describe('every form', () => {
  it('is in this list, except the consent form, which has tests of its own', async () => {
    const routes = postRoutes(stack.app.printRoutes({ commonPrefix: false })).filter(
      (route) => !route.startsWith('/oauth/') && route !== '/interaction/:uid',
    )
    const listed = (await Promise.all(FORMS.map((form) => form()))).map(({ route }) => route)
    expect(listed.sort()).toEqual(routes.sort())
  })

  it('is taken from our own page and refused from anywhere else (RFC 6749 §10.12)', async () => {
    const stranger = await newSignedIn(stack)
    const othersSession = hiddenField((await stranger.person.get('/settings/api')).html, 'csrf')
    const othersVisit = hiddenField((await (await stack.person()).get('/sign-in')).html, 'csrf')
    const wholly = ['/sign-in', '/settings/api/new']
    for (const [turn, make] of FORMS.entries()) {
      const form = await make()
      const { html } = await form.person.open(form.page)
      const csrf = hiddenField(html, 'csrf')
      const send = (token: string | null, headers?: Record<string, string>) =>
        form.person.post(
          form.path,
          [...(token === null ? [] : [['csrf', token] as [string, string]]), ...form.fields],
          headers,
        )

      const before = await counts()
      const refused: Readonly<Record<string, () => ReturnType<typeof send>>> = {
        'no token': () => send(null),
        'an empty token': () => send(''),
        'a wrong token': () => send(csrf.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))),
        "another session's token": () => send(othersSession),
        "another visitor's token": () => send(othersVisit),
        'another site': () => send(csrf, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }),
        'a neighbouring host': () => send(csrf, { 'sec-fetch-site': 'same-site', origin: 'http://evil.localhost' }),
        'an address bar': () => send(csrf, { 'sec-fetch-site': 'none' }),
        'a foreign Origin alone': () => send(csrf, { origin: 'https://evil.example' }),
        "Origin null with another session's token": () => send(othersSession, { origin: 'null' }),
        "Origin null with another visitor's token": () => send(othersVisit, { origin: 'null' }),
        'Origin null without a token': () => send(null, { origin: 'null' }),
        'Origin null from another site': () => send(csrf, { 'sec-fetch-site': 'cross-site', origin: 'null' }),
        'Origin null from a neighbouring host': () => send(csrf, { 'sec-fetch-site': 'same-site', origin: 'null' }),
        'Origin null from nowhere': () => send(csrf, { 'sec-fetch-site': 'none', origin: 'null' }),
        'a token without its mask': () => send(unmasked(csrf)),
        'a token that is all mask': () => send(csrf.slice(0, 43)),
        'a token twice as long': () => send(`${csrf}${csrf}`),
        'neither header': () => send(csrf, {}),
      }
      const ways = Object.entries(refused)
      // All of them at the first form of a visitor and the first of a session; at each other a share of them in turn, and
      // always the plainest.
      const isWhole = Boolean(process.env.TEST_FULL) || wholly.includes(form.route)
      for (const [at, [from, sendSo]] of ways.entries()) {
        if (!isWhole && at !== 0 && (at + turn) % SHARES !== 0) continue
        const { status } = await sendSo()
        expect(status, `${form.route} with ${from}`).toBe(403)
      }
      expect(await counts(), form.route).toBe(before)

      const { status } = await send(csrf)
      expect(form.accepted, `${form.route} from our own page`).toContain(status)
    }
  })

  it('is taken from a browser that says only Origin, when it is ours', async () => {
    const { person } = await newSignedIn(stack)
    const { html } = await person.get('/settings/api')
    const answer = await person.post('/sign-out', [['csrf', hiddenField(html, 'csrf')]], { origin: stack.issuer })
    expect(answer.status).toBe(303)
  })

  it('is taken from a browser that says Origin null and nothing else, by its token (Safari before 16.4)', async () => {
    for (const [turn, make] of FORMS.entries()) {
      const form = await make()
      const says: Record<string, string>[] = [{ origin: 'null' }, { origin: 'null', 'sec-fetch-site': 'same-origin' }]
      // By turns, where there is no time for both.
      for (const headers of process.env.TEST_FULL ? says : says.filter((_, at) => turn % 2 === at)) {
        const csrf = hiddenField((await form.person.open(form.page)).html, 'csrf')
        const { status } = await form.person.post(form.path, [['csrf', csrf], ...form.fields], headers)
        expect(form.accepted, `${form.route} with ${JSON.stringify(headers)}`).toContain(status)
        // The first one may have used up what the form is about.
        if (form.route === '/set-password' || form.route.startsWith('/sign-')) break
      }
    }
  })

  it('shows another token each time, all of them good: a compressed page tells nothing (BREACH)', async () => {
    const { person } = await newSignedIn(stack)
    const tokens: string[] = []
    for (let visit = 0; visit < 20; visit += 1) {
      tokens.push(hiddenField((await person.get('/settings/api')).html, 'csrf'))
    }
    expect(new Set(tokens).size).toBe(20)
    // No part of it stays in its place either.
    for (let at = 0; at < 86 - 8; at += 8) expect(new Set(tokens.map((token) => token.slice(at, at + 8))).size).toBe(20)
    const send = (csrf: string) => person.post('/settings/sessions/end-others', [['csrf', csrf]])
    for (const csrf of tokens) expect((await send(csrf)).status).toBe(303)
  })

  it('has its token in a field alone, never in a link (RFC 9700 §4.2.4)', async () => {
    const { person } = await newSignedIn(stack)
    for (const page of [
      '/settings/api',
      '/settings/sessions',
      '/settings/passkeys',
      '/settings/account',
      '/settings/vertexsms-account',
      '/sandbox/phone',
    ]) {
      const { html } = await person.get(page)
      const targets = [...html.matchAll(/(?:href|action|src|content)="([^"]*)"/g)].map(([, target]) => target)
      expect(targets.length, page).toBeGreaterThan(0)
      for (const target of targets) expect(target, page).not.toMatch(/csrf|[\w-]{80}/)
    }
  })

  it('is refused when it is larger than any form of ours', async () => {
    const person = await stack.person()
    const { html } = await person.get('/sign-in')
    const fields: Fields = [
      ['csrf', hiddenField(html, 'csrf')],
      ['email', 'x'.repeat(200_000)],
    ]
    expect((await person.post('/sign-in', fields)).status).toBe(413)
  })
})

describe('isSameOrigin', () => {
  it.each([
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'same-origin', origin: 'null' }, true],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://auth.example' }, false],
    [{ 'sec-fetch-site': '' }, false],
    [{ origin: 'https://auth.example' }, true],
    [{ origin: 'http://auth.example' }, false],
    [{ origin: 'https://auth.example.evil.example' }, false],
    [{ origin: 'https://auth.example:8443' }, false],
    [{}, false],
  ])('judges %j as %s', (headers, expected) => {
    expect(isSameOrigin(headers, 'https://auth.example')).toBe(expected)
  })
})

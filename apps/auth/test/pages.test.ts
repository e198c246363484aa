// What holds for each page, whatever it shows, and then what the public ones say.
import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { SCOPE_NAMES, SCOPES } from '@vertexsms/contract/scopes'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPasswordLink } from '../src/accounts/password-link.ts'
import { renderPage } from '../src/web/page.ts'
import { WORDS } from '../src/words/words.ts'
import { newSignedIn } from './support/people.ts'
import { hiddenField } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())

const CONSENT = {
  formAction: '/interaction/x',
  csrf: 'x',
  asker: {
    kind: 'local' as const,
    title: 'An app on this computer',
    within: 'an app on this computer',
    place: 'localhost',
    name: 'Claude',
    number: '',
    passesFor: null,
    href: null,
  },
  documentHost: null,
  warnings: [],
  accountEmail: 'ada@example.com',
  scopes: SCOPE_NAMES.map((name) => ({ name, ...SCOPES[name], explained: 'x', isTicked: true, isNew: false })),
  nothingTicked: null,
  noRoom: null,
  isStale: false,
  limitsFrom: '',
  limitsShown: '',
  offersReadingOnly: true,
  spends: true,
  bounds: {
    amounts: [{ value: '5.00', short: '5.00 EUR', label: '5.00 EUR a day' }],
    offersNone: true,
    chosen: '5.00',
    own: '',
    ownAmount: '5.00 EUR',
    countries: '',
    places: [],
    askedPlaces: [],
    isOfSome: false,
    times: [{ value: '30d', label: '30 days', isChosen: true }],
    isEarlier: false,
    problems: {},
  },
  limits: [],
  askedLimits: [],
  widening: null,
  cost: 'Prices unavailable just now.',
  accountLimits: null,
  isAllPaused: false,
  goesOn: null,
  replaceable: [],
  signOut: { csrf: 'x', returnTo: '/interaction/x' },
}

const consentHtml = (page: Partial<typeof CONSENT> | object = {}) =>
  renderPage('consent', { ...CONSENT, ...page }, { language: 'en', address: '/interaction/x' })

describe('every page', () => {
  it.each([
    '/sign-in',
    '/request-access',
    '/forgot-password',
    '/connect',
    '/',
    '/approvals',
    '/connections/ended',
    '/settings/limits',
    '/settings/api',
    '/settings/api/new',
    '/settings/passkeys',
    '/settings/vertexsms-account',
    '/settings/sessions',
    '/settings/account',
    '/sandbox/phone',
    '/nowhere',
  ])('%s cannot be framed, stored, or made to load or send anything elsewhere (RFC 9700 §4.16)', async (path) => {
    const { person } = await newSignedIn(stack)
    const visitor = path === '/sign-in' ? await stack.person() : person
    const { headers } = await visitor.get(path)
    const policy = Object.fromEntries(
      (headers.get('content-security-policy') ?? '').split('; ').map((rule) => {
        const [name = '', ...values] = rule.split(' ')
        return [name, values.join(' ')]
      }),
    )
    const needsScript = [
      '/',
      '/sign-in',
      '/settings/api/new',
      '/settings/passkeys',
      '/settings/account',
      '/connect',
    ].includes(path)
    expect(policy).toEqual({
      'default-src': "'none'",
      'style-src': "'self'",
      'img-src': "'self'",
      ...(needsScript && { 'script-src': "'self'" }),
      'form-action': "'self'",
      'frame-ancestors': "'none'",
      'base-uri': "'none'",
    })
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('cross-origin-opener-policy')).toBeNull()
  })

  it('has nothing inline: no style, no script, no event handler', async () => {
    const { person } = await newSignedIn(stack)
    for (const path of [
      '/sign-in',
      '/request-access',
      '/forgot-password',
      '/',
      '/approvals',
      '/settings/limits',
      '/settings/api',
      '/settings/api/new',
      '/settings/passkeys',
      '/settings/vertexsms-account',
      '/settings/sessions',
      '/settings/account',
      '/sandbox/phone',
    ]) {
      const { html } = await person.get(path)
      expect(html, path).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/)
    }
  })

  it('gives an unknown address and a broken one a page of ours, not an error text', async () => {
    const person = await stack.person()
    const unknown = await person.get('/no/such/page')
    expect(unknown.status).toBe(404)
    expect(unknown.html).toContain('There is no such page')
    const reference = unknown.headers.get('x-request-id')?.slice(0, 8)
    expect(unknown.html).toContain(`<code class="name">${reference}</code>`)
    expect(unknown.html).toContain('href="/"')
    for (const path of [
      '/%',
      '/assets/../env.ts',
      '/assets/%2e%2e/web/page.ts',
      '/assets/x/..%2f..%2fenv.ts',
      '/assets/missing.css',
    ]) {
      const { status, html } = await person.get(path)
      expect([400, 403, 404], path).toContain(status)
      expect(html, path).not.toContain('import ')
    }
  })

  it.each([
    ['/%', 400],
    ['/assets/x/..%2f..%2fenv.ts', 404],
    ['/settings/%zz?x=1', 400],
    ['/oauth/authorize/%c0%af', 400],
    [`/interaction/${'a'.repeat(500)}`, 414],
    [`/assets/${'a'.repeat(500)}`, 404],
  ])('gives %s, which no address is, a page like any other, with %i', async (path, status) => {
    const headers = { accept: 'text/html', 'accept-language': 'lt' }
    const answer = await fetch(stack.issuer + path, { headers })
    expect([answer.status, answer.headers.get('content-language')]).toEqual([status, 'lt'])
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const html = await answer.text()
    expect(html).toContain(`<code class="name">${answer.headers.get('x-request-id')?.slice(0, 8)}</code>`)
    const { notFound, notUnderstood } = WORDS.lt.errors
    expect(html).toContain((status === 404 ? notFound : notUnderstood).title)
  })

  it('has an address that says so with words and Allow when it is asked for what it does not do (RFC 9110 §15.5.6)', async () => {
    const { person } = await newSignedIn(stack)
    const headers = { cookie: person.cookieHeader('/'), accept: 'text/html,*/*;q=0.8' }
    const ask = (method: string, path: string) =>
      fetch(`${stack.issuer}${path}`, { method, headers, redirect: 'manual' })
    for (const [method, path, allow] of [
      ['PUT', '/sign-in', 'GET, HEAD, POST'],
      ['DELETE', '/settings/api', 'GET, HEAD'],
      ['GET', '/sign-out', 'POST'],
      ['GET', '/settings/vertexsms-account/price?x=1', 'POST'],
      ['POST', '/assets/style.css', 'GET, HEAD'],
      ['GET', '/oauth/token', 'OPTIONS, POST'],
    ] as const) {
      const answer = await ask(method, path)
      expect([path, answer.status, answer.headers.get('allow')]).toEqual([path, 405, allow])
      expect(await answer.text()).toContain('That cannot be done here')
    }
    expect((await ask('PUT', '/no/such/page')).status).toBe(404)
    expect((await ask('GET', '/connections/00000000-0000-4000-8000-000000000000')).status).toBe(404)
    expect((await ask('GET', '/settings')).headers.get('location')).toBe('/settings/api')
  })

  it.each([
    ['GET', '/oauth/token', 405, 'OPTIONS, POST', 'Send POST.'],
    ['PUT', '/oauth/revoke?x=1', 405, 'OPTIONS, POST', 'Send POST.'],
    // Equal to the first (RFC 3986 §6.2.2.2), and known as it where it is sent what it takes.
    ['GET', '/%6Fauth/%74oken', 405, 'OPTIONS, POST', 'Send POST.'],
    ['POST', '/%6Fauth/tokens', 404, null, 'There is no such endpoint.'],
    ['POST', '/.well-known/oauth-authorization-server', 405, 'GET, HEAD, OPTIONS', 'Send GET.'],
    ['POST', '/oauth/tokens', 404, null, 'There is no such endpoint.'],
    ['GET', '/.well-known/webfinger', 404, null, 'There is no such endpoint.'],
    ['GET', '/.well-known/%zz', 400, null, 'The request could not be read.'],
    // Of an issuer that was written with a slash at its end.
    ['POST', '//oauth/token', 404, null, 'There is no such endpoint.'],
  ])('tells a program that asks %s of %s so in the shape of the endpoints (RFC 6749 §5.2)', async (...asked) => {
    const [method, path, status, allow, description] = asked
    const answer = await fetch(`${stack.issuer}${path}`, { method })
    expect([answer.status, answer.headers.get('allow')]).toEqual([status, allow])
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    // A script of another origin may read it, as all that endpoints say.
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(await answer.json()).toEqual({ error: 'invalid_request', error_description: description })
  })

  it('serves the look and the icons, and nothing else, under /assets', async () => {
    const person = await stack.person()
    for (const [name, type] of [
      ['style.css', 'text/css'],
      ['passkeys.js', 'javascript'],
      ['icon.svg', 'image/svg+xml'],
      ['icon.png', 'image/png'],
    ]) {
      const { status, headers } = await person.get(`/assets/${name}`)
      expect(status, name).toBe(200)
      expect(headers.get('content-type'), name).toContain(type)
    }
    expect((await person.get('/assets/icon.png')).headers.get('cache-control')).toBe('public, max-age=86400')
  })

  it('names its look and scripts by their bytes, to be kept for good, and an address of other bytes is not kept', async () => {
    const person = await stack.person()
    const { html } = await person.get('/sign-in')
    const assets = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]*)"/g)].map(([, path = '']) => path)
    expect(assets.map((path) => path.split('/').at(-1)).sort()).toEqual([
      'icon.svg',
      'icon.svg',
      'passkeys.js',
      'style.css',
    ])
    for (const path of assets) {
      expect(path).toMatch(/^\/assets\/[\w-]{16}\//)
      const { status, headers } = await person.get(path)
      expect([path, status, headers.get('cache-control')]).toEqual([path, 200, 'public, max-age=31536000, immutable'])
    }
    const other = await person.get('/assets/0123456789abcdef/style.css')
    expect([other.status, other.headers.get('cache-control')]).toEqual([200, 'no-store'])
  })

  it('is compressed for whoever takes that, with form tokens that were masked before (BREACH)', async () => {
    const { person } = await newSignedIn(stack)
    const cookie = person.cookieHeader('/')
    const seen = new Set<string>()
    for (let visit = 0; visit < 5; visit += 1) {
      const headers = { cookie, 'accept-encoding': 'br' }
      const answer = await fetch(`${stack.issuer}/settings/api`, { headers })
      expect(answer.headers.get('content-encoding')).toBe('br')
      expect(answer.headers.get('vary')).toMatch(/Accept-Language.*accept-encoding/)
      const html = await answer.text()
      expect(Number(answer.headers.get('content-length') ?? 0)).toBeLessThan(html.length / 2)
      const csrf = hiddenField(html, 'csrf')
      seen.add(html)
      expect((await person.post('/settings/sessions/end-others', [['csrf', csrf]])).status).toBe(303)
    }
    // Whatever is packed, no two answers hold the same bytes, and the token of each is good.
    expect(seen.size).toBe(5)
    const plain = await fetch(`${stack.issuer}/sign-in`, { headers: { 'accept-encoding': 'identity' } })
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect((await plain.text()).length).toBeGreaterThan(1024)
    const style = await fetch(`${stack.issuer}/assets/style.css`, { headers: { 'accept-encoding': 'gzip' } })
    expect(style.headers.get('content-encoding')).toBe('gzip')
  })

  it.each(['cross-site', 'same-site'])(
    'is left unpacked where a page of somebody else made the browser ask: %s (BREACH)',
    async (site) => {
      const { person } = await newSignedIn(stack)
      const ask = (headers: Record<string, string>) =>
        fetch(`${stack.issuer}/approvals?guess=secret`, {
          headers: { cookie: person.cookieHeader('/'), 'accept-encoding': 'br, gzip', ...headers },
        })
      expect((await ask({ 'sec-fetch-site': site })).headers.get('content-encoding')).toBeNull()
      for (const own of ['same-origin', 'none'])
        expect((await ask({ 'sec-fetch-site': own })).headers.get('content-encoding')).toBe('br')
    },
  )

  it('is never packed where it holds a password link or the value of a token (BREACH)', async () => {
    const email = `${randomUUID()}@example.com`
    const link = await stack.db.$transaction((tx) =>
      createPasswordLink(tx, { issuerUrl: stack.issuer, email, hours: 1, now: new Date() }),
    )
    const secret = new URL(link).searchParams.get('link') ?? ''
    const page = await fetch(`${stack.issuer}/set-password?guess=${secret.slice(0, 8)}`, {
      headers: { cookie: `vertexsms_password_link=${secret}`, 'accept-encoding': 'br, gzip' },
    })
    expect([page.status, page.headers.get('content-encoding')]).toEqual([200, null])
    expect(await page.text()).toContain(`value="${secret}"`)

    const { person } = await newSignedIn(stack)
    const csrf = hiddenField((await person.get('/settings/api/new')).html, 'csrf')
    const made = await person.post('/settings/api/new', [
      ['csrf', csrf],
      ['name', 'shown once'],
      ['permissions', 'POST /sms'],
    ])
    const path = made.headers.get('location') ?? ''
    const value = await fetch(`${stack.issuer}${path}`, {
      headers: { cookie: person.cookieHeader(path), 'accept-encoding': 'br, gzip' },
    })
    expect([value.status, value.headers.get('content-encoding')]).toEqual([200, null])
    expect(await value.text()).toMatch(/vsms_[\w-]{49}/)
  })

  it('takes no form that is packed: nothing of it is unpacked', async () => {
    const { person } = await newSignedIn(stack)
    const headers = {
      cookie: person.cookieHeader('/'),
      'content-type': 'application/x-www-form-urlencoded',
      'content-encoding': 'gzip',
      'sec-fetch-site': 'same-origin',
    }
    const csrf = hiddenField((await person.get('/settings/api')).html, 'csrf')
    const body = new Uint8Array(gzipSync(`csrf=${csrf}`))
    const { status } = await fetch(`${stack.issuer}/settings/sessions/end-others`, { method: 'POST', headers, body })
    expect([400, 403, 415]).toContain(status)
  })
})

describe('the consent page', () => {
  it('shows the registrable domain first, and the name as what the client says of itself', () => {
    const site = {
      kind: 'web' as const,
      title: 'claude.ai',
      within: 'claude.ai',
      place: 'api.claude.ai',
      passesFor: null,
      href: null,
    }
    const html = consentHtml({ asker: { ...site, name: '<b>VertexSMS Support</b>' } })
    const text = html.replace(/<[^>]*>/g, ' ')
    expect(html).toMatch(/<h1 class="[^"]*">claude\.ai<\/h1>/)
    expect(text.indexOf('claude.ai')).toBeLessThan(text.indexOf('calls itself'))
    expect(html).toContain('&lt;b&gt;VertexSMS Support&lt;/b&gt;')
    expect(html).toContain('Nobody has verified this name.')
    expect(text).not.toContain('This is an app on your own computer.')
    const published = consentHtml({ asker: { ...site, name: 'Claude' }, documentHost: 'claude.ai' })
    expect(published).toMatch(/Published at <strong class="name">claude\.ai<\/strong>/)
    expect(published).not.toMatch(/verified/i)
  })

  it('calls a program on the same computer what it is, and warns of links from others', () => {
    const text = consentHtml().replace(/<[^>]*>/g, ' ')
    for (const part of ['An app on this computer', 'localhost', 'This is an app on your own computer.'])
      expect(text).toContain(part)
  })

  it('lists the five sentences ticked, and marks exactly those that cost money', () => {
    const html = consentHtml()
    const rows = [...html.matchAll(/<label class="grant">.*?<\/label>/gs)].map(([row]) => row)
    expect(rows).toHaveLength(5)
    for (const [index, name] of SCOPE_NAMES.entries()) {
      const row = rows[index] ?? ''
      expect(row).toContain(`name="scope" value="${name}" checked`)
      expect(row).toContain(SCOPES[name].description)
      expect(row.includes('costs money')).toBe(SCOPES[name].billable)
    }
  })

  it('grants nothing by default: the first submit button, which Enter presses, only shows the page again', () => {
    const buttons = [...consentHtml().matchAll(/<button[^>]*value="(\w+)"/g)].map(([, value]) => value)
    expect(buttons).toEqual(['look', 'deny', 'reading', 'allow'])
  })
})

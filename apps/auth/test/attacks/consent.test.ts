import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { register, start, type TestClient } from '../support/client.ts'
import { hiddenField } from '../support/person.ts'
import { type Stack, startStack } from '../support/stack.ts'

let stack: Stack
let client: TestClient
beforeAll(async () => {
  stack = await startStack()
  client = await register(stack)
})
afterAll(() => stack?.close())

async function consentPage(name?: string) {
  const { id } = await stack.account()
  const person = await stack.person(id)
  const asking = name === undefined ? client : await register(stack, { client_name: name })
  return { id, person, page: await person.open((await start(asking)).url) }
}

describe('a forged consent', () => {
  it.each([
    ['from another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['from another site of the same domain', { 'sec-fetch-site': 'same-site', origin: 'http://localhost:9999' }],
    ['from another origin, by a browser without fetch metadata', { origin: 'https://evil.example' }],
    ['from a sandboxed frame', { 'sec-fetch-site': 'cross-site', origin: 'null' }],
    ['with no word of where it comes from', {}],
  ])(
    '%s is refused, the right token notwithstanding (RFC 9700 §4.7.1, MCP security best practices: consent)',
    async (_name, headers) => {
      const { id, person, page } = await consentPage()
      const fields: [string, string][] = [
        ['csrf', hiddenField(page.html, 'csrf')],
        ['decision', 'allow'],
        ['scope', 'sms:send'],
      ]
      expect((await person.post(page.url, fields, headers as Record<string, string>)).status).toBe(403)
      expect(await stack.db.connection.count({ where: { accountId: id } })).toBe(0)
    },
  )

  it.each([
    ['no token', ''],
    ['a made-up token', 'A'.repeat(43)],
    ['a token of another length', 'AAAA'],
  ])('with %s grants nothing (RFC 9700 §4.7.1)', async (_name, csrf) => {
    const { id, person, page } = await consentPage()
    const view = await person.post(page.url, [
      ['csrf', csrf],
      ['decision', 'allow'],
      ['scope', 'sms:send'],
    ])
    expect(view.status).not.toBe(200)
    expect(await stack.db.connection.count({ where: { accountId: id } })).toBe(0)
  })

  it('by a mere link grants nothing: a GET with an answer in it only shows the page (RFC 9700 §4.7.1)', async () => {
    const { id, person, page } = await consentPage()
    const view = await person.get(`${page.url}?decision=allow&scope=sms:send&csrf=${hiddenField(page.html, 'csrf')}`)
    expect(view.html).toContain('name="scope"')
    expect(await stack.db.connection.count({ where: { accountId: id } })).toBe(0)
  })

  it('with scopes nobody knows grants nothing (RFC 6749 §3.3)', async () => {
    const { id, person, page } = await consentPage()
    await person.post(page.url, [
      ['csrf', hiddenField(page.html, 'csrf')],
      ['decision', 'allow'],
      ['scope', '__proto__'],
      ['scope', 'admin'],
    ])
    expect(await stack.db.connection.count({ where: { accountId: id } })).toBe(0)
  })
})

describe('a framed page', () => {
  it('is not shown: consent, sign-in and errors refuse to be framed (RFC 9700 §4.16)', async () => {
    const { person, page } = await consentPage()
    const signIn = await person.get('/sign-in')
    const error = await person.get('/oauth/authorize?client_id=nobody')
    const unknown = await person.get('/nowhere')
    for (const view of [page, signIn.status === 200 ? signIn : page, error, unknown]) {
      expect(view.headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/)
      expect(view.headers.get('x-frame-options')).toBe('DENY')
    }
  })

  it('runs no script, posts nowhere else, is never stored, tells nobody where it was, and leaves its opener alone (MCP security best practices: consent)', async () => {
    const { page } = await consentPage()
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("form-action 'self'")
    expect(policy).not.toMatch(/unsafe|script-src/)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    expect(page.headers.get('cross-origin-opener-policy')).toBeNull()
    expect(page.html).not.toMatch(/<script|\son\w+=|javascript:/i)
  })
})

describe('cookies', () => {
  it('of a deployment on https are host-bound or path-bound, secure and out of reach of scripts (RFC 6265bis §4.1.3, RFC 9700 §4.7)', async () => {
    const secure = await startStack({ settings: { ISSUER_URL: 'https://auth.example' } })
    try {
      const body = JSON.stringify({ redirect_uris: ['https://app.example/cb'], token_endpoint_auth_method: 'none' })
      const inside = secure.app.listeningOrigin.replace('127.0.0.1', 'localhost')
      const registered = await fetch(`${inside}/oauth/register`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      })
      const { client_id } = (await registered.json()) as { client_id: string }
      const url = new URL(`${inside}/oauth/authorize`)
      for (const [name, value] of Object.entries({
        client_id,
        response_type: 'code',
        redirect_uri: 'https://app.example/cb',
        code_challenge: 'a'.repeat(43),
        code_challenge_method: 'S256',
      }))
        url.searchParams.set(name, value)
      const response = await fetch(url, { redirect: 'manual' })
      const begun = response.headers.getSetCookie()
      const consent = new URL(response.headers.get('location') ?? '', 'https://auth.example').pathname
      const cookie = begun.map((line) => line.split(';')[0]).join('; ')
      const asked = (
        await fetch(`${inside}${consent}`, { redirect: 'manual', headers: { cookie } })
      ).headers.getSetCookie()
      expect(begun.length).toBeGreaterThan(0)
      expect(asked.length).toBeGreaterThan(0)
      for (const cookie of [...begun, ...asked]) {
        expect(cookie).toMatch(/^__Secure-vertexsms_(interaction|resume|asker)(\.sig)?=/)
        expect(cookie).toMatch(/; secure/i)
        expect(cookie).toMatch(/; httponly/i)
        expect(cookie).toMatch(/; samesite=lax/i)
        expect(cookie).toMatch(/; path=\/(interaction\/|oauth\/authorize\/|sign-in)/i)
      }
    } finally {
      await secure.close()
    }
  })
})

describe('a client name', () => {
  it.each([
    ['markup', '<img src=x onerror=alert(1)>', /<img src=x/],
    ['an attribute break', '"><script>alert(1)</script>', /<script>/],
    ['a template', '<%= 7*7 %>{{7*7}}', /\b49\b/],
  ])('with %s stays text on the page (MCP security best practices: consent)', async (_name, name, never) => {
    const { page } = await consentPage(name)
    expect(page.html).toContain('name="scope"')
    expect(page.html).not.toMatch(never)
  })

  it('with line breaks puts nothing into a header or a log line (RFC 9110 §5.5, RFC 9700 §4.11)', async () => {
    const name = 'App\r\nSet-Cookie: evil=1\r\n\r\n{"level":60,"msg":"forged"}'
    const { page } = await consentPage(name)
    expect(page.headers.get('set-cookie') ?? '').not.toContain('evil')
    expect(stack.logLines.join('')).not.toContain('forged')
    for (const line of stack.logLines) expect(() => JSON.parse(line)).not.toThrow()
  })

  it('with direction marks and invisible letters is shown without them (MCP security best practices: consent)', async () => {
    const { page } = await consentPage('\u202eedualC\u202c \u200bofficial\u0001')
    for (const hidden of ['\u202e', '\u202c', '\u200b', '\u0001']) expect(page.html).not.toContain(hidden)
    expect(page.html).toContain('edualC official')
  })

  it('of any length fits on the page (MCP security best practices: consent)', async () => {
    const { page } = await consentPage('A'.repeat(5000))
    expect(page.html).not.toContain('A'.repeat(81))
  })

  it('cannot pass for a verified host: the receiver stands first, and no registered name counts as verified (MCP security best practices: consent)', async () => {
    const { page } = await consentPage('claude.ai (verified by Anthropic)')
    expect(page.html.indexOf('127.0.0.1')).toBeLessThan(page.html.indexOf('claude.ai'))
    expect(page.html).toContain('Nobody has verified this name')
  })
})

// Input that is not what it should be. One file, because whatever is thought of is tried at every endpoint, form and page.
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { JSON_DEPTH_MAX } from '@vertexsms/service/json'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PATHS } from '../../src/authorization/request/paths.ts'
import { register } from '../support/client.ts'
import { newSignedIn } from '../support/people.ts'
import { hiddenField } from '../support/person.ts'
import { MCP_RESOURCE, type Stack, startStack } from '../support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack?.close())

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const postForm = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(stack.issuer + path, { method: 'POST', redirect: 'manual', headers: { ...FORM, ...headers }, body })
const registration = (body: string) =>
  fetch(stack.issuer + PATHS.registration, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
const BAD = ['a%00b', '%00', 'a%ED%A0%80', '%ff', '100%', '%C0%80']
const METADATA = { redirect_uris: ['https://app.example/cb'], token_endpoint_auth_method: 'none' }

describe('text that is no text', () => {
  it.each([
    [PATHS.token, 'grant_type=authorization_code&code=x&redirect_uri=https://a.example/&code_verifier=x'],
    [PATHS.token, 'grant_type=refresh_token&refresh_token=x'],
    [PATHS.revocation, 'token=x'],
    [PATHS.introspection, 'token=x'],
    [PATHS.pushedRequest, 'response_type=code&redirect_uri=https://a.example/&scope=sms:send&state=x'],
  ])('in any field at %s, as of %s, is 400 or 401 in OAuth form, never a reason to try again', async (path, rest) => {
    for (const bad of BAD) {
      const fields = [...rest.split('&'), 'client_id=x', 'client_secret=x', `resource=${MCP_RESOURCE}`, 'x=x']
      for (const field of fields) {
        const body = fields.map((one) => (one === field ? `${one.split('=')[0]}=${bad}` : one)).join('&')
        const response = await postForm(path, body)
        expect([400, 401], `${body} ${response.status}`).toContain(response.status)
        expect(await response.json()).toMatchObject({ error: expect.stringMatching(/^invalid_(request|client)$/) })
      }
    }
    const latin1 = await postForm(path, new Uint8Array(Buffer.from(`client_id=caf\xe9&${rest}`, 'latin1')))
    expect(latin1.status).toBe(400)
  })

  it('in the credentials of a header or an assertion names no client', async () => {
    const part = (text: string) => Buffer.from(text).toString('base64url')
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
    for (const id of ['a%00b', '\0', '%ED%A0%80', 'a\ud800']) {
      const basic = `Basic ${Buffer.from(`${id}:x`).toString('base64')}`
      const byHeader = await postForm(PATHS.token, 'grant_type=refresh_token&refresh_token=x', { authorization: basic })
      expect([400, 401]).toContain(byHeader.status)
    }
    for (const sub of ['"a\\u0000b"', '"\\ud800"', deep]) {
      const payload = `{"sub":${sub},"iss":${sub},"aud":"${stack.issuer}","jti":"\\u0000","exp":9000000000}`
      const assertion = `${part('{"alg":"ES256"}')}.${part(payload)}.AAAA`
      const type = encodeURIComponent('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
      const rest = 'grant_type=refresh_token&refresh_token=x'
      const response = await postForm(
        PATHS.token,
        `client_assertion_type=${type}&client_assertion=${assertion}&${rest}`,
      )
      expect([400, 401]).toContain(response.status)
      expect((await response.json()).error).toMatch(/^invalid_(client|request)$/)
    }
  })

  it('in an authorization request is a page', async () => {
    const { client } = await register(stack)
    for (const bad of BAD) {
      for (const field of ['client_id', 'redirect_uri', 'state', 'scope', 'resource', 'code_challenge', 'x']) {
        const query = `client_id=${client.client_id}&response_type=code&${field}=${bad}`
        const response = await fetch(`${stack.issuer}${PATHS.authorization}?${query}`, { redirect: 'manual' })
        expect([response.status, response.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8'])
      }
      const resumed = await fetch(`${stack.issuer}${PATHS.authorization}/${bad}`, { redirect: 'manual' })
      expect(resumed.status).toBe(400)
    }
  })

  it('in a registration is refused under the code of the member', async () => {
    const errorOf = async (member: object) => {
      const text = JSON.stringify({ ...METADATA, ...member })
        .replaceAll('NUL', '\\u0000')
        .replaceAll('HALF', '\\ud800')
      const response = await registration(text)
      return [response.status, (await response.json()).error]
    }
    for (const bad of ['aNULb', 'HALF']) {
      expect(await errorOf({ redirect_uris: [`https://app.example/${bad}`] })).toEqual([400, 'invalid_redirect_uri'])
      const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'EC', kid: bad }] } }
      for (const member of [
        { client_uri: `https://a.example/${bad}` },
        { logo_uri: `https://a.example/${bad}` },
        { client_name: bad },
        { scope: bad },
        { [bad]: 1 },
        keys,
        { ...keys, jwks: undefined, jwks_uri: `https://a.example/${bad}` },
      ]) {
        expect(await errorOf(member)).toEqual([400, 'invalid_client_metadata'])
      }
    }
    expect((await registration(JSON.stringify({ ...METADATA, client_name: 'Ąžuolas 😀 \\u0000' }))).status).toBe(201)
  })

  it('in the form, the query or the path of a page is a page that says so', async () => {
    const { person } = await newSignedIn(stack)
    const cookie = person.cookieHeader('/')
    // Each of the fields at each of the paths, with one of these in turn where there is no time for every one.
    const isTurn = (turn: number, at: number) => process.env.TEST_FULL || (turn + at) % BAD.length === 0
    for (const [turn, bad] of BAD.entries()) {
      let at = 0
      for (const path of [
        '/sign-in',
        '/sign-out',
        '/request-access',
        '/set-password',
        '/forgot-password',
        '/settings/account/password',
        '/settings/account/time-zone',
        '/settings/account/mails',
        '/sign-in/passkey',
        '/interaction/x',
        '/settings/api/new',
        '/settings/passkeys',
        '/settings/passkeys/remove',
      ]) {
        for (const field of [
          'email',
          'password',
          'return_to',
          'csrf',
          'link',
          'name',
          'passkey',
          'credential',
          'scope',
        ]) {
          if (!isTurn(turn, at++)) continue
          const response = await postForm(path, `${field}=${bad}`, { cookie, origin: stack.issuer })
          expect([response.status, response.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8'])
        }
      }
      for (const path of [`/sign-in?return_to=${bad}`, `/set-password?link=${bad}`, `/sandbox/phone?number=${bad}`]) {
        expect((await fetch(stack.issuer + path, { headers: { cookie }, redirect: 'manual' })).status).toBe(400)
      }
      for (const path of [`/interaction/${bad}`, `/settings/api/tokens/${bad}/delete`, `/${bad}`]) {
        const { status } = await fetch(stack.issuer + path, { headers: { cookie }, redirect: 'manual' })
        expect([400, 404], path).toContain(status)
      }
    }
  })

  it('in a cookie or a header is nobody', async () => {
    for (const bad of BAD) {
      const names = ['session', 'visitor', 'known', 'interaction', 'resume', 'asker', 'password_link', 'language']
      const cookie = names.map((name) => `vertexsms_${name}=${bad}`)
      for (const path of [
        '/sign-in',
        '/sign-in?return_to=/interaction/x',
        '/set-password',
        '/settings/api',
        '/interaction/x',
        PATHS.authorization,
        `${PATHS.authorization}/x`,
      ]) {
        const headers = { cookie: cookie.join('; '), 'user-agent': `\xff${bad}`, origin: bad }
        expect((await fetch(stack.issuer + path, { headers, redirect: 'manual' })).status, path).toBeLessThan(500)
      }
    }
  })
})

it('what is no id names nothing, in the address of whichever page or form', async () => {
  const { person } = await newSignedIn(stack)
  const csrf = hiddenField((await person.get('/settings/sessions')).html, 'csrf')
  const spender = ['', '/limits', '/pause', '/resume', '/activity.csv']
  const ways = [
    ...spender.map((way) => ['/connections', way]),
    ...[...spender, '/delete', '/edit', '/replace', '/value'].map((way) => ['/settings/api/tokens', way]),
    ['/connections', '/disconnect'],
    ['/approvals', ''],
    ['/settings/sessions', '/end'],
    ['/messages', '/cancel'],
    ['/messages', '/outcome'],
    ['/interaction', ''],
  ]
  for (const id of ['-'.repeat(36), 'a'.repeat(36), '1e3', '9'.repeat(30), 'constructor'])
    for (const [before, after] of ways) {
      const path = `${before}/${id}${after}`
      const fields = [
        ['csrf', csrf],
        ['name', 'x'],
        ['outcome', 'sent'],
        ['decision', 'refuse'],
      ] as const
      const statuses = [(await person.get(path)).status, (await person.post(path, fields)).status]
      for (const status of statuses) expect([303, 400, 404, 405], `${path} ${statuses}`).toContain(status)
    }
})

it('only forms are read by pages: any other body is 415', async () => {
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
    const response = await postForm('/sign-in', '{"csrf":"\\u0000"}', { 'content-type': type })
    expect(response.status).toBe(415)
  }
})

it('a registration nested too deeply, or of too many values, is refused, and one within the limits is not', async () => {
  const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const withMember = (member: string, value: string) =>
    registration(
      JSON.stringify({ ...METADATA, token_endpoint_auth_method: 'private_key_jwt', [member]: 'X' }).replace(
        '"X"',
        value,
      ),
    )
  for (const member of ['jwks', 'redirect_uris', 'client_name', 'grant_types', 'contacts', 'x']) {
    for (const levels of [JSON_DEPTH_MAX, 7_000, 16_000]) {
      const response = await withMember(member, nested(levels))
      expect([response.status, (await response.json()).error]).toEqual([400, 'invalid_client_metadata'])
    }
  }
  expect((await withMember('jwks', `[${'0,'.repeat(6_000)}0]`)).status).toBe(400)
  expect(
    (await registration(JSON.stringify({ ...METADATA, contacts: 'X' }).replace('"X"', nested(JSON_DEPTH_MAX - 1))))
      .status,
  ).toBe(201)
})

it('text that is pumped up costs nothing, in whichever field it comes', async () => {
  const started = performance.now()
  const pumps = [' ', '\u0301', '\u00a0', '\ufdfa', 'a', '.', '-', '@', '/', '%', ',', '1', ':', 'Version/', 'a.']
  // Blank, folded to many letters, a letter, a mark of addresses, and a pair: what expressions go back and forth over.
  for (const pump of process.env.TEST_FULL ? pumps : [' ', '\ufdfa', '@', 'a.']) {
    const text = (bytes: number) => pump.repeat(Math.floor(bytes / Buffer.byteLength(pump)))
    const encoded = (bytes: number) =>
      encodeURIComponent(pump).repeat(Math.floor(bytes / encodeURIComponent(pump).length))
    for (const member of ['client_name', 'client_uri', 'jwks_uri', 'token_endpoint_auth_method', 'scope']) {
      await registration(JSON.stringify({ ...METADATA, [member]: text(30_000) }))
    }
    await registration(JSON.stringify({ redirect_uris: [`https://a${text(30_000)}`] }))
    for (const field of ['scope', 'client_id', 'redirect_uri', 'resource', 'code_verifier', 'refresh_token']) {
      for (const before of ['', 'https://']) {
        const body = `grant_type=refresh_token&${field}=${before}${encoded(30_000)}%3F`
        await postForm(PATHS.token, body)
        await postForm(PATHS.pushedRequest, body)
      }
    }
    for (const field of ['email', 'name', 'return_to', 'ip_allow_list', 'link']) {
      await postForm('/sign-in', `${field}=${encoded(60_000)}`, { origin: stack.issuer })
      await postForm('/request-access', `${field}=${encoded(60_000)}`, { origin: stack.issuer })
    }
    await fetch(`${stack.issuer}/sign-in?return_to=/interaction/${encoded(12_000)}`, {
      headers: { 'user-agent': encoded(1_000), cookie: `vertexsms_session=${encoded(1_000)}` },
    })
  }
  expect(performance.now() - started).toBeLessThan(60_000)
}, 120_000)

it.each(['/sign-in', PATHS.token, PATHS.registration])(
  'a body of %s that breaks off is no failure of ours, which anybody could then report',
  async (path) => {
    const { port, host } = new URL(stack.issuer)
    const id = randomUUID()
    const socket = connect(Number(port), '127.0.0.1')
    // The handler of the body hears of its end before this one does.
    const over = new Promise((closed) => {
      stack.app.server.once('request', (request) => request.once('data', () => socket.destroy()).once('close', closed))
    })
    const type = FORM['content-type']
    const head = [`POST ${path} HTTP/1.1`, `Host: ${host}`, `X-Request-Id: ${id}`, `Content-Type: ${type}`]
    socket.write(`${head.join('\r\n')}\r\nContent-Length: 100\r\n\r\ncsrf=`)
    await over
    await new Promise(setImmediate)
    const lines = stack.logLines.map((line) => JSON.parse(line)).filter(({ requestId }) => requestId === id)
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
  },
)

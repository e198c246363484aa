// Every route while the database is away, in one table that must be whole; and what goes on when it is back.
import { createDatabase, type Database } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { type Door, doorTo } from '@vertexsms/db/testing/door'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connect, register, start, type TestClient, type Tokens } from './support/client.ts'
import { newSignedIn } from './support/people.ts'
import { hiddenField, type Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

/** How a route answers while the database is away: as a page, as OAuth's JSON, or it needs no database (its status). */
type Shape = 'page' | 'json' | number

/** What a case needs, made while the database was still there. */
interface Scene {
  readonly client: TestClient
  /** A client that may introspect. */
  readonly asking: TestClient
  readonly tokens: Tokens
  /** Signed in, in the middle of an authorization request. */
  readonly person: Person
  readonly csrf: string
  readonly uid: string
  readonly interactionCsrf: string
  readonly stranger: Person
  readonly strangerCsrf: string
  readonly authorize: URL
}

/** Nobody listens there: the page that asks for a mail only notes it. */
const MAIL = { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'connect@example.com' }

const ID = '00000000-0000-4000-8000-000000000000'

const ROUTES: Record<string, [Shape, (scene: Scene) => Promise<Response>]> = {
  'GET /healthz': [200, get('/healthz')],
  'GET /readyz': [503, get('/readyz')],
  // The assets, whose prefix the router does not tell.
  'GET /*': [200, get('/assets/style.css')],
  'GET /assets/:hash/:name': [200, get('/assets/x/style.css')],
  'GET /.well-known/oauth-authorization-server': [200, get('/.well-known/oauth-authorization-server')],
  'OPTIONS /.well-known/oauth-authorization-server': [204, options('/.well-known/oauth-authorization-server')],
  'GET /.well-known/openid-configuration': [200, get('/.well-known/openid-configuration')],
  'OPTIONS /.well-known/openid-configuration': [204, options('/.well-known/openid-configuration')],
  'GET /oauth/jwks': [200, get('/oauth/jwks')],
  'OPTIONS /oauth/jwks': [204, options('/oauth/jwks')],
  'GET /oauth/authorize': ['page', ({ person, authorize }) => send(person, 'GET', authorize.href)],
  'GET /oauth/authorize/:uid': ['page', ({ person, uid }) => send(person, 'GET', `/oauth/authorize/${uid}`)],
  'POST /oauth/token': [
    'json',
    ({ client, tokens, stranger }) =>
      send(stranger, 'POST', '/oauth/token', {
        grant_type: 'refresh_token',
        client_id: client.client.client_id,
        refresh_token: tokens.refresh,
      }),
  ],
  'OPTIONS /oauth/token': [204, options('/oauth/token')],
  'POST /oauth/par': [
    'json',
    ({ authorize, stranger }) => send(stranger, 'POST', '/oauth/par', Object.fromEntries(authorize.searchParams)),
  ],
  'OPTIONS /oauth/par': [204, options('/oauth/par')],
  'POST /oauth/revoke': [
    'json',
    ({ client, tokens, stranger }) =>
      send(stranger, 'POST', '/oauth/revoke', { client_id: client.client.client_id, token: tokens.refresh }),
  ],
  'OPTIONS /oauth/revoke': [204, options('/oauth/revoke')],
  'POST /oauth/introspect': [
    'json',
    ({ asking, tokens, stranger }) =>
      send(stranger, 'POST', '/oauth/introspect', {
        client_id: String(asking.client.client_id),
        client_secret: String(asking.client.client_secret),
        token: tokens.refresh,
      }),
  ],
  'OPTIONS /oauth/introspect': [204, options('/oauth/introspect')],
  'POST /oauth/register': [
    'json',
    ({ stranger }) =>
      fetch(`${stranger.origin}/oauth/register`, {
        method: 'POST',
        body: JSON.stringify({ redirect_uris: ['http://127.0.0.1:1/cb'], token_endpoint_auth_method: 'none' }),
        headers: { 'content-type': 'application/json' },
      }),
  ],
  'OPTIONS /oauth/register': [204, options('/oauth/register')],
  'GET /interaction/:uid': ['page', ({ person, uid }) => send(person, 'GET', `/interaction/${uid}`)],
  'POST /interaction/:uid': [
    'page',
    ({ person, uid, interactionCsrf }) =>
      send(person, 'POST', `/interaction/${uid}`, { csrf: interactionCsrf, decision: 'allow', scope: 'sms:send' }),
  ],
  'GET /': ['page', signedIn('GET', '/')],
  'GET /sign-in': ['page', signedIn('GET', '/sign-in')],
  'POST /sign-in': [
    'page',
    ({ stranger, strangerCsrf }) =>
      send(stranger, 'POST', '/sign-in', { csrf: strangerCsrf, email: 'a@example.com', password: 'wrong' }),
  ],
  'POST /sign-in/passkey': [
    'page',
    ({ stranger, strangerCsrf }) =>
      send(stranger, 'POST', '/sign-in/passkey', { csrf: strangerCsrf, credential: '{"id":"x","response":{}}' }),
  ],
  'POST /sign-out': ['page', signedIn('POST', '/sign-out')],
  'GET /connect': [200, get('/connect')],
  'GET /settings': ['page', signedIn('GET', '/settings')],
  'GET /times': [303, get('/times?as=exact&back=/connect')],
  'GET /language': [303, get('/language?to=lt&back=/connect')],
  'GET /llms.txt': [200, get('/llms.txt')],
  'GET /request-access': [200, get('/request-access')],
  'POST /request-access': [
    'page',
    ({ stranger, strangerCsrf }) =>
      send(stranger, 'POST', '/request-access', {
        csrf: strangerCsrf,
        email: 'a@example.com',
        name: 'A',
        company: 'B',
        reason: 'C',
      }),
  ],
  'GET /forgot-password': [200, get('/forgot-password')],
  'POST /forgot-password': [
    'page',
    ({ stranger, strangerCsrf }) =>
      send(stranger, 'POST', '/forgot-password', { csrf: strangerCsrf, email: 'a@example.com' }),
  ],
  'GET /set-password': ['page', get('/set-password?link=x')],
  'POST /set-password': [
    'page',
    ({ stranger, strangerCsrf }) =>
      send(stranger, 'POST', '/set-password', { csrf: strangerCsrf, link: 'x', password: 'correct horse battery' }),
  ],
  'GET /settings/api': ['page', signedIn('GET', '/settings/api')],
  'GET /settings/api/new': ['page', signedIn('GET', '/settings/api/new')],
  'POST /settings/api/new': ['page', signedIn('POST', '/settings/api/new', { name: 'x', permissions: 'POST /sms' })],
  'GET /settings/api/tokens/:tokenId/value': ['page', signedIn('GET', `/settings/api/tokens/${ID}/value`)],
  'GET /settings/api/tokens/:tokenId/edit': ['page', signedIn('GET', `/settings/api/tokens/${ID}/edit`)],
  'POST /settings/api/tokens/:tokenId/edit': [
    'page',
    signedIn('POST', `/settings/api/tokens/${ID}/edit`, { name: 'x' }),
  ],
  'POST /settings/api/tokens/:tokenId/replace': ['page', signedIn('POST', `/settings/api/tokens/${ID}/replace`)],
  'GET /connections/:connectionId/disconnect': ['page', signedIn('GET', `/connections/${ID}/disconnect`)],
  'POST /connections/:connectionId/disconnect': ['page', signedIn('POST', `/connections/${ID}/disconnect`)],
  'GET /settings/api/tokens/:tokenId/delete': ['page', signedIn('GET', `/settings/api/tokens/${ID}/delete`)],
  'POST /settings/api/tokens/:tokenId/delete': ['page', signedIn('POST', `/settings/api/tokens/${ID}/delete`)],
  'GET /settings/passkeys': ['page', signedIn('GET', '/settings/passkeys')],
  'POST /settings/passkeys': ['page', signedIn('POST', '/settings/passkeys', { password: 'x' })],
  'GET /settings/passkeys/remove': ['page', signedIn('GET', '/settings/passkeys/remove?passkey=x')],
  'GET /settings/account': ['page', signedIn('GET', '/settings/account')],
  'POST /settings/account/password': ['page', signedIn('POST', '/settings/account/password', { password: 'x' })],
  'POST /settings/account/mails': ['page', signedIn('POST', '/settings/account/mails', { language: 'lt' })],
  'POST /settings/account/time-zone': ['page', signedIn('POST', '/settings/account/time-zone', { time_zone: '' })],
  'GET /settings/vertexsms-account': ['page', signedIn('GET', '/settings/vertexsms-account')],
  'POST /settings/vertexsms-account': ['page', signedIn('POST', '/settings/vertexsms-account', { token: 'x' })],
  'POST /settings/vertexsms-account/price': ['page', signedIn('POST', '/settings/vertexsms-account/price', {})],
  'POST /settings/vertexsms-account/remove': ['page', signedIn('POST', '/settings/vertexsms-account/remove', {})],
  'POST /settings/passkeys/remove': ['page', signedIn('POST', '/settings/passkeys/remove', { passkey: 'x' })],
  'GET /settings/sessions': ['page', signedIn('GET', '/settings/sessions')],
  'POST /settings/sessions/:sessionId/end': ['page', signedIn('POST', `/settings/sessions/${ID}/end`)],
  'POST /settings/sessions/end-others': ['page', signedIn('POST', '/settings/sessions/end-others')],
  'GET /connections': ['page', signedIn('GET', '/connections')],
  'GET /connections/:connectionId': ['page', signedIn('GET', `/connections/${ID}`)],
  'GET /connections/:connectionId/activity.csv': ['page', signedIn('GET', `/connections/${ID}/activity.csv`)],
  'POST /connections/:connectionId/limits': ['page', signedIn('POST', `/connections/${ID}/limits`)],
  'POST /connections/:connectionId/pause': ['page', signedIn('POST', `/connections/${ID}/pause`)],
  'POST /connections/:connectionId/resume': ['page', signedIn('POST', `/connections/${ID}/resume`)],
  'GET /settings/api/tokens/:tokenId': ['page', signedIn('GET', `/settings/api/tokens/${ID}`)],
  'GET /settings/api/tokens/:tokenId/activity.csv': [
    'page',
    signedIn('GET', `/settings/api/tokens/${ID}/activity.csv`),
  ],
  'POST /settings/api/tokens/:tokenId/limits': ['page', signedIn('POST', `/settings/api/tokens/${ID}/limits`)],
  'POST /settings/api/tokens/:tokenId/pause': ['page', signedIn('POST', `/settings/api/tokens/${ID}/pause`)],
  'POST /settings/api/tokens/:tokenId/resume': ['page', signedIn('POST', `/settings/api/tokens/${ID}/resume`)],
  'GET /settings/limits': ['page', signedIn('GET', '/settings/limits')],
  'GET /settings/limits/activity.csv': ['page', signedIn('GET', '/settings/limits/activity.csv')],
  'POST /settings/limits/limits': ['page', signedIn('POST', '/settings/limits/limits')],
  'POST /settings/limits/pause': ['page', signedIn('POST', '/settings/limits/pause')],
  'POST /settings/limits/resume': ['page', signedIn('POST', '/settings/limits/resume')],
  'GET /connections/ended': ['page', signedIn('GET', '/connections/ended')],
  'POST /messages/:messageId/outcome': ['page', signedIn('POST', '/messages/1/outcome', { outcome: 'sent' })],
  'POST /messages/:messageId/cancel': ['page', signedIn('POST', '/messages/1/cancel')],
  'GET /approvals': ['page', signedIn('GET', '/approvals')],
  'GET /approvals/:approvalId': ['page', signedIn('GET', `/approvals/${ID}`)],
  'POST /approvals': ['page', signedIn('POST', '/approvals', { spender: ID })],
  'POST /approvals/:approvalId': ['page', signedIn('POST', `/approvals/${ID}`, { decision: 'approve' })],
  'GET /sandbox/phone': ['page', signedIn('GET', '/sandbox/phone')],
}

function get(path: string) {
  return ({ stranger }: Scene) => send(stranger, 'GET', path)
}

function options(path: string) {
  return ({ stranger }: Scene) => send(stranger, 'OPTIONS', path)
}

function signedIn(method: string, path: string, fields: Record<string, string> = {}) {
  return ({ person, csrf }: Scene) => send(person, method, path, method === 'POST' ? { csrf, ...fields } : undefined)
}

/** One request with the person's cookies and what a browser says on a form of ours; nothing followed. */
function send(person: Person, method: string, address: string, fields?: Record<string, string>): Promise<Response> {
  const url = new URL(address, person.origin)
  return fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      cookie: person.cookieHeader(url.pathname),
      'sec-fetch-site': 'same-origin',
      origin: 'http://app.example',
      'access-control-request-method': 'POST',
    },
    ...(fields && { body: new URLSearchParams(fields) }),
  })
}

/** Every method and path the app answers, as its router tells them. */
function routesOf(stack: Stack): string[] {
  const found: string[] = []
  const path: string[] = []
  for (const line of stack.app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', part = '', methods] = /^(.*?)(?:├──|└──) (\S*)(?: \((.*)\))?$/.exec(line) ?? []
    if (part === '' && !methods) continue
    path.length = indent.length / 4
    path.push(part)
    for (const method of methods?.split(', ') ?? []) if (method !== 'HEAD') found.push(`${method} ${path.join('')}`)
  }
  return found
}

describe.each(['on', 'off'])('while the database is away, with rate limits %s', (limits) => {
  let test: TestDatabase
  let door: Door
  let db: Database
  let stack: Stack
  let scene: Scene
  beforeAll(async () => {
    test = await testDatabase()
    door = await doorTo(test.url)
    db = createDatabase({ url: door.url, poolSize: 4 })
    stack = await startStack({ test, db: () => db, settings: { RATE_LIMITS: limits, ...MAIL } })
    scene = await makeScene(stack)
  })
  afterEach(() => door.open())
  afterAll(async () => {
    await stack?.close()
    await db?.$disconnect()
    await door?.close()
    await test?.close()
  })

  it('no route is left out of this table', () => {
    expect(routesOf(stack).sort()).toEqual(Object.keys(ROUTES).sort())
  })

  it.each(Object.keys(ROUTES))('%s says so in its own shape, or needs no database', async (route) => {
    const [shape, request] = ROUTES[route] ?? expect.unreachable('no such route')
    door.shut()
    const response = await request(scene)
    const body = await response.text()
    if (typeof shape === 'number')
      return expect([response.status, body.includes('server_error')]).toEqual([shape, false])
    expect([response.status, response.headers.get('location')]).toEqual([503, null])
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(response.headers.get('cache-control')).toContain('no-store')
    if (shape === 'page') {
      expect(response.headers.get('content-type')).toContain('text/html')
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(body).toContain('We are busy')
    } else {
      expect(JSON.parse(body)).toEqual({
        error: 'temporarily_unavailable',
        error_description: 'try again shortly with the same request',
      })
      expect(response.headers.get('access-control-allow-origin')).not.toBeNull()
      expect(response.headers.get('access-control-expose-headers')).toBe('retry-after')
    }
  })

  it('nothing was lost: the same refresh, consent and page work when it is back', async () => {
    for (const route of ['POST /oauth/token', 'GET /settings/api', 'POST /interaction/:uid', 'GET /oauth/authorize']) {
      const response = await ROUTES[route]?.[1](scene)
      expect([route, response?.status]).toEqual([route, route === 'GET /oauth/authorize' ? 303 : 200])
    }
  })
})

async function makeScene(stack: Stack): Promise<Scene> {
  const client = await register(stack)
  const { person } = await newSignedIn(stack)
  const tokens = await connect(client, person)
  const { url: authorize } = await start(client)
  const page = await person.open(authorize)
  const { html: settings } = await person.get('/settings/sessions')
  const stranger = await stack.person()
  const { html: signIn } = await stranger.get('/sign-in')
  return {
    client,
    asking: await register(stack, { token_endpoint_auth_method: 'client_secret_post' }),
    tokens,
    person,
    csrf: hiddenField(settings, 'csrf'),
    uid: page.url.pathname.split('/').pop() ?? '',
    interactionCsrf: hiddenField(page.html, 'csrf'),
    stranger,
    strangerCsrf: hiddenField(signIn, 'csrf'),
    authorize,
  }
}

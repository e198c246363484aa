import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Stack, shiftClock } from '../support/stack.ts'
import { expectRight, type Probe, type Topic } from './probe.ts'
import { Visitor } from './visitor.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const REDIRECT = 'http://127.0.0.1:5999/callback'
const VERIFIER = 'v'.repeat(43)
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, string | number>>
  readonly headers: Headers
}

async function post(url: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body, headers })
  const text = await response.text()
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : {}, headers: response.headers }
}

const form = (fields: Record<string, string>) => new URLSearchParams(fields)

async function newClient({ issuer }: Stack): Promise<string> {
  const metadata = { client_name: 'Probe', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' }
  const json = { 'content-type': 'application/json' }
  return String((await post(`${issuer}/oauth/register`, JSON.stringify(metadata), json)).body.client_id)
}

function authorizeUrl({ issuer }: Stack, clientId: string, extra: Record<string, string> = {}): string {
  const code = { response_type: 'code', code_challenge: CHALLENGE, code_challenge_method: 'S256', state: 's' }
  const params = { client_id: clientId, redirect_uri: REDIRECT, scope: 'sms:send sms:rates', ...code, ...extra }
  return `${issuer}/oauth/authorize?${new URLSearchParams(params)}`
}

async function owner({ issuer, email, password }: Stack): Promise<Visitor> {
  const visitor = new Visitor(issuer)
  const status = await visitor.signIn(email, password)
  expectRight(status === 303, `the owner's sign-in answered ${status}`)
  return visitor
}

/** A connection with the scopes that were left ticked: the client's id and its tokens. */
async function connection(product: Stack, scopes: readonly string[] = ['sms:send', 'sms:rates']) {
  const clientId = await newClient(product)
  const person = await owner(product)
  const page = await person.open(authorizeUrl(product, clientId))
  const ticked = scopes.map((scope) => ['scope', scope] as const)
  const decided = await person.post(page, page.url.pathname, [['decision', 'allow'], ...ticked])
  const next = /url=([^"]*)"/.exec(decided.html)?.[1]?.replaceAll('&amp;', '&') ?? '/'
  const { searchParams } = (await person.open(next)).url
  const grant = { grant_type: 'authorization_code', client_id: clientId, redirect_uri: REDIRECT }
  const code = { ...grant, code: searchParams.get('code') ?? '', code_verifier: VERIFIER }
  const { body } = await post(`${product.issuer}/oauth/token`, form(code))
  expectRight(typeof body.refresh_token === 'string', `no connection: ${JSON.stringify(body)}`)
  const refresh = (token: string | number | undefined, extra: Record<string, string> = {}) =>
    post(
      `${product.issuer}/oauth/token`,
      form({ grant_type: 'refresh_token', client_id: clientId, refresh_token: String(token), ...extra }),
    )
  return { clientId, tokens: body, refresh }
}

async function operator(product: Stack, ...args: string[]): Promise<string> {
  const env = { ...process.env, DATA_DIR: product.dataDir }
  const child = spawn('npx', ['-y', 'pnpm', '--silent', 'operator', ...args], { cwd: ROOT, env })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data))
  const [code] = await once(child, 'close')
  expectRight(code === 0, `the operator's command ended with ${code}: ${said}`)
  return said
}

/** An authorization request that must lead to the page of sign-in, whatever is odd about it. */
function asks(input: string, before: string, target: (product: Stack, clientId: string) => string): Probe {
  return {
    input,
    before,
    async run(product) {
      const { status, url } = await new Visitor(product.issuer).open(target(product, await newClient(product)))
      expectRight(status === 200 && url.pathname === '/sign-in', `${status} ${url.pathname}${url.search}`)
      return `${status} ${url.pathname}: the person is asked`
    },
  }
}

/** The login: resets, refreshes, what real libraries send, and what strangers do to an account. */
export const login: Topic = {
  title: 'the login',
  probes: [
    asks('authorize with nonce, max_age, acr_values and prompt=select_account, without openid', 'refused', (p, id) =>
      authorizeUrl(p, id, { nonce: 'n', max_age: '0', acr_values: 'x', id_token_hint: 'x', prompt: 'select_account' }),
    ),
    asks('authorize with `prompt=` and `response_mode=`', 'refused', (p, id) =>
      authorizeUrl(p, id, { prompt: '', response_mode: '' }),
    ),
    {
      input: 'authorize with a second `?` in front of the scope',
      before: 'the request was cut off there, and all five scopes were offered',
      async run(product) {
        const target = authorizeUrl(product, await newClient(product), { scope: 'sms:rates' })
        const page = await (await owner(product)).open(target.replace('&scope=', '&from=a?b&scope='))
        const offered = [...page.html.matchAll(/name="scope" value="([^"]*)"/g)].map(([, name]) => name).join(' ')
        expectRight(offered === 'sms:rates', `${page.status}, offered: ${offered}`)
        return `offered: ${offered}`
      },
    },
    {
      input: 'a sign-in form posted with `Origin: null` and no Sec-Fetch-Site (older Safari)',
      before: '403',
      async run({ issuer, email, password }) {
        const visitor = new Visitor(issuer)
        const page = await visitor.open('/sign-in')
        const send = async (html: string, headers: Record<string, string>) =>
          (await visitor.post({ ...page, html }, '/sign-in', Object.entries({ email, password }), headers)).status
        const foreign = await send(page.html, { origin: 'null', 'sec-fetch-site': 'cross-site' })
        const without = await send('', { origin: 'null' })
        const taken = await send(page.html, { origin: 'null' })
        const seen = `${taken}; from another site ${foreign}, without the token ${without}`
        expectRight(taken === 303 && foreign === 403 && without === 403, seen)
        return seen
      },
    },
    {
      input: 'a refresh that repeats the scope once asked for, of which a part was granted; and again in the overlap',
      before: 'invalid_scope: the login was lost after ten minutes',
      async run(product) {
        const { tokens, refresh } = await connection(product, ['sms:rates'])
        const repeated = { scope: 'sms:send sms:rates' }
        const [first, again] = [
          await refresh(tokens.refresh_token, repeated),
          await refresh(tokens.refresh_token, repeated),
        ]
        const none = await refresh(first.body.refresh_token, { scope: 'sms:send' })
        const seen = `${first.body.scope}, again ${again.body.scope ?? again.body.error}, nothing granted of it: ${none.body.error}`
        expectRight(
          first.body.scope === 'sms:rates' && again.body.scope === 'sms:rates' && none.body.error === 'invalid_scope',
          seen,
        )
        return seen
      },
    },
    {
      input: 'a used refresh token within the overlap, twenty seconds later, and for a narrower scope',
      before: 'expires_in aged with the answer, the narrower scope was passed over',
      async run(product) {
        const { tokens, refresh } = await connection(product)
        const first = await refresh(tokens.refresh_token)
        shiftClock(product, 20)
        const again = await refresh(tokens.refresh_token)
        const narrow = await refresh(tokens.refresh_token, { scope: 'sms:rates' })
        shiftClock(product, 0)
        const seen = `expires_in ${first.body.expires_in}, then ${again.body.expires_in}; narrower: ${narrow.body.scope}`
        const same = new Set([first, again, narrow].map(({ body }) => body.refresh_token)).size === 1
        const aged = Number(first.body.expires_in) - Number(again.body.expires_in)
        expectRight(same && aged >= 19 && narrow.body.scope === 'sms:rates', seen)
        return `${seen}; one refresh token`
      },
    },
    {
      input: 'the revocation of a refresh token that was rotated a moment ago',
      before: '200, and its family lived on',
      async run(product) {
        const { clientId, tokens, refresh } = await connection(product)
        const next = await refresh(tokens.refresh_token)
        const fields = form({ token: String(tokens.refresh_token), client_id: clientId })
        const revoked = await post(`${product.issuer}/oauth/revoke`, fields)
        const after = await refresh(next.body.refresh_token)
        const type = revoked.headers.get('content-type')
        const seen = `${revoked.status} of type ${type}, the next refresh: ${after.body.error}`
        expectRight(revoked.status === 200 && type === null && after.body.error === 'invalid_grant', seen)
        return seen
      },
    },
    {
      input: 'a preflight for /oauth/token that asks for traceparent and baggage',
      before: 'not allowed',
      async run({ issuer }) {
        const asked = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
        const headers = { ...asked, 'access-control-request-headers': 'traceparent, baggage' }
        const response = await fetch(`${issuer}/oauth/token`, { method: 'OPTIONS', headers })
        const allowed = response.headers.get('access-control-allow-headers') ?? ''
        expectRight(/traceparent/i.test(allowed) && /baggage/i.test(allowed), `${response.status} ${allowed}`)
        return `${response.status} allows ${allowed}`
      },
    },
    {
      input: 'a registration with https://localhost:8443/cb',
      before: 'refused',
      async run({ issuer }) {
        const metadata = { redirect_uris: ['https://localhost:8443/cb'], token_endpoint_auth_method: 'none' }
        const json = { 'content-type': 'application/json' }
        const { status } = await post(`${issuer}/oauth/register`, JSON.stringify(metadata), json)
        expectRight(status === 201, String(status))
        return String(status)
      },
    },
    {
      input: 'two requests for access that name one address',
      before: 'the second rewrote the first',
      async run(product) {
        const email = `asks-${randomBytes(4).toString('hex')}@example.com`
        for (const company of ['First of two', 'Second of two']) {
          const visitor = new Visitor(product.issuer)
          const fields = Object.entries({ email, name: 'A', company, reason: 'texts' })
          await visitor.post(await visitor.open('/request-access'), '/request-access', fields)
        }
        const list = await operator(product, 'requests')
        expectRight(list.includes('First of two') && list.includes('Second of two'), list)
        return 'both stand in the operator list'
      },
    },
    {
      input: 'twelve browsers that sign in with the old password again and again while the account is reset',
      before: 'thirteen browsers in three rounds stayed inside',
      async run(product) {
        const inside = await owner(product)
        const { tokens, refresh } = await connection(product)
        const thieves = Array.from({ length: 12 }, () => new Visitor(product.issuer))
        let over = false
        const trying = thieves.map(async (thief) => {
          while (!over) await thief.signIn(product.email, product.password)
        })
        await operator(product, 'reset', product.email)
        over = true
        await Promise.all(trying)
        const reached = await Promise.all([inside, ...thieves].map((one) => one.open('/settings/api')))
        const left = reached.filter(({ url }) => url.pathname === '/settings/api').length
        const { body } = await refresh(tokens.refresh_token)
        const seen = `${left} browsers inside, the client: ${body.error ?? 'connected'}`
        expectRight(left === 0 && body.error === 'invalid_grant', seen)
        return seen
      },
    },
  ],
}

import { modernRequest } from '../support/clients/raw.ts'
import type { Stack } from '../support/stack.ts'
import { expectRight, type Topic } from './probe.ts'

const QUICK_MS = 500
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const JSON_TYPE = { 'content-type': 'application/json' }
const REDIRECT = 'https://app.example/cb'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

/** What anybody can do without a token. */
export const strangers: Topic = {
  title: 'anybody, without a token',
  probes: [
    {
      input: 'POST /mcp, tools/call send_sms with 32 000 spaces in `scheduled`, a made-up token',
      before: 'three seconds in which nobody else was answered',
      run: (product) => stall(product, send({ scheduled: ' '.repeat(32_000) })),
    },
    {
      input: 'POST /mcp, tools/call send_sms with 100 000 spaces in `scheduled`, a made-up token',
      before: '24 seconds in which nobody else was answered',
      run: (product) => stall(product, send({ scheduled: ' '.repeat(100_000) })),
    },
    {
      input: 'POST /mcp, tools/call send_sms with 60 000 combining marks in `to`, a made-up token',
      before: 'two seconds in which nobody else was answered',
      run: (product) => stall(product, send({ to: `+370${'\u0301'.repeat(60_000)}` })),
    },
    {
      input: 'POST /mcp, the same with a good token',
      before: 'two seconds in which nobody else was answered',
      run: (product) => stall(product, send({ to: `+370${'\u0301'.repeat(60_000)}` }), product.token),
    },
    {
      input: 'POST /oauth/register with 15 000 combining marks in `client_name`',
      before: '230 ms of the event loop each',
      async run(product) {
        const began = performance.now()
        const { status } = await register(product, { client_name: 'e\u0301'.repeat(7_500) })
        const tookMs = Math.round(performance.now() - began)
        expectRight(status < 500 && tookMs < 10 * QUICK_MS, `${status} in ${tookMs} ms`)
        return `${status}`
      },
    },
    {
      input: 'POST /mcp, tools/call with capabilities nested 7 000 deep, a good token',
      before: '500, and 212 kB that never came back',
      async run({ mcpUrl, token }) {
        const { headers, body } = modernRequest('tools/call', { name: 'get_sms_rates', arguments: {} })
        const deep = `${'{"a":'.repeat(7_000)}1${'}'.repeat(7_000)}`
        const sent = body.replace(
          /("io\.modelcontextprotocol\/clientCapabilities":)\{[^}]*\}/,
          `$1{"experimental":${deep}}`,
        )
        expectRight(sent !== body, 'the probe did not put its input in')
        return answered(
          await fetch(mcpUrl, {
            method: 'POST',
            headers: { ...headers, authorization: `Bearer ${token}` },
            body: sent,
          }),
          [400],
        )
      },
    },
    {
      input: 'POST /oauth/register with `jwks` nested 10 000 deep',
      before: '500',
      async run({ issuer }) {
        const jwks = `{"keys":${'['.repeat(10_000)}${']'.repeat(10_000)}}`
        const body = `{"redirect_uris":["${REDIRECT}"],"token_endpoint_auth_method":"private_key_jwt","jwks":${jwks}}`
        return answered(await fetch(`${issuer}/oauth/register`, { method: 'POST', headers: JSON_TYPE, body }), [400])
      },
    },
    {
      input: 'POST /sms with a body nested 10 000 deep, a good token',
      before: 'depth was not limited where bodies are parsed',
      async run({ apiUrl, token }) {
        const body = `{"to":${'['.repeat(10_000)}${']'.repeat(10_000)}}`
        const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` }
        return answered(await fetch(`${apiUrl}/sms`, { method: 'POST', headers, body }), [400])
      },
    },
    ...(['token', 'revoke', 'introspect', 'par'] as const).map((endpoint) => ({
      input: `POST /oauth/${endpoint} with client_id=a%00b`,
      before: endpoint === 'token' ? '503 "try again with the same request", for ever' : '500',
      run: async ({ issuer }: Stack) =>
        answered(
          await fetch(`${issuer}/oauth/${endpoint}`, {
            method: 'POST',
            headers: FORM,
            body: 'grant_type=refresh_token&refresh_token=x&token=x&client_id=a%00b',
          }),
          [400, 401],
        ),
    })),
    {
      input: 'GET /oauth/authorize?client_id=a%00b',
      before: '500',
      run: async ({ issuer }) =>
        answered(await fetch(`${issuer}/oauth/authorize?response_type=code&client_id=a%00b`), [400]),
    },
    {
      input: 'POST /oauth/register with half of a surrogate pair in a redirect address',
      before: '500',
      run: async ({ issuer }) =>
        answered(
          await fetch(`${issuer}/oauth/register`, {
            method: 'POST',
            headers: JSON_TYPE,
            body: '{"redirect_uris":["https://app.example/\\ud800"]}',
          }),
          [400],
        ),
    },
    {
      input: 'POST /sign-in with a null character in the email address',
      before: '500',
      run: async ({ issuer }) =>
        answered(
          await fetch(`${issuer}/sign-in`, {
            method: 'POST',
            headers: FORM,
            body: 'email=a%00b@example.com&password=x',
          }),
          [400],
        ),
    },
    ...[
      ['an unknown scope', 'scope=nonsense'],
      ['another resource', 'resource=https://elsewhere.example/'],
      ['no PKCE', 'code_challenge='],
      ['prompt=none', 'prompt=none'],
      ['prompt=none and an id_token_hint', 'prompt=none&id_token_hint=x'],
      ['response_mode=form_post', 'response_mode=form_post'],
      ['a request object', 'request=eyJhbGciOiJub25lIn0.e30.'],
    ].map(([what = '', params = '']) => ({
      input: `GET /oauth/authorize by a client registered a moment ago, with ${what}`,
      before: 'sent the browser on at once: an open redirector for anybody who registers',
      async run(product: Stack) {
        const { client_id: clientId } = (await (await register(product, {})).json()) as { client_id: string }
        const query = new URLSearchParams({
          response_type: 'code',
          client_id: clientId,
          redirect_uri: REDIRECT,
          code_challenge: CHALLENGE,
          code_challenge_method: 'S256',
          state: 's',
        })
        for (const [name, value] of new URLSearchParams(params)) query.set(name, value)
        const response = await fetch(`${product.issuer}/oauth/authorize?${query}`, { redirect: 'manual' })
        const location = response.headers.get('location')
        const page = await response.text()
        const seen = `${response.status}, location ${location ?? 'none'}, ${page.includes('href="https://app.example/cb?error=') ? 'a page with a link' : 'no link'}`
        expectRight(
          response.status === 400 && location === null && page.includes('https://app.example/cb?error='),
          seen,
        )
        return seen
      },
    })),
    ...[
      ...['ms-appinstaller:?source=https://evil.example/x', 'search:query=x', 'microsoft-edge:https://evil.example/'],
      ...['itms-services://?action=x', 'jnlp://evil.example/x', 'MS-Word:ofe|u|x', 'ms-word:ofe', 'googlechrome://x'],
      ...[
        'goose://extension?cmd=evil',
        'vscode:extension/evil.evil',
        'cursor://anysphere.cursor-deeplink/mcp/install?x=y',
      ],
    ].map((uri) => ({
      input: `POST /oauth/register with the redirect address ${uri}`,
      before: '201, taken for the scheme of an app of its own',
      run: async (product: Stack) => answered(await register(product, { redirect_uris: [uri] }), [400]),
    })),
    {
      input: 'POST /oauth/register with the redirect address cursor://anysphere.cursor-mcp/oauth/callback',
      before: '201, and that was right',
      async run(product) {
        const { status } = await register(product, { redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback'] })
        expectRight(status === 201, String(status))
        return String(status)
      },
    },
  ],
}

function send(args: Record<string, unknown>): Record<string, unknown> {
  return { to: '+37061860698', from: 'Shop', message: 'hi', ...args }
}

/** Registers a public client (RFC 7591). */
export function register({ issuer }: Pick<Stack, 'issuer'>, metadata: object): Promise<Response> {
  return fetch(`${issuer}/oauth/register`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none', ...metadata }),
  })
}

/** Tells status and the beginning of the text of an answer that has one of these statuses. */
export async function answered(response: Response, statuses: readonly number[]): Promise<string> {
  const text = (await response.text()).replace(/\s+/g, ' ')
  const isPage = response.headers.get('content-type')?.includes('text/html') === true
  const seen = `${response.status} ${isPage ? 'as a page' : text.slice(0, 160)}`
  expectRight(statuses.includes(response.status), seen)
  return seen
}

/** Puts in a tool call and asks meanwhile whether the server lives. */
async function stall({ mcpUrl, ports }: Stack, args: Record<string, unknown>, token?: string): Promise<string> {
  const { headers, body } = modernRequest('tools/call', { name: 'send_sms', arguments: args })
  const authorization = `Bearer ${token ?? 'made-up'}`
  const call = fetch(mcpUrl, { method: 'POST', headers: { ...headers, authorization }, body })
  const began = performance.now()
  const alive = await fetch(`http://localhost:${ports.mcp}/healthz`)
  const aliveMs = Math.round(performance.now() - began)
  const response = await call
  const text = await response.text()
  const seen = `${response.status}, /healthz meanwhile ${alive.status} in ${aliveMs} ms`
  const right =
    token === undefined ? response.status === 401 : response.status === 200 && text.includes('INVALID_INPUT')
  expectRight(right && alive.status === 200 && aliveMs < QUICK_MS, seen)
  return seen
}

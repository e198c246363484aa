// The client's side of the four operations, the same for both servers: what differs is who agrees on the page.
import { createHash, randomBytes } from 'node:crypto'
import { OAUTH_PATHS } from '@vertexsms/contract/oauth-paths'
import { Pool } from 'undici'
import { MCP_RESOURCE_URL } from '../harness/issuer.ts'

const REDIRECT_URI = 'http://127.0.0.1:53682/callback'
const HOPS_MAX = 6

/** An authorization code and what its exchange needs. */
export interface Code {
  readonly clientId: string
  readonly code: string
  readonly verifier: string
}

interface Answer {
  readonly status: number
  readonly location: string | undefined
  readonly text: string
}

/** Browsers, each signed in with an account of its own, and their clients at one authorization server. */
export class AuthClient {
  readonly #origin: string
  readonly #pool: Pool
  readonly #browsers: Map<string, string>[] = []
  #authorizations = 0

  constructor(port: number) {
    this.#origin = `http://localhost:${port}`
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections: 32 })
  }

  /** Signs another browser in on the product's own page. */
  async signIn({ email, password }: { readonly email: string; readonly password: string }): Promise<void> {
    const cookies = new Map<string, string>()
    const page = await this.#send('GET', '/sign-in', undefined, undefined, cookies)
    const fields = { csrf: hidden(page.text, 'csrf'), return_to: hidden(page.text, 'return_to'), email, password }
    const { status } = await this.#send('POST', '/sign-in', form(fields), undefined, cookies)
    if (status !== 303 && status !== 302) throw new Error(`sign-in was answered with ${status}`)
    this.#browsers.push(cookies)
  }

  /** Registers a client (RFC 7591); gives its id. */
  async register(): Promise<string> {
    const metadata = { client_name: 'bench', redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' }
    const body = JSON.stringify({ ...metadata, grant_types: ['authorization_code', 'refresh_token'] })
    const { text } = await this.#send('POST', OAUTH_PATHS.registration, { body, type: 'application/json' }, [201])
    return (JSON.parse(text) as { client_id: string }).client_id
  }

  /** From the authorization request to the code in the callback, each browser in turn agreeing where there is a page. */
  async authorize(clientId: string): Promise<Code> {
    const verifier = randomBytes(32).toString('base64url')
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: REDIRECT_URI,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      state: 'bench',
      resource: MCP_RESOURCE_URL,
      scope: 'sms:send sms:rates sender:write hlr:lookup numbers:read offline_access',
    })
    // The cookies of this very authorization: several are under way at once.
    const own = new Map(this.#browsers[this.#authorizations++ % this.#browsers.length])
    let path = `${OAUTH_PATHS.authorization}?${query}`
    for (let hop = 0; hop < HOPS_MAX; hop++) {
      let answer = await this.#send('GET', path, undefined, [200, 302, 303], own)
      if (answer.location === undefined && answer.text.includes('name="decision"')) {
        const scopes = [...answer.text.matchAll(/name="scope" value="([^"]+)"/g)].map(([, value = '']) => value)
        const body = form({ csrf: hidden(answer.text, 'csrf'), decision: 'allow' }, scopes)
        answer = await this.#send('POST', path, body, [200, 302, 303], own)
      }
      const next = answer.location ?? /http-equiv="refresh" content="\d+; ?url=([^"]+)"/i.exec(answer.text)?.[1]
      if (next === undefined) throw new Error(`no way on from ${path}: ${answer.status} ${answer.text.slice(0, 400)}`)
      const url = new URL(next.replaceAll('&amp;', '&'), this.#origin)
      if (url.origin !== this.#origin) {
        const code = url.searchParams.get('code')
        if (code === null) throw new Error(`no code: ${url.search}`)
        return { clientId, code, verifier }
      }
      path = url.pathname + url.search
    }
    throw new Error('too many redirects')
  }

  /** Exchanges a code; gives the refresh token. */
  exchange({ clientId, code, verifier }: Code): Promise<string> {
    const fields = { code, code_verifier: verifier, redirect_uri: REDIRECT_URI, client_id: clientId }
    return this.#token({ grant_type: 'authorization_code', resource: MCP_RESOURCE_URL, ...fields })
  }

  /** Refreshes; gives the next refresh token. */
  refresh(clientId: string, token: string): Promise<string> {
    return this.#token({ grant_type: 'refresh_token', client_id: clientId, refresh_token: token })
  }

  /** Ends its connections. */
  close(): Promise<void> {
    return this.#pool.close()
  }

  async #token(fields: Readonly<Record<string, string>>): Promise<string> {
    const { text } = await this.#send('POST', OAUTH_PATHS.token, form(fields), [200])
    const { access_token: access, refresh_token: refresh } = JSON.parse(text) as Record<string, string>
    if (!access || !refresh) throw new Error(`no tokens: ${text}`)
    return refresh
  }

  async #send(
    method: 'GET' | 'POST',
    path: string,
    sent?: { readonly body: string; readonly type: string },
    expected: readonly number[] = [200, 302, 303],
    cookies = new Map<string, string>(),
  ): Promise<Answer> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await this.#pool.request({
      method,
      path,
      headers: {
        host: new URL(this.#origin).host,
        // As a browser on a page; a program says nothing of the kind.
        ...(path.startsWith('/oauth/') ? {} : { origin: this.#origin, 'sec-fetch-site': 'same-origin' }),
        ...(cookie === '' ? {} : { cookie }),
        ...(sent === undefined ? {} : { 'content-type': sent.type }),
      },
      body: sent?.body ?? null,
    })
    const text = await response.body.text()
    for (const line of [response.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    if (!expected.includes(response.statusCode)) {
      throw new Error(`${method} ${path} was answered with ${response.statusCode}: ${text.slice(0, 400)}`)
    }
    return { status: response.statusCode, location: [response.headers.location].flat()[0], text }
  }
}

function form(fields: Readonly<Record<string, string>>, scopes: readonly string[] = []) {
  const body = new URLSearchParams([...Object.entries(fields), ...scopes.map((scope) => ['scope', scope])])
  return { body: body.toString(), type: 'application/x-www-form-urlencoded' }
}

function hidden(html: string, name: string): string {
  return new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? ''
}

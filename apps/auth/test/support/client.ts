import * as oauth from 'oauth4webapi'
import { checkboxes, hiddenField, type Person, refreshTarget, type View } from './person.ts'
import { MCP_RESOURCE, type Stack } from './stack.ts'

/** Plain http is what these tests speak; the library refuses it otherwise. */
export const INSECURE = { [oauth.allowInsecureRequests]: true } as const

export const REDIRECT_URI = 'http://127.0.0.1:53682/callback'

/** A registered client as an independent library sees it. */
export interface TestClient {
  readonly server: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly auth: oauth.ClientAuth
  readonly redirectUri: string
}

/** What the person does on the consent page. */
export interface Choice {
  readonly decision?: 'allow' | 'deny'
  /** Scopes left ticked; all that were offered when absent. */
  readonly scopes?: readonly string[]
  /** How long it may stay connected; what the page starts with when absent. */
  readonly lasts?: '1h' | '1d' | '30d' | '1y'
}

export interface StartedFlow {
  readonly url: URL
  readonly verifier: string
  readonly state: string
}

/** A connection as the client holds it. */
export interface Tokens {
  readonly access: string
  readonly refresh: string
  readonly scope: string
  readonly expiresIn: number
}

/** The metadata of each stack, which does not change: registering clients asks for it once. */
const servers = new WeakMap<Stack, Promise<oauth.AuthorizationServer>>()

export async function discover(stack: Stack): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(stack.issuer)
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE })
  return oauth.processDiscoveryResponse(issuer, response)
}

/** Registers a client dynamically (RFC 7591). */
export async function register(stack: Stack, metadata: Record<string, unknown> = {}): Promise<TestClient> {
  const asked = servers.get(stack) ?? discover(stack)
  servers.set(stack, asked)
  const server = await asked
  const redirectUri = String((metadata.redirect_uris as string[] | undefined)?.[0] ?? REDIRECT_URI)
  const body = {
    client_name: 'Test app',
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
    ...metadata,
  }
  const response = await oauth.dynamicClientRegistrationRequest(server, body as Partial<oauth.Client>, INSECURE)
  const client = await oauth.processDynamicClientRegistrationResponse(response)
  return { server, client, auth: authenticationOf(client), redirectUri }
}

function authenticationOf(client: oauth.Client): oauth.ClientAuth {
  const secret = String(client.client_secret)
  if (client.token_endpoint_auth_method === 'client_secret_basic') return oauth.ClientSecretBasic(secret)
  if (client.token_endpoint_auth_method === 'client_secret_post') return oauth.ClientSecretPost(secret)
  return oauth.None()
}

/** An authorization request of the client; `params` adds, replaces (string) or removes (null) parameters. */
export async function start(
  { server, client, redirectUri }: Pick<TestClient, 'server' | 'client' | 'redirectUri'>,
  params: Record<string, string | readonly string[] | null> = {},
): Promise<StartedFlow> {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(server.authorization_endpoint ?? '')
  const all = {
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    resource: MCP_RESOURCE,
    ...params,
  }
  for (const [name, value] of Object.entries(all)) {
    if (value === null) continue
    for (const one of [value].flat()) url.searchParams.append(name, one)
  }
  return { url, verifier, state }
}

/** Answers the consent page the person is on; where the browser ends up. */
export async function answer(person: Person, page: View, choice: Choice = {}): Promise<View> {
  const fields: [string, string][] = [
    ['csrf', hiddenField(page.html, 'csrf')],
    ['decision', choice.decision ?? 'allow'],
  ]
  for (const scope of choice.scopes ?? checkboxes(page.html, 'scope')) fields.push(['scope', scope])
  if (choice.lasts !== undefined) fields.push(['lasts', choice.lasts])
  const answered = await person.post(page.url, fields)
  const next = answered.headers.get('location') ?? refreshTarget(answered.html)
  return next === null ? answered : person.open(new URL(next, page.url))
}

/** From the authorization request to the callback's URL. */
export async function approve(person: Person, flow: StartedFlow, choice: Choice = {}): Promise<URL> {
  const page = await person.open(flow.url)
  if (!page.html.includes('name="scope"')) throw new Error(`no consent page: ${page.status} ${page.url} ${page.html}`)
  return (await answer(person, page, choice)).url
}

/** Exchanges the code of a callback, with every check of the independent library (state, iss, PKCE). */
export async function exchange(test: TestClient, flow: StartedFlow, callback: URL): Promise<Tokens> {
  const params = oauth.validateAuthResponse(test.server, test.client, callback, flow.state)
  const response = await oauth.authorizationCodeGrantRequest(
    test.server,
    test.client,
    test.auth,
    params,
    test.redirectUri,
    flow.verifier,
    { ...INSECURE, additionalParameters: { resource: MCP_RESOURCE } },
  )
  return tokensOf(await oauth.processAuthorizationCodeResponse(test.server, test.client, response))
}

/** Refreshes with the independent library; throws its ResponseBodyError when refused. */
export async function refresh(test: TestClient, token: string, extra: Record<string, string> = {}): Promise<Tokens> {
  const response = await oauth.refreshTokenGrantRequest(test.server, test.client, test.auth, token, {
    ...INSECURE,
    additionalParameters: extra,
  })
  return tokensOf(await oauth.processRefreshTokenResponse(test.server, test.client, response))
}

function tokensOf(result: oauth.TokenEndpointResponse): Tokens {
  return {
    access: result.access_token,
    refresh: result.refresh_token ?? '',
    scope: String(result.scope),
    expiresIn: Number(result.expires_in),
  }
}

/** The whole way: authorize, approve, exchange. */
export async function connect(
  test: TestClient,
  person: Person,
  options: { readonly params?: Record<string, string | null>; readonly choice?: Choice } = {},
): Promise<Tokens> {
  const flow = await start(test, options.params)
  return exchange(test, flow, await approve(person, flow, options.choice))
}

/** A form post to an endpoint, as any program could send it. */
export async function post(
  url: string,
  fields: Record<string, string | readonly string[]>,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one)
  const response = await fetch(url, { method: 'POST', body, headers })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : {} }
}

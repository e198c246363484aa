import * as oauth from 'oauth4webapi'
import { openCallback } from '../callback.ts'
import { rememberSecret } from '../secrets.ts'
import type { CallOutcome, Credentials, IndependentClient, ListedTool, ToolResult } from './client.ts'
import { MODERN_REVISION } from './sdk-v2.ts'

const insecure = { [oauth.allowInsecureRequests]: true }

/** Headers and body of one modern request (2026-07-28): everything stands in the request itself. */
export function modernRequest(method: string, params: Record<string, unknown> = {}, id: number | string = 1) {
  const name = params.name
  return {
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': MODERN_REVISION,
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': MODERN_REVISION,
          'io.modelcontextprotocol/clientCapabilities': {},
          'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
        },
      },
    }),
  }
}

/**
 * A client without any MCP library: OAuth by oauth4webapi, which follows the RFCs to the letter, and MCP by plain
 * POST requests of the stateless revision. The label is what it calls itself.
 */
export async function rawClient(mcpUrl: string, label = 'raw HTTP client'): Promise<IndependentClient> {
  const callback = await openCallback()
  let server: oauth.AuthorizationServer | undefined
  let client: oauth.Client | undefined
  let verifier = ''
  let state = ''
  let tokens: Credentials | undefined

  const connect = async (): Promise<URL | null> => {
    const probe = await post(mcpUrl, tokens?.accessToken, 'server/discover')
    if (probe.status === 200) return null
    if (probe.status !== 401) throw new Error(`${label}: server/discover answered ${probe.status}`)
    const challenge = probe.headers.get('www-authenticate') ?? ''
    server ??= await discover(mcpUrl, challenge)
    client ??= await register(server, label, callback.url)
    verifier = oauth.generateRandomCodeVerifier()
    state = oauth.generateRandomState()
    rememberSecret('code verifier', verifier)
    const url = new URL(server.authorization_endpoint ?? '')
    url.search = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri: callback.url,
      response_type: 'code',
      scope: parameter(challenge, 'scope'),
      resource: mcpUrl,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }).toString()
    return url
  }

  return {
    label,
    connect,
    finish: async () => {
      if (!server || !client) throw new Error(`${label} has not started.`)
      const params = oauth.validateAuthResponse(server, client, await callback.next(), state)
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        params,
        callback.url,
        verifier,
        { ...insecure, additionalParameters: { resource: mcpUrl } },
      )
      tokens = credentials(client, await oauth.processAuthorizationCodeResponse(server, client, response))
    },
    reconnect: () => {
      tokens = undefined
      return connect()
    },
    listTools: async () => {
      const response = await post(mcpUrl, tokens?.accessToken, 'tools/list')
      return (await response.json()).result.tools as ListedTool[]
    },
    callTool: async (name, args): Promise<CallOutcome> => {
      const response = await post(mcpUrl, tokens?.accessToken, 'tools/call', { name, arguments: args })
      const text = await response.text()
      if (response.status === 200) return { kind: 'result', result: resultOf(text) }
      const challenge = response.headers.get('www-authenticate')
      return { kind: 'refused', status: response.status, challenge, body: text, authorizeUrl: null }
    },
    credentials: async () => {
      if (tokens === undefined) throw new Error(`${label} holds no tokens.`)
      return tokens
    },
    close: () => callback.close(),
  }
}

function post(mcpUrl: string, token: string | undefined, method: string, params?: Record<string, unknown>) {
  const { headers, body } = modernRequest(method, params)
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return fetch(mcpUrl, { method: 'POST', headers: { ...headers, ...authorization }, body })
}

/** The result of an answer that is one JSON object, or an event stream whose last event carries it. */
function resultOf(text: string): ToolResult {
  const data = text.startsWith('{')
    ? text
    : text
        .split('\n')
        .findLast((line) => line.startsWith('data:'))
        ?.slice(5)
  const answer = JSON.parse(data ?? '{}')
  if (answer.result === undefined) throw new Error(`Not a result: ${text}`)
  return answer.result
}

/** RFC 9728 §5: from the challenge to the resource's metadata to the authorization server's (RFC 8414). */
async function discover(mcpUrl: string, challenge: string): Promise<oauth.AuthorizationServer> {
  const metadata = await fetch(parameter(challenge, 'resource_metadata'))
  const resource = await oauth.processResourceDiscoveryResponse(new URL(mcpUrl), metadata)
  const issuer = new URL(resource.authorization_servers?.[0] ?? '')
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
  return oauth.processDiscoveryResponse(issuer, response)
}

async function register(server: oauth.AuthorizationServer, name: string, redirectUri: string): Promise<oauth.Client> {
  const response = await oauth.dynamicClientRegistrationRequest(
    server,
    { client_name: name, redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' },
    insecure,
  )
  return oauth.processDynamicClientRegistrationResponse(response)
}

function credentials(client: oauth.Client, response: oauth.TokenEndpointResponse): Credentials {
  rememberSecret('access token', response.access_token)
  rememberSecret('refresh token', response.refresh_token)
  return {
    clientId: client.client_id,
    accessToken: response.access_token,
    refreshToken: response.refresh_token ?? '',
    scope: response.scope ?? '',
  }
}

/** One parameter of a `WWW-Authenticate` challenge (RFC 9110 §11.2); throws when it is not there. */
export function parameter(challenge: string, name: string): string {
  const value = new RegExp(`[ ,]${name}="([^"]*)"`).exec(challenge)?.[1]
  if (value === undefined) throw new Error(`The challenge carries no ${name}: ${challenge}`)
  return value
}

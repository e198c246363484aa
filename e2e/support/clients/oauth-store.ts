import { randomUUID } from 'node:crypto'
import type { OAuthClientProvider, OAuthDiscoveryState } from '@modelcontextprotocol/sdk/client/auth.js'
import type { OAuthClientMetadata, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import type { Callback } from '../callback.ts'
import { rememberSecret } from '../secrets.ts'
import type { Credentials } from './client.ts'

type ClientInformation = Parameters<NonNullable<OAuthClientProvider['saveClientInformation']>>[0]

/** What an MCP client keeps for one server: registration, tokens, verifier. In memory, for both generations of the SDK. */
export class OAuthStore implements OAuthClientProvider {
  readonly #name: string
  readonly #callback: Callback
  #state = ''
  #verifier = ''
  #client: ClientInformation | undefined
  #tokens: OAuthTokens | undefined
  #authorizeUrl: URL | null = null
  #discovered: OAuthDiscoveryState | undefined

  constructor(name: string, callback: Callback) {
    this.#name = name
    this.#callback = callback
  }

  get redirectUrl(): string {
    return this.#callback.url
  }

  get clientMetadata(): OAuthClientMetadata {
    return {
      client_name: this.#name,
      redirect_uris: [this.#callback.url],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }
  }

  state(): string {
    this.#state = randomUUID()
    return this.#state
  }

  clientInformation(): ClientInformation | undefined {
    return this.#client
  }

  saveClientInformation(client: ClientInformation): void {
    this.#client = client
  }

  tokens(): OAuthTokens | undefined {
    return this.#tokens
  }

  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens
    rememberSecret('access token', tokens.access_token)
    rememberSecret('refresh token', tokens.refresh_token)
  }

  redirectToAuthorization(url: URL): void {
    this.#authorizeUrl = url
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier
    rememberSecret('code verifier', verifier)
  }

  codeVerifier(): string {
    return this.#verifier
  }

  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovered = state
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovered
  }

  invalidateCredentials(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): void {
    if (scope === 'all' || scope === 'client') this.#client = undefined
    if (scope === 'all' || scope === 'tokens') this.#tokens = undefined
    if (scope === 'all' || scope === 'discovery') this.#discovered = undefined
  }

  /** The authorize URL since the last time it was asked for; null when there was none. */
  takeAuthorizeUrl(): URL | null {
    const url = this.#authorizeUrl
    this.#authorizeUrl = null
    return url
  }

  /** Forgets the tokens and keeps the registration: what "sign in again" does in a client. */
  forgetTokens(): void {
    this.#tokens = undefined
  }

  /** The next authorization response; throws when it is not the answer to this client's own request. */
  async nextResponse(): Promise<URLSearchParams> {
    const { searchParams } = await this.#callback.next()
    if (searchParams.get('state') !== this.#state) throw new Error('The state of the response is not the one sent.')
    return searchParams
  }

  credentials(): Credentials {
    const { access_token, refresh_token, scope } = this.#tokens ?? {}
    if (!this.#client || !access_token || !refresh_token || scope === undefined) {
      throw new Error(`${this.#name} holds no complete set of credentials.`)
    }
    return { clientId: this.#client.client_id, accessToken: access_token, refreshToken: refresh_token, scope }
  }
}

// The library's configuration, whole: each setting beside the reason for it, so that what this server allows can be read
// from top to bottom.
import { hkdfSync } from 'node:crypto'
import { ACCESS_TOKEN_ALG } from '@vertexsms/contract/api-token'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import {
  type ClientMetadata,
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider'
import { DETAILS_TYPE, DetailsRefused, readAuthorizationDetails } from '../connections/authorization-details.ts'
import { isWithin } from '../connections/limits.ts'
import { cookieName } from '../cookie-name.ts'
import { OPERATOR_MARK } from '../operator-mark.ts'
import type { Words } from '../words/words.ts'
import { createAdapters, DOCUMENT_ERROR } from './adapters/adapters.ts'
import { type AdapterDeps, currentWork } from './adapters/base.ts'
import type { KeySets } from './clients/key-sets.ts'
import { redirectUriMatches } from './clients/redirect-uris.ts'
import { CLIENT_AUTH_METHODS } from './clients/registration.ts'
import { type ErrorRedirectDeps, pageBeforeErrors } from './error-redirects.ts'
import { type SigningKey, signingKeyAt } from './keys.ts'
import { ASSERTION_ALGS } from './metadata.ts'
import { currentAddress } from './request/address.ts'
import { answerWithPage } from './request/message-page.ts'
import { answerOutages, noteOutage } from './request/outage.ts'
import { OFFLINE_ACCESS, type Resources, requestedScopes } from './request/parameters.ts'
import { PATHS } from './request/paths.ts'
import { answerUnavailable } from './request/unavailable.ts'
import { mayIntrospect } from './tokens/jwt-tokens.ts'

/** The library's own browser session, which is never kept: the middleware takes its cookie off every answer. */
const FORGOTTEN_COOKIE = 'forgotten'

/** How far ahead a client assertion may expire; usual ones live for one to ten minutes. */
const ASSERTION_SECONDS_MAX = 3600

/** Everything a provider instance is built from; only the keys change while a process runs. */
export interface ProviderDeps extends AdapterDeps, ErrorRedirectDeps {
  readonly lifetimes: {
    readonly accessTokenSeconds: number
    readonly refreshTokenSeconds: number
    readonly authorizationCodeSeconds: number
    readonly interactionSeconds: number
  }
  /** The account of the browser that sent this Cookie header; null when nobody is signed in. */
  readonly signedInAccount: (cookieHeader: string | undefined) => Promise<string | null>
  /** True when the account exists and is not disabled. */
  readonly accountActive: (accountId: string) => Promise<boolean>
  readonly keySets: KeySets
  readonly onServerError: (error: Error) => void
}

/** Builds the protocol library's provider with our rules. The key set is fixed; which of its keys signs is decided per token. */
export function buildProvider(deps: ProviderDeps, keys: readonly SigningKey[]): Provider {
  const provider = new Provider(deps.issuer, configuration(deps, keys))
  // Host and protocol come from the configured issuer: endpoints.ts overwrites the headers this setting trusts.
  provider.proxy = true
  provider.Client.prototype.redirectUriAllowed = function redirectUriAllowed(uri: string) {
    return redirectUriMatches(this.redirectUris ?? [], uri, { anyLocalhostPort: this.clientAuthMethod === 'none' })
  }
  // Judged by our rules when a client registers, when its document is read, and at each use. The library's types leave
  // this public member out.
  const { Schema } = provider.Client as unknown as { Schema: { prototype: { redirectUris: () => void } } }
  Schema.prototype.redirectUris = () => {}
  provider.use(answerOutages)
  provider.use(answerUnavailable(deps.keySets))
  provider.use(pageBeforeErrors(deps))
  provider.use(async (ctx, next) => {
    await next()
    const cookies = [ctx.response.get('set-cookie') ?? []]
      .flat()
      .filter((line) => line && !line.startsWith(FORGOTTEN_COOKIE))
    if (cookies.length > 0) ctx.set('set-cookie', cookies)
    else ctx.remove('set-cookie')
  })
  provider.use(async (ctx, next) => {
    await next()
    // A revocation says nothing (RFC 7009 §2.2), in JSON: there are clients that read whatever comes as that.
    if (ctx.body === '') ctx.body = {}
  })
  provider.on('server_error', (ctx: object, error: Error) => {
    noteOutage(error, ctx)
    deps.onServerError(error)
  })
  return provider
}

/** What the library has against a client's metadata, in its own words; null where it takes them. */
export function clientRefusal(provider: Provider, metadata: ClientMetadata): string | null {
  try {
    // The library's types leave out that it can be called.
    ;new (provider.Client as unknown as new (metadata: ClientMetadata) => unknown)(metadata)
    return null
  } catch (error) {
    if (!(error instanceof errors.OIDCProviderError)) throw error
    return error.error_description ?? error.message
  }
}

function configuration(deps: ProviderDeps, keys: readonly SigningKey[]): Configuration {
  const { lifetimes, resources } = deps
  return {
    adapter: createAdapters(deps),
    jwks: { keys: keys.map(({ kid, privateJwk }) => ({ ...privateJwk, kid, alg: ACCESS_TOKEN_ALG, use: 'sig' })) },
    routes: {
      authorization: PATHS.authorization,
      token: PATHS.token,
      registration: PATHS.registration,
      revocation: PATHS.revocation,
      introspection: PATHS.introspection,
      pushed_authorization_request: PATHS.pushedRequest,
      jwks: PATHS.jwks,
    },
    scopes: [...SCOPE_NAMES, OFFLINE_ACCESS],
    claims: {},
    responseTypes: ['code'],
    clientAuthMethods: [...CLIENT_AUTH_METHODS],
    assertJwtClientAuthClaimsAndHeader: async (_ctx, { exp }) => {
      // Each is remembered until it expires, so a far end would be a row for ever (RFC 7523 §3).
      if (Number(exp) > Date.now() / 1000 + ASSERTION_SECONDS_MAX) {
        throw new errors.InvalidClientAuth({ detail: 'the client assertion expires too late' })
      }
    },
    enabledJWA: { clientAuthSigningAlgValues: [...ASSERTION_ALGS] },
    // Any client may ask to be held to limits; one that never does is held to the owner's.
    clientDefaults: { id_token_signed_response_alg: ACCESS_TOKEN_ALG, authorization_details_types: [DETAILS_TYPE] },
    extraClientMetadata: { properties: [OPERATOR_MARK] },
    pkce: { required: () => true },
    // Browser-based clients may come from anywhere: nothing here is authorised by a cookie (Fetch, CORS protocol).
    clientBasedCORS: () => true,
    cookies: cookies(deps),
    ttl: {
      AuthorizationCode: lifetimes.authorizationCodeSeconds,
      Interaction: lifetimes.interactionSeconds,
      AccessToken: () => withinConnection(lifetimes.accessTokenSeconds),
      RefreshToken: () => withinConnection(lifetimes.refreshTokenSeconds),
      // Neither is stored: a session lasts for one request, and a grant's end is the connection's.
      Session: lifetimes.interactionSeconds,
      Grant: lifetimes.refreshTokenSeconds,
    },
    features: features(deps, keys),
    formats: {
      bitsOfOpaqueRandomness: 256,
      customizers: {
        jwt: (_ctx, token, parts) => finishAccessToken(resources, token.scope ?? '', parts.payload ?? {}),
      },
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    revokeGrantPolicy: () => true,
    findAccount: async (_ctx, accountId) => {
      const grant = currentWork()?.grant
      // What is found with a connection is found with a live account alone.
      const active = grant?.accountId === accountId || (await deps.accountActive(accountId))
      return active ? { accountId, claims: () => ({ sub: accountId }) } : undefined
    },
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId
      return grantId ? ctx.oidc.provider.Grant.find(grantId) : undefined
    },
    interactions: { policy: policy(deps), url: (_ctx, { uid }) => `/interaction/${uid}` },
    extraParams: {
      // Runs for authorization and pushed requests, present or not: what is asked for is settled before anybody is asked.
      scope: async (ctx, value) => {
        const scopes = requestedScopes(value)
        if (scopes === null) throw new errors.InvalidScope('none of the requested scopes is known', value ?? '')
        if (ctx.oidc.params) ctx.oidc.params.scope = scopes
      },
    },
    fetch: (target) => {
      const { client } = (Provider.ctx as KoaContextWithOIDC | undefined)?.oidc ?? {}
      const url = target instanceof Request ? target.url : String(target)
      return deps.keySets.fetch(url, client?.clientId ?? '', currentAddress() ?? 'unknown')
    },
    renderError: async (ctx, out) => {
      answerWithPage(ctx, (t) => ({
        title: t.ends.cannotContinue,
        text: errorText(t, out.error, out.error_description),
        // The app is not linked to: whoever registers could lead anywhere from here.
        link: { href: PAGE_PATHS.connect, label: t.ends.howToConnect },
      }))
    },
  }
}

function cookies({ issuer, operatorKey }: ProviderDeps): Configuration['cookies'] {
  const secure = issuer.startsWith('https:')
  const cookie = { signed: true, httpOnly: true, sameSite: 'lax', secure } as const
  return {
    keys: [cookieKey(operatorKey)],
    names: {
      session: FORGOTTEN_COOKIE,
      interaction: cookieName(issuer, '__Secure-', 'interaction'),
      resume: cookieName(issuer, '__Secure-', 'resume'),
    },
    short: cookie,
    long: cookie,
  }
}

function features({ lifetimes, resources }: ProviderDeps, keys: readonly SigningKey[]): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    // Not offered until the MCP server verifies proofs and the API takes bound tokens from it alone.
    dPoP: { enabled: false },
    registration: { enabled: true, issueRegistrationAccessToken: false },
    pushedAuthorizationRequests: { enabled: true },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => mayIntrospect(client, token.clientId) },
    richAuthorizationRequests: {
      enabled: true,
      types: { [DETAILS_TYPE]: { validate: (ctx) => void askedLimits(ctx) } },
      // What was asked is in the row since the person approved; the row alone says what a token is held to.
      authorizationDetailsForGrantSource: () => undefined,
      authorizationDetailsForAccessToken: (ctx, _token, source) => {
        refuseNarrowerToken(ctx)
        return source?.rar
      },
      authorizationDetailsForIntrospection: (_ctx, token) => token.rar,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resources.mcp,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource) => {
        if (resource !== resources.mcp) throw new errors.InvalidTarget()
        const { kid } = signingKeyAt(keys, databaseTime())
        return {
          scope: SCOPE_NAMES.join(' '),
          audience: resources.mcp,
          accessTokenFormat: 'jwt',
          accessTokenTTL: withinConnection(lifetimes.accessTokenSeconds),
          jwt: { sign: { alg: ACCESS_TOKEN_ALG, kid } },
        }
      },
    },
  }
}

/** Puts the last hand to the claims of an access token before it is signed, and notes the token in the unit of work. */
function finishAccessToken(resources: Resources, scope: string, payload: Record<string, unknown>): void {
  // The API is a recipient in its own right, so that the MCP server may pass the token on (RFC 9068 §3).
  payload.aud = [resources.mcp, resources.api]
  // Limits change while a token lives, and a list of countries would travel with each request: the row decides.
  delete payload.authorization_details
  const work = currentWork()
  if (!work) throw new Error('an access token outside a token request')
  const lifetimeSeconds = Number(payload.exp) - Number(payload.iat)
  // Whoever verifies it has another clock than ours; the database's is the one they share.
  payload.iat = Number(payload.iat) - Math.round((work.grant?.aheadMs ?? 0) / 1000)
  payload.exp = Number(payload.iat) + lifetimeSeconds
  work.access = { jti: String(payload.jti), scope, lifetimeSeconds }
}

/**
 * Sign-in is needed unless this very request carries an answer of the person who is signed in now; consent is always
 * needed. There is no silent authorization: a program on the same computer must not get tokens without a click.
 */
function policy(deps: ProviderDeps): interactionPolicy.DefaultPolicy {
  const { Check, Prompt, base } = interactionPolicy
  const prompts = base()
  prompts.clear()
  prompts.add(
    new Prompt(
      { name: 'login', requestable: true },
      new Check('signed_in', 'the person must sign in', 'login_required', async (ctx) => {
        const { accountId } = ctx.oidc.session ?? {}
        if (!accountId) return Check.REQUEST_PROMPT
        if ((await deps.signedInAccount(ctx.get('cookie'))) !== accountId) {
          throw new errors.AccessDenied('the person who approved is no longer signed in')
        }
        return Check.NO_NEED_TO_PROMPT
      }),
    ),
  )
  prompts.add(
    new Prompt(
      { name: 'consent', requestable: true },
      new Check('consent', 'the person must approve', 'consent_required', (ctx) => !ctx.oidc.result?.consent),
    ),
  )
  return prompts
}

/** The limits in the `authorization_details` of this request; null without any. Throws the error of RFC 9396 §5. */
function askedLimits(ctx: KoaContextWithOIDC): SpenderLimits | null {
  const parameter = ctx.oidc.params?.authorization_details
  try {
    return typeof parameter === 'string' ? readAuthorizationDetails(parameter) : null
  } catch (error) {
    if (!(error instanceof DetailsRefused)) throw error
    throw new errors.InvalidAuthorizationDetails(error.message)
  }
}

/**
 * Limits hang on the connection, so no token is narrower than it. A client that repeats at the token endpoint what it
 * asked the person, of which less was granted, gets what was granted; one that asks for less than that is refused
 * (RFC 9396 §6).
 */
function refuseNarrowerToken(ctx: KoaContextWithOIDC): void {
  const asked = askedLimits(ctx)
  const limits = currentWork()?.grant?.limits
  if (!asked || !limits || isWithin(limits, asked)) return
  throw new errors.InvalidAuthorizationDetails('a token cannot be held to less than its connection; ask the person')
}

/** A lifetime that does not outlast the connection of the token request being handled; at least one second. */
function withinConnection(lifetimeSeconds: number): number {
  const expiresAt = currentWork()?.grant?.expiresAt
  if (!expiresAt) return lifetimeSeconds
  return Math.max(1, Math.min(lifetimeSeconds, Math.floor((expiresAt.getTime() - Date.now()) / 1000)))
}

/** What time it is for the database, by the look at its clock that came with the token request being handled. */
function databaseTime(): Date {
  return new Date(Date.now() - (currentWork()?.grant?.aheadMs ?? 0))
}

function cookieKey(operatorKey: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', operatorKey, '', 'vertexsms oauth cookies', 32))
}

/** What a person reads where the request must not be answered by a redirect (RFC 6749 §4.1.2.1). */
function errorText(t: Words, error: string, description: string | undefined): string {
  if (description?.startsWith(DOCUMENT_ERROR)) return `${description}.`
  if (error === 'invalid_client') return t.ends.unknownClient
  if (error === 'invalid_redirect_uri') return t.ends.unknownAddress
  if (error === 'server_error') return t.ends.ourSide
  return t.ends.startAgain(description ?? error)
}

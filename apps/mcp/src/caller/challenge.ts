import type { AuthLinks } from '@vertexsms/contract/errors'
import { parseScopes, SCOPE_NAMES, SCOPES, type Scope } from '@vertexsms/contract/scopes'
import type { Config } from '../env.ts'
import { metadataUrl } from './metadata.ts'
import { Refusal } from './refusal.ts'

/** Why a request is not authenticated; each has its envelope and its challenge. */
export interface Challenges {
  /** No credentials, or none of ours: 401 without an `error` attribute (RFC 6750 §3.1). */
  missing(): Refusal
  /** A token that is malformed, expired, deleted or not for us: 401 `invalid_token`. */
  invalid(message?: string): Refusal
  /**
   * The token may not use this tool: 403. An OAuth token gets the `insufficient_scope` challenge with granted and
   * needed scopes together, so that a client can ask for more without losing what it has; a token made by hand gets
   * none, because a challenge would open a browser login that cannot help.
   */
  permissionMissing(needed: Scope, grantedScope: string | null): Refusal
}

/** The refusals of authentication for one configuration. Every 401 names all five scopes, always in the same order. */
export function createChallenges(config: Config): Challenges {
  const links: AuthLinks = { signup_url: config.SIGNUP_URL, signin_url: config.SIGNIN_URL, token_url: config.TOKEN_URL }
  const metadata = `resource_metadata="${metadataUrl(config.MCP_RESOURCE_URL)}"`
  const allScopes = `scope="${SCOPE_NAMES.join(' ')}"`
  const invalidToken = `Bearer ${metadata}, ${allScopes}, error="invalid_token", error_description="The access token is unknown, expired, deleted or not meant for this server"`
  return {
    missing: () => new Refusal('AUTH_REQUIRED', { challenge: `Bearer ${metadata}, ${allScopes}`, links }),
    invalid: (message) =>
      new Refusal('AUTH_INVALID', { challenge: invalidToken, links, ...(message === undefined ? {} : { message }) }),
    permissionMissing(needed, grantedScope) {
      const permission = SCOPES[needed].description.replace(/\.$/, '')
      if (grantedScope === null) {
        const message = `The API token does not have the permission "${permission}" (${needed}). Ask the person to make a token with that permission on Settings -> API.`
        return new Refusal('AUTH_INVALID', { status: 403, message, links })
      }
      const wanted = new Set<Scope>([...parseScopes(grantedScope), needed])
      const scope = SCOPE_NAMES.filter((name) => wanted.has(name)).join(' ')
      const message = `The permission "${permission}" (${needed}) was not granted. Ask the person to reconnect VertexSMS and tick it.`
      const description = `The permission '${permission}' was not granted. Reconnect VertexSMS and tick it.`
      const challenge = `Bearer error="insufficient_scope", scope="${scope}", ${metadata}, error_description="${description}"`
      return new Refusal('AUTH_INVALID', { status: 403, message, challenge, links })
    },
  }
}

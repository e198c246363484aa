import { ACCESS_TOKEN_ALG } from '@vertexsms/contract/api-token'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { DETAILS_TYPE } from '../connections/authorization-details.ts'
import { CLIENT_AUTH_METHODS, GRANT_TYPES } from './clients/registration.ts'
import { OFFLINE_ACCESS, RESPONSE_MODE } from './request/parameters.ts'
import { PATHS } from './request/paths.ts'

/** Signature algorithms of client assertions (RFC 7523); none of them symmetric. */
export const ASSERTION_ALGS = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const

/**
 * The authorization server metadata (RFC 8414 §2), the same at both well-known paths. Built from the configured issuer,
 * never from a request: a forged Host header cannot put another endpoint into it.
 */
export function serverMetadata(issuer: string, offers: { readonly clientDocuments: boolean }): Record<string, unknown> {
  const at = (path: string) => `${issuer}${path}`
  return {
    issuer,
    authorization_endpoint: at(PATHS.authorization),
    token_endpoint: at(PATHS.token),
    jwks_uri: at(PATHS.jwks),
    registration_endpoint: at(PATHS.registration),
    revocation_endpoint: at(PATHS.revocation),
    introspection_endpoint: at(PATHS.introspection),
    pushed_authorization_request_endpoint: at(PATHS.pushedRequest),
    scopes_supported: [...SCOPE_NAMES, OFFLINE_ACCESS],
    response_types_supported: ['code'],
    response_modes_supported: [RESPONSE_MODE],
    grant_types_supported: [...GRANT_TYPES],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: [...CLIENT_AUTH_METHODS],
    token_endpoint_auth_signing_alg_values_supported: [...ASSERTION_ALGS],
    revocation_endpoint_auth_methods_supported: [...CLIENT_AUTH_METHODS],
    revocation_endpoint_auth_signing_alg_values_supported: [...ASSERTION_ALGS],
    introspection_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS.filter((method) => method !== 'none'),
    introspection_endpoint_auth_signing_alg_values_supported: [...ASSERTION_ALGS],
    client_id_metadata_document_supported: offers.clientDocuments,
    authorization_details_types_supported: [DETAILS_TYPE],
    authorization_response_iss_parameter_supported: true,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    // No ID tokens are issued; strict readers of the OpenID form require these two members (Discovery 1.0 §3).
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [ACCESS_TOKEN_ALG],
    service_documentation: at(PAGE_PATHS.connect),
  }
}

/** Carries the API token on every REST request. Lower case, as Node reports header names. */
export const TOKEN_HEADER = 'x-vertexsms-token'

/** Response header of `POST /sms`: the number of message parts charged. */
export const AMOUNT_SENT_HEADER = 'x-vertexsms-amount-sent'

/**
 * Proves to the API that the request comes from our MCP server; only then is {@link CLIENT_ADDRESS_HEADER}
 * believed. Without it, or with a wrong value, the forwarded address is ignored.
 */
export const EDGE_SECRET_HEADER = 'x-vertexsms-edge-secret'

/** The caller's IP address as the MCP server saw it, for the token's IP allow-list. */
export const CLIENT_ADDRESS_HEADER = 'x-vertexsms-client-address'

/** The request id, passed on so that one call can be followed through the logs of all three apps. */
export const REQUEST_ID_HEADER = 'x-request-id'

/**
 * Request header that makes a send, a lookup or the registration of a number happen once, however often it is repeated
 * (draft-ietf-httpapi-idempotency-key-header): an RFC 8941 string, or the bare key.
 */
export const IDEMPOTENCY_KEY_HEADER = 'idempotency-key'

/** Response header, `true` on the answer of a request that was carried out before and is only told again. */
export const IDEMPOTENCY_REPLAYED_HEADER = 'idempotency-replayed'

/** The longest idempotency key, in visible ASCII characters. */
export const IDEMPOTENCY_KEY_MAX_CHARACTERS = 255

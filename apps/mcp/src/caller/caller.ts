import type { TokenLookup } from '@vertexsms/service/token-lookups'

/** The caller of one MCP request: who it is, and what every request to the API carries for it. */
export interface Caller {
  readonly token: string
  /** The client's IP address as this server saw it. */
  readonly address: string
  readonly requestId: string
  /** Names the credential in caches without being one. */
  readonly key: string
  /** Names the connection, or the token made by hand, whose calls are counted together. */
  readonly callKey: string
  /** The account; of a token made by hand as the API named it, and null before that. */
  readonly account: string | null
  /** The client that an OAuth token was issued to; null for a token made by hand. */
  readonly clientId: string | null
  /** Scopes of an OAuth token; null for a token made by hand. */
  readonly scope: string | null
  /** Hears what the API says of a token made by hand; null for a token that was verified here. */
  readonly lookup: TokenLookup | null
}

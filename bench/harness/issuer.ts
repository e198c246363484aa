import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { ACCESS_TOKEN_ALG, ACCESS_TOKEN_TYP } from '@vertexsms/contract/api-token'
import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

/** Where every contestant is told it lives, and what its tokens are issued for. */
export const MCP_RESOURCE_URL = 'http://localhost:4001/mcp'
const API_RESOURCE_URL = 'http://localhost:4002'

/** An authorization server reduced to what a resource server sees of it: its keys and its access tokens. */
export interface Issuer {
  readonly issuerUrl: string
  readonly jwksUrl: string
  /** An ES256 access token (RFC 9068) of a new account, with all five scopes, valid for `seconds`. */
  mint(seconds: number): Promise<string>
  close(): void
}

/** Serves a fresh ES256 key as a JWK set (RFC 7517) on a port of its own. */
export async function startIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair(ACCESS_TOKEN_ALG)
  const kid = randomUUID()
  const keys = JSON.stringify({
    keys: [{ ...(await exportJWK(publicKey)), kid, alg: ACCESS_TOKEN_ALG, use: 'sig' }],
  })
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(keys)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const issuerUrl = `http://localhost:${address.port}`
  return {
    issuerUrl,
    jwksUrl: `http://127.0.0.1:${address.port}/oauth/jwks`,
    mint: (seconds) =>
      new SignJWT({ client_id: 'bench', scope: SCOPE_NAMES.join(' ') })
        .setProtectedHeader({ alg: ACCESS_TOKEN_ALG, typ: ACCESS_TOKEN_TYP, kid })
        .setIssuer(issuerUrl)
        .setAudience([MCP_RESOURCE_URL, API_RESOURCE_URL])
        .setSubject(randomUUID())
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
        .sign(privateKey),
    close: () => server.close(),
  }
}

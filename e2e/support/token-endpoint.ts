import type { Credentials } from './clients/client.ts'
import { rememberSecret } from './secrets.ts'
import type { StackFacts } from './stack.ts'

/** Asks for new tokens with a refresh token, as a public client does (RFC 6749 §6). */
export async function refresh(stack: StackFacts, held: Credentials): Promise<{ status: number; body: TokenAnswer }> {
  const response = await fetch(`${stack.issuer}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: held.refreshToken,
      client_id: held.clientId,
    }),
  })
  const body = (await response.json()) as TokenAnswer
  rememberSecret('access token', body.access_token)
  rememberSecret('refresh token', body.refresh_token)
  return { status: response.status, body }
}

/** What the token endpoint answers, success or refusal. */
export interface TokenAnswer {
  readonly access_token?: string
  readonly refresh_token?: string
  readonly error?: string
}

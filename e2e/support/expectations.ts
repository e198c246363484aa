import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { expect } from 'vitest'
import type { CallOutcome } from './clients/client.ts'
import { parameter } from './clients/raw.ts'
import type { StackFacts } from './stack.ts'

// The envelopes are spelled out here, member for member, and not taken from the product's own tables.

/** Where people are sent on authentication errors. */
function links(stack: StackFacts) {
  return {
    signup_url: `${stack.issuer}/request-access`,
    signin_url: `${stack.issuer}/sign-in`,
    token_url: `${stack.issuer}/settings/api`,
  }
}

/** HTTP 401 with the seed's envelope and a challenge that leads a client back in (RFC 9728 §5.1, RFC 6750 §3.1). */
export async function expectRejected(response: Response, stack: StackFacts): Promise<void> {
  expect(response.status).toBe(401)
  const challenge = response.headers.get('www-authenticate') ?? ''
  expect(challenge).toMatch(/^Bearer /)
  expect(parameter(challenge, 'error')).toBe('invalid_token')
  expect(parameter(challenge, 'scope').split(' ')).toEqual(SCOPE_NAMES)
  expect(parameter(challenge, 'resource_metadata')).toBe(
    stack.mcpUrl.replace('/mcp', '/.well-known/oauth-protected-resource/mcp'),
  )
  expect(await response.json()).toEqual({
    error: {
      code: 'AUTH_INVALID',
      message: expect.stringMatching(/\S/),
      retryable: false,
      vertex_error_code: null,
      ...links(stack),
    },
  })
}

/** HTTP 503 with a time to wait: the client keeps its login and tries again. */
export async function expectUnavailable(response: Response): Promise<void> {
  expect(response.status).toBe(503)
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(response.headers.get('www-authenticate')).toBeNull()
  expect(await response.json()).toMatchObject({ error: { code: 'UPSTREAM_UNAVAILABLE', retryable: true } })
}

/** HTTP 403 `insufficient_scope` whose challenge names what was granted and what is needed, and nothing else. */
export function expectInsufficientScope(
  outcome: CallOutcome,
  granted: readonly string[],
  needed: string,
): asserts outcome is CallOutcome & { kind: 'refused' } {
  if (outcome.kind !== 'refused') throw new Error(`Not refused: ${JSON.stringify(outcome)}`)
  expect(outcome.status).toBe(403)
  const challenge = outcome.challenge ?? ''
  expect(parameter(challenge, 'error')).toBe('insufficient_scope')
  expect(parameter(challenge, 'scope').split(' ').sort()).toEqual([...new Set([...granted, needed])].sort())
  expect(parameter(challenge, 'resource_metadata')).toMatch(/\/\.well-known\/oauth-protected-resource\/mcp$/)
  expect(JSON.parse(outcome.body)).toMatchObject({ error: { code: 'AUTH_INVALID', retryable: false } })
}

import type { FastifyReply } from 'fastify'
import type { Limit, RateLimiter } from '../rate-limit.ts'

/**
 * How often the forms of this zone may be tried. The sign-in windows are short on purpose: whoever floods an account
 * with wrong passwords must not keep its owner out for long.
 */
export const ACCOUNT_LIMITS = {
  /** Wrong passwords for one account from one address. */
  signIn: { hits: 10, seconds: 600 },
  /** Wrong passwords for one account from everywhere, for browsers that have never signed in to it. */
  signInAccount: { hits: 60, seconds: 300 },
  /** Tries from one address, whatever the account. */
  signInAddress: { hits: 600, seconds: 600 },
  requestAccess: { hits: 10, seconds: 3600 },
  setPassword: { hits: 30, seconds: 600 },
  passkey: { hits: 120, seconds: 600 },
} as const satisfies Record<string, Limit>

/**
 * Whom an address belongs to, as far as limits go: an IPv6 address counts as its /64, which one household or server
 * usually has to itself.
 */
export function addressGroup(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail?.split(':').filter(Boolean) ?? []
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...(tail === undefined ? [] : zeros), ...right].slice(0, 4).join(':')
}

/** Too many tries; answered with 429 and `Retry-After`. */
export class TooManyTries extends Error {
  override readonly name = 'TooManyTries'
  readonly statusCode = 429
}

/** Counts one try of `subject`; throws {@link TooManyTries} when it is one too many. */
export async function assertAllowed(
  deps: { readonly rateLimiter: RateLimiter },
  reply: FastifyReply,
  name: keyof typeof ACCOUNT_LIMITS,
  subject: string,
): Promise<void> {
  const verdict = await deps.rateLimiter.hit(name, subject, ACCOUNT_LIMITS[name])
  if (verdict.allowed) return
  reply.header('retry-after', String(verdict.retryAfterSeconds))
  throw new TooManyTries('Too many tries.')
}

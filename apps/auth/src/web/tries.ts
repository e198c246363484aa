import type { FastifyReply } from 'fastify'
import type { LimitName } from '../service-limits.ts'
import type { RateLimiter, Subject } from './rate-limit.ts'

/** Too many tries; answered with 429 and `Retry-After`. */
export class TooManyTries extends Error {
  override readonly name = 'TooManyTries'
  readonly statusCode = 429
}

/** Counts one try, and gives what takes it back; throws {@link TooManyTries} when it is one too many. */
export async function assertAllowed(
  deps: { readonly rateLimiter: RateLimiter },
  reply: FastifyReply,
  name: LimitName,
  subject: Subject,
): Promise<() => Promise<void>> {
  const verdict = await deps.rateLimiter.hit(name, subject)
  if (verdict.allowed) return verdict.takeBack
  reply.header('retry-after', String(verdict.retryAfterSeconds))
  throw new TooManyTries('Too many tries.')
}

/** What is allowed; null after {@link TooManyTries}, for pages that say so themselves. */
export async function whileAllowed<Result>(tried: Promise<Result>): Promise<Result | null> {
  try {
    return await tried
  } catch (error) {
    if (error instanceof TooManyTries) return null
    throw error
  }
}

import { addressGroups } from '@vertexsms/service/address'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { knownBrowser } from '../accounts/known-browser.ts'
import { verifyPassword } from '../accounts/password.ts'
import type { WebDeps } from './deps.ts'
import { RETRY_AFTER_SECONDS } from './outage.ts'
import type { Subject } from './rate-limit.ts'
import { assertAllowed, TooManyTries } from './tries.ts'

/** A counted try at a password. */
export interface PasswordTry {
  /**
   * Whether the password fits, looked at in the turn of a known browser's account, or of everybody at an address; see
   * {@link verifyPassword}. Where no turn came, nobody looked at it and the try is not one: only its address keeps it.
   */
  verify(passwordHash: string | undefined, password: string): Promise<boolean>
  /** Forgets the tries that led to a right password. */
  forget(): Promise<void>
}

/**
 * Counts a try before the password is looked at, so that parallel tries cannot slip through, alike for addresses with and
 * without an account. Wrong passwords lock the pair they were tried in, of account and address group or known browser, and
 * throw TooManyTries there; from anywhere else the account's owner waits a moment at most. Signing in and every page that
 * asks for the password count together, so that no page gives more guesses than another.
 */
export async function countPasswordTry(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  email: string,
): Promise<PasswordTry> {
  const { ip: address } = request
  const { narrow, wide } = addressGroups(address)
  const known = knownBrowser(deps, request.headers.cookie, email)
  // What neighbours at an address try keeps nobody out of a browser that is known: it counts there by its account.
  await assertAllowed(deps, reply, 'signInAddress', known === null ? { address } : { address, about: email })
  const pair: Subject = known === null ? { about: email, address } : { about: `${email}\n${known}` }
  const takeBackOfPair = await assertAllowed(deps, reply, 'signIn', pair)
  const account: Subject = { about: email }
  const ofAccount = known === null ? await deps.rateLimiter.hit('signInAccount', account) : null
  if (ofAccount?.allowed === false) {
    const waited = await deps.signInDelay.wait(`${email}\n${narrow}`, request.raw.socket)
    if (!waited) {
      reply.header('retry-after', String(RETRY_AFTER_SECONDS))
      throw new TooManyTries('Too many tries at once.')
    }
  }
  const whose =
    known === null
      ? { name: `address ${wide ?? narrow}`, isStranger: true }
      : { name: `known ${email}`, isStranger: false }
  return {
    async verify(passwordHash, password) {
      try {
        return await verifyPassword(passwordHash, password, whose)
      } catch (error) {
        await takeBackOfPair()
        if (ofAccount?.allowed) await ofAccount.takeBack()
        throw error
      }
    },
    async forget() {
      await deps.rateLimiter.forget('signIn', pair)
      await deps.rateLimiter.forget('signInAccount', account)
    },
  }
}

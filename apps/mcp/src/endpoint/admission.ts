import type { FastifyRequest } from 'fastify'
import type { ApiClient } from '../api/client.ts'
import { ApiSession } from '../api/session.ts'
import type { Authenticate } from '../caller/bearer.ts'
import type { Caller } from '../caller/caller.ts'
import type { Challenges } from '../caller/challenge.ts'
import { Refusal } from '../caller/refusal.ts'
import type { TokenAccounts } from '../caller/token-accounts.ts'
import type { Limits } from './limits.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The API as this request sees it; there once the credentials were taken. */
    apiSession: ApiSession | undefined
  }
}

/** What decides who is let in. */
export interface AdmissionDeps {
  readonly accounts: TokenAccounts
  readonly api: ApiClient
  readonly authenticate: Authenticate
  readonly challenges: Challenges
  readonly limits: Limits
}

/** Who is let in, and how much of it. */
export interface Admission {
  /**
   * Takes the credentials of a request, which then has its session; for a credential that neither verified here nor was
   * accepted lately it asks the API first. At once where the token was verified before, so that the usual request waits for
   * nothing but the API. Throws, or rejects with, a Refusal.
   */
  admit(request: FastifyRequest): undefined | Promise<void>
  /** Counts one more request of a caller. Throws a Refusal above its limit. */
  count(caller: Caller): void
}

/** The admission of this process. */
export function createAdmission({ accounts, api, authenticate, challenges, limits }: AdmissionDeps): Admission {
  function count(caller: Caller): void {
    const wait = limits.call(caller.callKey)
    if (wait > 0) throw new Refusal('RATE_LIMITED', { retryAfterSeconds: wait })
  }

  function begin(caller: Caller): ApiSession {
    count(caller)
    return new ApiSession(api, challenges, accounts, caller)
  }

  // Anybody can write something that could be a token: not a byte of the body is read for one that nobody vouches for.
  function enter(request: FastifyRequest, session: ApiSession): undefined | Promise<void> {
    request.apiSession = session
    return session.caller.lookup?.isKnown === false ? session.alive() : undefined
  }

  return {
    count,
    admit(request) {
      const caller = authenticate(request)
      if (caller instanceof Promise) return caller.then((known) => enter(request, begin(known)))
      return enter(request, begin(caller))
    },
  }
}

/** The session of a request that was admitted. Throws for one that was not. */
export function sessionOf({ apiSession }: FastifyRequest): ApiSession {
  if (apiSession === undefined) throw new Error('a request that was not admitted')
  return apiSession
}

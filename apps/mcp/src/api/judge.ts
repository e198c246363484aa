import { API_ERRORS } from '@vertexsms/contract/api-errors'
import { type ErrorCode, toldCode, waitSentence } from '@vertexsms/contract/errors'
import { IDEMPOTENCY_REPLAYED_HEADER } from '@vertexsms/contract/headers'
import { type ApiErrorBody, apiErrorBodySchema, tokenResponseSchema } from '@vertexsms/contract/rest'
import type { Scope } from '@vertexsms/contract/scopes'
import type { Challenges } from '../caller/challenge.ts'
import { Refusal, unavailable } from '../caller/refusal.ts'
import type { ApiAnswer, NoAnswer } from './answer.ts'

/** A successful answer of a route. */
export interface RouteAnswer {
  readonly body: string
  readonly headers: ApiAnswer['headers']
}

/** True for the answer of a request that was carried out before, and is only told again. */
export function isReplayed({ headers }: RouteAnswer): boolean {
  return headers[IDEMPOTENCY_REPLAYED_HEADER] === 'true'
}

/** For how many whole seconds the API has known what it answered; 0 for what it knows by itself (RFC 9111 §5.1). */
export function ageSecondsOf({ headers }: RouteAnswer): number {
  const seconds = Number(headers.age ?? 0)
  return Number.isInteger(seconds) && seconds > 0 ? seconds : 0
}

/** What the API refused, for the tool to translate. */
export class RouteRefusal extends Error {
  override name = 'RouteRefusal'
  readonly status: number
  readonly error: ApiErrorBody
  /** After which the API says that the same call may be made again; null where it says nothing. */
  readonly retryAfterSeconds: number | null

  constructor(status: number, error: ApiErrorBody, retryAfterSeconds: number | null = null) {
    super(error.code)
    this.status = status
    this.error = error
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The route did nothing that can be told, or may have done it unseen: a code of the catalogue, for the tool to tell. */
export class RouteFailure extends Error {
  override name = 'RouteFailure'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message = '') {
    super(message)
    this.code = code
  }
}

/** What decides how an answer of a route is to be read. */
export interface RouteCall {
  /** The permission the route needs. */
  readonly scope: Scope
  /** The scopes of the caller's token; null for a token made by hand. */
  readonly grantedScope: string | null
  /** True when the call could spend money or change the account. */
  readonly effect: boolean
}

/**
 * What an answer of a tool's route means: its value, a {@link Refusal} where the API refuses the token,
 * a {@link RouteRefusal} where it refuses the call, a {@link RouteFailure} where it says nothing of the call's outcome.
 */
export function judgeAnswer(
  answer: ApiAnswer,
  { scope, grantedScope, effect }: RouteCall,
  challenges: Challenges,
): RouteAnswer | Refusal | RouteRefusal | RouteFailure {
  const { status } = answer
  if (status === 401) return challenges.invalid()
  if (status < 300) return answer
  const error = readError(answer)
  if (status === 403 && error.code === 'PERMISSION_MISSING') return challenges.permissionMissing(scope, grantedScope)
  if (status === 429) return new RouteFailure('RATE_LIMITED', waitSentence('RATE_LIMITED', retryAfterSeconds(answer)))
  // A code of ours says what happened, whatever its status: only what has none is judged by that.
  const told = new RouteRefusal(status, error, toldRetryAfterSeconds(answer))
  if (status >= 500 && saysOutcome(error.code)) return told
  if (effect && leavesOpen(status, error.code)) return new RouteFailure('SEND_OUTCOME_UNKNOWN')
  if (status === 503) {
    return new RouteFailure('UPSTREAM_UNAVAILABLE', waitSentence('UPSTREAM_UNAVAILABLE', told.retryAfterSeconds))
  }
  if (status >= 500) return new RouteFailure(status === 500 ? 'INTERNAL' : 'UPSTREAM_UNAVAILABLE')
  return told
}

const SAYS_NOTHING: ReadonlySet<string> = new Set(['INTERNAL', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'])

/** With these even what stands before the API says that it passed nothing on; with any other it may have, and lost the answer. */
const TURNED_AWAY: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 413, 415, 429])

// A gateway answers 503 for a connection that broke behind it as well, so that its 503 is not the API's.
function leavesOpen(status: number, code: string): boolean {
  if (!Object.hasOwn(API_ERRORS, code)) return !TURNED_AWAY.has(status)
  return status >= 500 && status !== API_ERRORS.UNAVAILABLE.status
}

function saysOutcome(code: string): boolean {
  return !SAYS_NOTHING.has(code) && toldCode(code).code !== 'INTERNAL'
}

/** What it means that a route gave no answer; `answeredBefore` when the API has answered this MCP request already. */
export function judgeSilence(
  { handedOver, timedOut }: NoAnswer,
  { effect, answeredBefore }: { readonly effect: boolean; readonly answeredBefore: boolean },
): Refusal | RouteFailure {
  if (handedOver && effect) return new RouteFailure('SEND_OUTCOME_UNKNOWN')
  if (handedOver && timedOut) return new RouteFailure('UPSTREAM_TIMEOUT')
  return answeredBefore ? new RouteFailure('UPSTREAM_UNAVAILABLE') : unavailable()
}

// What stands before the API answers 200 too, with a page of its own. No more than this is asked of a newer API.
const ownerSchema = tokenResponseSchema.pick({ account: true })

// How our API begins it, which spares most requests the parsing of all the rest.
const OWNER_FIRST = /^\{"account":"([^"\\]+)"[,}]/

function ownerIn(body: string): string | undefined {
  return OWNER_FIRST.exec(body)?.[1] ?? ownerSchema.safeParse(parseJson(body)).data?.account
}

/** Whose a token is that stands, which is said by naming its account; what an answer of `GET /token` says against any other. */
export function judgeToken(answer: ApiAnswer, challenges: Challenges): string | Refusal {
  const owner = answer.status === 200 ? ownerIn(answer.body) : undefined
  if (owner !== undefined) return owner
  if (answer.status === 401 || answer.status === 403) return challenges.invalid()
  if (answer.status === 429) return new Refusal('RATE_LIMITED', { retryAfterSeconds: retryAfterSeconds(answer) })
  return unavailable()
}

/** What an answer says of a token made by hand: whether it exists. One that may not be used from here was not guessed. */
export function judgeLookup(answer: ApiAnswer): 'accepted' | 'refused' | 'undecided' {
  if (answer.status < 300) return 'accepted'
  return answer.status === 401 && readError(answer).code !== 'IP_NOT_ALLOWED' ? 'refused' : 'undecided'
}

/** The JSON value of a text; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readError({ body }: ApiAnswer): ApiErrorBody {
  const parsed = apiErrorBodySchema.safeParse(parseJson(body))
  return parsed.success ? parsed.data : { message: '', code: 'UNKNOWN', error_code: null }
}

function retryAfterSeconds(answer: ApiAnswer): number {
  return toldRetryAfterSeconds(answer) ?? 1
}

function toldRetryAfterSeconds({ headers }: ApiAnswer): number | null {
  const seconds = Number(headers['retry-after'])
  return Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, 3600) : null
}

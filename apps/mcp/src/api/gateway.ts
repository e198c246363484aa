import {
  type ApiErrorBody,
  apiErrorBodySchema,
  type TokenDescription,
  tokenResponseSchema,
} from '@vertexsms/contract/rest'
import type { Scope } from '@vertexsms/contract/scopes'
import type { TokenLookup } from '@vertexsms/service/token-lookups'
import type { Challenges } from '../auth/challenge.ts'
import { Refusal, unavailable } from '../auth/refusal.ts'
import { ToolFailure } from '../result.ts'
import { type ApiAnswer, type ApiCaller, type ApiClient, ApiFailure, type ApiRequest } from './client.ts'

/** The caller of one MCP request: who it is, and what the API has said about the token so far. */
export interface Caller extends ApiCaller {
  /** Names the credential in caches without being one. */
  readonly key: string
  /** Names the connection, or the token made by hand, whose calls are counted together. */
  readonly callKey: string
  /** The account, where the token itself says it. */
  readonly account: string | null
  /** Scopes of an OAuth token; null for a token made by hand. */
  readonly scope: string | null
  /** Hears what the API says of a token made by hand; null for a token that was verified here. */
  readonly lookup: TokenLookup | null
}

/** A successful answer of a route. */
export interface RouteAnswer {
  readonly body: string
  readonly headers: ApiAnswer['headers']
}

/** What the API refused, for the tool to translate. */
export class RouteRefusal extends Error {
  override name = 'RouteRefusal'
  readonly status: number
  readonly error: ApiErrorBody

  constructor(status: number, error: ApiErrorBody) {
    super(error.code)
    this.status = status
    this.error = error
  }
}

const LIVENESS_TIMEOUT_MS = 5_000

/**
 * The API as one MCP request sees it. The API alone decides whether the token stands: its 401 ends the request with
 * 401, its missing permission with 403, and no answer at all with 503 as long as it has not answered this request.
 */
export class ApiSession {
  readonly caller: Caller
  readonly #client: ApiClient
  readonly #challenges: Challenges
  #asked = false
  #token: ApiAnswer | undefined
  #answered = false

  constructor(client: ApiClient, challenges: Challenges, caller: Caller) {
    this.#client = client
    this.#challenges = challenges
    this.caller = caller
  }

  /** Asks `GET /token`, unless this request has already asked the API something. Throws {@link Refusal}. */
  async alive(): Promise<void> {
    if (!this.#asked) await this.#askForToken()
  }

  /** The token's description of itself. Throws {@link Refusal}. */
  async describe(): Promise<TokenDescription> {
    const { body } = this.#token ?? (await this.#askForToken())
    const description = tokenResponseSchema.safeParse(parseJson(body))
    if (!description.success) throw unavailable()
    return description.data
  }

  /**
   * Calls a tool's route. Throws {@link Refusal} where the answer belongs to the HTTP edge, {@link RouteRefusal}
   * where the API refused the call itself, {@link ToolFailure} where it gave no answer.
   */
  async call(scope: Scope, request: ApiRequest): Promise<RouteAnswer> {
    let answer: ApiAnswer
    this.#asked = true
    try {
      answer = await this.#request(request)
    } catch (error) {
      throw this.#failure(request, error)
    }
    if (answer.status === 401) throw this.#challenges.invalid()
    if (answer.status < 300) {
      this.#answered = true
      return answer
    }
    const error = readError(answer)
    if (answer.status === 403 && error.code === 'PERMISSION_MISSING') {
      throw this.#challenges.permissionMissing(scope, this.caller.scope)
    }
    this.#answered = true
    if (answer.status === 429) throw new ToolFailure('RATE_LIMITED', rateLimitMessage(answer))
    if (answer.status === 503) throw new ToolFailure('UPSTREAM_UNAVAILABLE')
    if (answer.status >= 500 && request.effect) throw new ToolFailure('SEND_OUTCOME_UNKNOWN')
    if (answer.status >= 500) throw new ToolFailure(answer.status === 500 ? 'INTERNAL' : 'UPSTREAM_UNAVAILABLE')
    throw new RouteRefusal(answer.status, error)
  }

  async #request(request: ApiRequest): Promise<ApiAnswer> {
    const { lookup } = this.caller
    if (lookup === null) return this.#client.request(this.caller, request)
    try {
      const answer = await this.#client.request(this.caller, request)
      if (answer.status < 300) lookup.accepted()
      // A token that exists and may not be used from here was not guessed.
      else if (answer.status === 401 && readError(answer).code !== 'IP_NOT_ALLOWED') lookup.refused()
      else lookup.undecided()
      return answer
    } catch (error) {
      lookup.undecided()
      throw error
    }
  }

  #failure(request: ApiRequest, error: unknown): Error {
    if (!(error instanceof ApiFailure)) return error as Error
    if (error.handedOver && request.effect) return new ToolFailure('SEND_OUTCOME_UNKNOWN')
    if (error.handedOver && error.timedOut) return new ToolFailure('UPSTREAM_TIMEOUT')
    return this.#answered ? new ToolFailure('UPSTREAM_UNAVAILABLE') : unavailable()
  }

  async #askForToken(): Promise<ApiAnswer> {
    let answer: ApiAnswer
    this.#asked = true
    try {
      answer = await this.#request(LIVENESS)
    } catch {
      throw unavailable()
    }
    if (answer.status === 200) {
      this.#answered = true
      this.#token = answer
      return answer
    }
    if (answer.status === 401 || answer.status === 403) throw this.#challenges.invalid()
    if (answer.status === 429) throw new Refusal('RATE_LIMITED', { retryAfterSeconds: retryAfterSeconds(answer) })
    throw unavailable()
  }
}

const LIVENESS: ApiRequest = { method: 'GET', path: '/token', timeoutMs: LIVENESS_TIMEOUT_MS, effect: false }

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

function retryAfterSeconds({ headers }: ApiAnswer): number {
  const seconds = Number(headers['retry-after'])
  return Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, 3600) : 1
}

function rateLimitMessage(answer: ApiAnswer): string {
  return `Too many requests. Wait ${retryAfterSeconds(answer)} seconds, then try again.`
}

import { type TokenDescription, tokenResponseSchema } from '@vertexsms/contract/rest'
import type { Scope } from '@vertexsms/contract/scopes'
import type { TokenLookup } from '@vertexsms/service/token-lookups'
import type { Caller } from '../caller/caller.ts'
import type { Challenges } from '../caller/challenge.ts'
import { Refusal, unavailable } from '../caller/refusal.ts'
import type { TokenAccounts } from '../caller/token-accounts.ts'
import { type ApiAnswer, NoAnswer } from './answer.ts'
import type { ApiClient, ApiRequest, Asker } from './client.ts'
import { judgeAnswer, judgeLookup, judgeSilence, judgeToken, parseJson, type RouteAnswer } from './judge.ts'

const LIVENESS_TIMEOUT_MS = 5_000

/**
 * The API as one MCP request sees it. The API alone decides whether the token stands: its 401 ends the request with
 * 401, its missing permission with 403, and no answer at all with 503 as long as it has not answered this request.
 */
export class ApiSession {
  readonly #client: ApiClient
  readonly #challenges: Challenges
  readonly #accounts: TokenAccounts
  #caller: Caller
  #asked = false
  #token: ApiAnswer | undefined
  #answered = false

  constructor(client: ApiClient, challenges: Challenges, accounts: TokenAccounts, caller: Caller) {
    this.#client = client
    this.#challenges = challenges
    this.#accounts = accounts
    this.#caller = caller
  }

  /** Who calls; its account is there once the token was described. */
  get caller(): Caller {
    return this.#caller
  }

  /** Whose the token is, asked of the API where nobody has said it yet. Throws {@link Refusal}. */
  async account(): Promise<string> {
    return this.#caller.account ?? (await this.describe()).account
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
   * where the API refused the call itself, {@link RouteFailure} where nothing can be told of it. Is not made for an
   * `asker` who has gone before it had its turn.
   */
  async call(scope: Scope, request: ApiRequest, asker?: Asker): Promise<RouteAnswer> {
    const { effect } = request
    let answer: ApiAnswer
    this.#asked = true
    try {
      answer = await this.#request(request, asker)
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      throw judgeSilence(error, { effect, answeredBefore: this.#answered })
    }
    const judged = judgeAnswer(answer, { scope, effect, grantedScope: this.#caller.scope }, this.#challenges)
    if (!(judged instanceof Refusal)) this.#answered = true
    if (judged instanceof Error) throw judged
    return judged
  }

  #request(request: ApiRequest, asker?: Asker): Promise<ApiAnswer> {
    const { lookup } = this.#caller
    return lookup === null ? this.#client.request(this.#caller, request, asker) : this.#lookUp(lookup, request, asker)
  }

  async #lookUp(lookup: TokenLookup, request: ApiRequest, asker?: Asker): Promise<ApiAnswer> {
    try {
      const answer = await this.#client.request(this.#caller, request, asker)
      lookup[judgeLookup(answer)]()
      return answer
    } catch (error) {
      lookup.undecided()
      throw error
    }
  }

  async #askForToken(): Promise<ApiAnswer> {
    let answer: ApiAnswer
    this.#asked = true
    try {
      answer = await this.#request(LIVENESS)
    } catch {
      throw unavailable()
    }
    const judged = judgeToken(answer, this.#challenges)
    if (judged instanceof Refusal) throw judged
    if (this.#caller.account === null) {
      this.#accounts.set(this.#caller.key, judged)
      this.#caller = { ...this.#caller, account: judged }
    }
    this.#answered = true
    this.#token = answer
    return answer
  }
}

const LIVENESS: ApiRequest = { method: 'GET', path: '/token', timeoutMs: LIVENESS_TIMEOUT_MS, effect: false }

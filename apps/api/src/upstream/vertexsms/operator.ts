// The real operator: what sending asks of him. Requests and judgements stand in the files of their topics; here they are
// put together with the account's own token.
import type { TokenVerdict } from '@vertexsms/contract/internal'
import type { Database } from '@vertexsms/db/client'
import { ApiError } from '../../http/api-error.ts'
import { toApiError } from '../../http/error-answers.ts'
import { numberReader } from '../../message/number.ts'
import type { HandOver, SendingUpstream } from '../upstream.ts'
import type { CallLimits, UpstreamAnswer, UpstreamClient, UpstreamRequest } from './client.ts'
import { judgeLookup, judgeSms, judgeStatus, lookupRequest, smsRequest, statusRequest } from './messages.ts'
import { costRequest, judgeCost } from './prices.ts'
import { createRateCards, judgeRates, type RateCard, ratesRequest } from './rates.ts'
import type { ReportAddresses } from './report-address.ts'
import { type AccountTokens, createAccountTokens } from './tokens.ts'

/** What the real operator is reached with. */
export interface VertexOptions {
  readonly db: Database
  readonly client: UpstreamClient
  readonly addresses: ReportAddresses
  /** The derived key `upstream-token`. */
  readonly tokenKey: Uint8Array
  /** The address of the dashboard. */
  readonly issuer: string
  /** What a hand-over may take, and everything else. */
  readonly sendTimeoutMs: number
  readonly readTimeoutMs: number
}

/** What both sides of the real operator are made of. */
export interface VertexAccess {
  readonly tokens: AccountTokens
  /** Hands something over under the token of this generation; what cannot be handed over at all is refused. */
  handOver(
    accountId: string,
    generation: number,
    request: UpstreamRequest,
    judge: (answer: UpstreamAnswer) => HandOver,
  ): Promise<HandOver>
  /**
   * Calls with the account's token, which must be of this generation where one is given. Throws what {@link AccountTokens}
   * throws, and UPSTREAM_CHANGED.
   */
  ask(accountId: string, request: UpstreamRequest, generation?: number): Promise<UpstreamAnswer>
  /** The account's rate card, an hour old at most. Throws where it cannot be had. */
  rateCard(accountId: string): Promise<RateCard>
  /** What he says to a token that is stored nowhere. One that may not read the rate card can send nothing here, and is refused. */
  checkToken(token: string): Promise<TokenVerdict>
  cannotLookUp: SendingUpstream['cannotLookUp']
}

const ANSWER_MAX_BYTES = 64 * 1024
const RATES_MAX_BYTES = 8 * 1024 * 1024

/** The accounts' way to the real operator. */
export function createVertexAccess(options: VertexOptions): VertexAccess {
  const { db, client, addresses, tokenKey, issuer, sendTimeoutMs, readTimeoutMs } = options
  const tokens = createAccountTokens(db, tokenKey, issuer)
  const cards = createRateCards()
  const reading = (maxBytes: number): CallLimits => ({ timeoutMs: readTimeoutMs, maxBytes })

  return {
    tokens,
    cannotLookUp: addresses.of('hlr', 0n) === null ? 'CALLBACK_ADDRESS_MISSING' : null,

    async handOver(accountId, generation, request, judge) {
      let token: string
      try {
        const account = await tokens.of(accountId)
        if (account.generation !== generation) return { kind: 'refused', code: 'UPSTREAM_CHANGED' }
        token = account.token
      } catch (error) {
        // Nothing has left, whatever it was.
        return { kind: 'refused', code: toApiError(error as Error).code }
      }
      return judge(await client.call(token, request, { timeoutMs: sendTimeoutMs, maxBytes: ANSWER_MAX_BYTES }))
    },

    async ask(accountId, request, generation) {
      const account = await tokens.of(accountId)
      if (generation !== undefined && account.generation !== generation) throw new ApiError('UPSTREAM_CHANGED')
      return client.call(account.token, request, reading(ANSWER_MAX_BYTES))
    },

    async checkToken(token) {
      const answer = await client.call(token, ratesRequest(), reading(RATES_MAX_BYTES))
      if (answer.kind === 'answer' && (answer.status === 401 || answer.status === 403)) return 'refused'
      try {
        // Whatever else answers there with success is not the operator: a page of a proxy, or another address.
        judgeRates(answer)
        return 'accepted'
      } catch {
        return 'not_asked'
      }
    },

    async rateCard(accountId) {
      const { token, generation } = await tokens.of(accountId)
      return cards(`${accountId} ${generation}`, async () =>
        judgeRates(await client.call(token, ratesRequest(), reading(RATES_MAX_BYTES))),
      )
    },
  }
}

/** The real operator behind the interface of sending. */
export function createVertexOperator(access: VertexAccess, addresses: ReportAddresses): SendingUpstream {
  /** Null where there is no card to be had; throws where the owner has to do something about it. */
  async function cardOf(accountId: string): Promise<RateCard | null> {
    try {
      return await access.rateCard(accountId)
    } catch (error) {
      if (error instanceof ApiError && error.code.startsWith('UPSTREAM_ACCOUNT_')) throw error
      return null
    }
  }

  return {
    name: 'vertexsms',
    readNumber: numberReader(),
    cannotLookUp: access.cannotLookUp,
    generation: async (accountId) => (await access.tokens.of(accountId)).generation,

    send: (order) =>
      access.handOver(
        order.accountId,
        order.generation,
        smsRequest(order, addresses.of('sms', order.messageId)),
        judgeSms,
      ),

    async hlr(order) {
      const address = addresses.of('hlr', order.messageId)
      if (address === null) return { kind: 'refused', code: 'CALLBACK_ADDRESS_MISSING' }
      return access.handOver(order.accountId, order.generation, lookupRequest(order, address), judgeLookup)
    },

    async cost(order) {
      return judgeCost(await access.ask(order.accountId, costRequest(order)), order.to)?.price ?? null
    },

    dearestRateMicros: async (accountId, country) => (await cardOf(accountId))?.dearestMicros(country) ?? null,

    async networkRateMicros(accountId, country, mcc, mnc) {
      // It is asked when a report comes, which is taken whatever became of the token.
      const card = await access.rateCard(accountId).catch(() => null)
      return card?.networkMicros(country, mcc, mnc) ?? null
    },

    hlrPriceMicros: async (accountId) => (await access.tokens.of(accountId)).hlrPriceMicros,

    async status(accountId, reference) {
      return judgeStatus(await access.ask(accountId, statusRequest(reference)), reference)
    },

    balanceMicros: async () => null,
  }
}

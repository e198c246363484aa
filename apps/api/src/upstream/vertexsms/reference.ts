import type { CorrectNumbersRequest } from '@vertexsms/contract/rest'
import {
  correctNumbersResponseSchema,
  mccMncResponseSchema,
  operatorResponseSchema,
  prefixesResponseSchema,
} from '@vertexsms/contract/rest'
import { ApiError } from '../../http/api-error.ts'
import type { Upstream } from '../upstream.ts'
import { judgeRead } from './judge.ts'
import type { VertexAccess } from './operator.ts'
import { PATHS } from './wire.ts'

type Reference = Pick<Upstream, 'rates' | 'operator' | 'mccMnc' | 'prefixes' | 'correctNumbers'>

/** What the operator tells of networks and numbers, in the shapes of the contract. Throws what the judgement throws. */
export function createReference(access: VertexAccess): Reference {
  return {
    rates: async ({ accountId }) => (await access.rateCard(accountId)).rows,

    async operator({ accountId }, id) {
      return judgeRead(await access.ask(accountId, { method: 'GET', path: PATHS.operator(id) }), operatorResponseSchema)
    },

    async mccMnc({ accountId }, country, page) {
      const path = PATHS.mccMnc(country, page)
      return judgeRead(await access.ask(accountId, { method: 'GET', path }), mccMncResponseSchema)
    },

    async prefixes({ accountId }, country, page) {
      const path = PATHS.prefixes(country, page)
      return judgeRead(await access.ask(accountId, { method: 'GET', path }), prefixesResponseSchema)
    },

    async correctNumbers({ accountId }, request: CorrectNumbersRequest) {
      const answer = await access.ask(accountId, { method: 'POST', path: PATHS.correct, body: request })
      const corrected = judgeRead(answer, correctNumbersResponseSchema)
      // One result a number, in the order of the request.
      if (corrected?.length !== request.length) throw new ApiError('UPSTREAM_ANSWER_WRONG')
      return corrected
    },
  }
}

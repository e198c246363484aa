import { readPhone } from '@vertexsms/contract/phone-number'
import type { CorrectedNumber, CorrectNumbersRequest } from '@vertexsms/contract/rest'
import {
  correctNumbersResponseSchema,
  mccMncResponseSchema,
  operatorResponseSchema,
  prefixesResponseSchema,
} from '@vertexsms/contract/rest'
import { ApiError } from '../../http/api-error.ts'
import { uncorrected } from '../../message/number.ts'
import type { Upstream } from '../upstream.ts'
import { judgeRead } from './judge.ts'
import type { VertexAccess } from './operator.ts'
import { PATHS } from './wire.ts'

type Reference = Pick<Upstream, 'rates' | 'operator' | 'mccMnc' | 'prefixes' | 'correctNumbers'>

const OTHER_NUMBER = 'is read as another one by VertexSMS, so that nothing can be said of it.'
const NO_NUMBER = 'is none that VertexSMS knows. Check its digits.'

/** What the operator tells of networks and numbers, in the shapes of the contract. Throws what the judgement throws. */
export function createReference(access: VertexAccess): Reference {
  /** One answer a number, in the order of the request. */
  async function correct(accountId: string, numbers: CorrectNumbersRequest): Promise<CorrectedNumber[]> {
    if (numbers.length === 0) return []
    const answer = await access.ask(accountId, { method: 'POST', path: PATHS.correct, body: numbers })
    const corrected = judgeRead(answer, correctNumbersResponseSchema)
    if (corrected?.length !== numbers.length) throw new ApiError('UPSTREAM_ANSWER_WRONG')
    return corrected
  }

  return {
    async rates({ accountId }) {
      const { rows, readAtMs } = await access.rateCard(accountId)
      return { rows, ageSeconds: Math.max(0, Math.floor((Date.now() - readAtMs) / 1000)) }
    },

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

    async correctNumbers({ accountId }, request) {
      // Read here, as a recipient is: the operator is asked about complete numbers, which no country changes any more.
      const read = request.map((written) => ({ written, number: readPhone(written.number, written) }))
      const complete = read.flatMap(({ written, number }) =>
        'fix' in number ? [] : [{ number: `+${number.msisdn}`, country: number.country ?? written.country }],
      )
      const answers = (await correct(accountId, complete)).values()
      return read.map(({ written, number }) => {
        if ('fix' in number) return uncorrected(written, number.fix)
        const { value: answer } = answers.next()
        // Where it is none, what was asked says which: answers may come in another order.
        const answered = (answer?.number_e164 ?? answer?.input_number)?.replace(/^\+/, '')
        if (answer === undefined || answered !== number.msisdn) return uncorrected(written, OTHER_NUMBER)
        // Why it is none is told in words of ours.
        if (answer.number_e164 === null) return uncorrected(written, NO_NUMBER)
        return { ...answer, input_number: written.number, number_e164: `+${number.msisdn}`, error: null }
      })
    },
  }
}

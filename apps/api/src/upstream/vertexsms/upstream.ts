import * as z from 'zod'
import { ApiError } from '../../http/api-error.ts'
import { numberReader, readMobile } from '../../message/number.ts'
import { readSender } from '../../message/sender.ts'
import { readText } from '../../message/text.ts'
import { checkTiming } from '../../message/timing.ts'
import type { Upstream } from '../upstream.ts'
import { judgeRead } from './judge.ts'
import { judgeSms } from './messages.ts'
import { costRequest, judgeCost } from './prices.ts'
import { createReference } from './reference.ts'
import { createSenders, type SenderOptions, type Senders } from './senders.ts'

/** What the routes ask of the real operator, and what has an answer here without him. */
export type VertexUpstream = Omit<Upstream, 'readHlr'> & Senders

/** The real operator behind the interface of the routes. What is wrong by itself is refused before he is asked. */
export function createVertexUpstream(options: SenderOptions): VertexUpstream {
  const { access, checkCallbackUrl } = options
  const readNumber = numberReader()
  return {
    ...createReference(access),
    ...createSenders(options),

    async smsCost(caller, request) {
      checkCallbackUrl(request.dlrUrl, 'dlrUrl')
      const { msisdn: to } = readMobile(readNumber, 'SEND_REFUSED', 'to', request.to, request.correctBy)
      readText(request)
      const { name: from } = readSender(request.from, readNumber)
      checkTiming(request, caller.now())
      const answer = await access.ask(caller.accountId, costRequest({ to, from, message: request.message }))
      const told = judgeCost(answer, to)
      if (told !== null) return { from, ...told.cost }
      const refused = judgeSms(answer)
      if (refused.kind === 'refused' && refused.code === 'SEND_REFUSED') throw new ApiError(refused.code, refused)
      judgeRead(answer, z.unknown())
      throw new ApiError('UPSTREAM_ANSWER_WRONG')
    },
  }
}

import { type JSONRPCRequest, ProtocolErrorCode } from '@modelcontextprotocol/server'
import type { ApiSession } from '../api/session.ts'
import { encodeError } from '../protocol/encode.ts'
import { type Channel, Exchange } from '../protocol/exchange.ts'
import type { FindMethod } from '../protocol/methods.ts'
import type { Answer, AnswerRequest, OnDefect } from './answer.ts'

// A batch is answered in one piece, so there is nowhere to tell progress.
const SILENT: Channel = { streaming: false, notify: () => {} }

const ALONE = { code: ProtocolErrorCode.InvalidRequest, message: 'Send initialize in a request of its own' }
const ONE_ACT = {
  code: ProtocolErrorCode.InvalidRequest,
  message: 'A batch may hold one call that sends, registers or spends. None of them was made: send each by itself',
}

/**
 * Answers the requests of a batch together (2025-03-26, basic). One HTTP status speaks for all of them, so a refusal of
 * one is the answer to the batch, and a client will send all of it again. That must cost nothing: at most one of them
 * may act, and it is done last, when every other has been answered.
 */
export async function answerBatch(
  requests: readonly JSONRPCRequest[],
  session: ApiSession,
  find: FindMethod,
  answer: AnswerRequest,
  onDefect: OnDefect,
): Promise<Answer> {
  const exchanges = requests.map((message) => new Exchange('legacy', message, session, SILENT))
  const acting = exchanges.filter(({ message, params }) => find('legacy', message.method)?.acts?.(params) === true)
  const answerOne = async (exchange: Exchange): Promise<Answer> => {
    const { id, method } = exchange.message
    const error = method === 'initialize' ? ALONE : acting.length > 1 && acting.includes(exchange) ? ONE_ACT : undefined
    if (error !== undefined) return { kind: 'message', status: 200, text: encodeError(error, id) }
    return answer(exchange, onDefect)
  }

  // Whether the token stands is asked once for all, before anything is done.
  await session.alive()
  const texts = new Map<Exchange, string>()
  for (const round of [exchanges.filter((exchange) => !acting.includes(exchange)), acting]) {
    const answers = await Promise.all(round.map(answerOne))
    for (const [index, exchange] of round.entries()) {
      const given = answers[index] as Answer
      if (given.kind === 'refusal') return given
      texts.set(exchange, given.text)
    }
  }
  return { kind: 'message', status: 200, text: `[${exchanges.map((exchange) => texts.get(exchange)).join(',')}]` }
}

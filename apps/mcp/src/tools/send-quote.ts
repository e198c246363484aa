import { smsCostResponseSchema } from '@vertexsms/contract/rest'
import { RouteRefusal } from '../api/gateway.ts'
import { line, type Quote, readAnswer, type ToolContext } from './define-tool.ts'
import { sendFailure } from './send-failure.ts'
import { READ_TIMEOUT_MS } from './timeouts.ts'

const PARALLEL_QUOTES = 8
const SHOWN_RECIPIENTS = 3

/** What a message to these numbers costs in all, and how a person is told of it. Throws {@link ToolFailure}. */
export async function quoteSend(
  { to, from, message }: { to: readonly string[]; from: string; message: string },
  context: ToolContext,
): Promise<Quote> {
  let priceMicros = 0n
  let next = 0
  async function work(): Promise<void> {
    for (let number = to[next++]; number !== undefined; number = to[next++]) {
      priceMicros += await priceOf({ to: number, from, message }, context)
    }
  }
  // The first one alone, so that a refused token ends the call before more is asked.
  const [first = ''] = to
  priceMicros += await priceOf({ to: first, from, message }, context)
  next = 1
  await Promise.all(Array.from({ length: PARALLEL_QUOTES }, work))
  const shown = to.slice(0, SHOWN_RECIPIENTS).map((number) => `+${number}`)
  const more = to.length - shown.length
  const recipients = `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  return { summary: `Send "${line(message)}" from ${line(from)} to ${recipients}?`, priceMicros }
}

async function priceOf(body: { to: string; from: string; message: string }, context: ToolContext): Promise<bigint> {
  try {
    const answer = await context.call({
      method: 'POST',
      path: '/sms/cost',
      body: JSON.stringify(body),
      timeoutMs: READ_TIMEOUT_MS,
      effect: false,
    })
    const costs = [readAnswer(smsCostResponseSchema, answer)].flat()
    return costs.reduce((sum, { totalPrice }) => sum + BigInt(Math.round(totalPrice * 1_000_000)), 0n)
  } catch (error) {
    throw error instanceof RouteRefusal ? sendFailure(error) : error
  }
}

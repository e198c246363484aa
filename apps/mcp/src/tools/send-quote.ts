import { readEurNumber } from '@vertexsms/contract/money'
import { type SendSmsRequest, type SmsCost, smsCostResponseSchema } from '@vertexsms/contract/rest'
import { RouteRefusal } from '../api/judge.ts'
import { ToolFailure } from '../protocol/failure.ts'
import { line, type Quote, readAnswer, type ToolContext } from './define-tool.ts'
import { sendFailure } from './send-failure.ts'
import { requestTo, type SendArguments } from './send-request.ts'
import { READ_TIMEOUT_MS } from './timeouts.ts'

const PARALLEL_QUOTES = 8
const SHOWN_RECIPIENTS = 3

/**
 * What a message to these numbers costs in all, and how a person is told of it. The API prices the very requests that
 * will be sent. Throws {@link ToolFailure}, also where a price cannot be had.
 */
export async function quoteSend(args: SendArguments, context: ToolContext): Promise<Quote> {
  const { from, message, scheduled } = args
  const to = [...new Set(args.to)]
  let priceMicros = 0n
  let next = 0
  async function work(): Promise<void> {
    for (let number = to[next++]; number !== undefined; number = to[next++]) {
      const price = await priceOf(requestTo(number, args), context)
      // In one step after the wait: `+= await` would add to what the sum was before it, and lose what others added.
      priceMicros += price
    }
  }
  // The first one alone, so that a refused token ends the call before more is asked.
  const [first = ''] = to
  priceMicros = await priceOf(requestTo(first, args), context)
  next = 1
  await Promise.all(Array.from({ length: PARALLEL_QUOTES }, work))
  const shown = to.slice(0, SHOWN_RECIPIENTS).map((number) => `+${number}`)
  const more = to.length - shown.length
  const recipients = `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  const when = scheduled === undefined ? '' : ` at ${scheduled}`
  return { summary: `Send "${line(message)}" from ${line(from)} to ${recipients}${when}?`, priceMicros }
}

async function priceOf(body: SendSmsRequest, context: ToolContext): Promise<bigint> {
  try {
    const answer = await context.call({
      method: 'POST',
      path: '/sms/cost',
      body: JSON.stringify(body),
      timeoutMs: READ_TIMEOUT_MS,
      effect: false,
    })
    const [cost] = [readAnswer(smsCostResponseSchema, answer)].flat()
    // A price of another number than the one that will be sent to is no price.
    if (cost === undefined || (cost.to ?? body.to).replace(/^\+/, '') !== body.to) throw noPrice()
    return priceMicrosOf(cost)
  } catch (error) {
    throw error instanceof RouteRefusal ? sendFailure(error) : error
  }
}

function noPrice(): ToolFailure {
  return new ToolFailure(
    'APPROVAL_REQUIRED',
    'The price of this call cannot be had, so nobody can approve it. Nothing was done.',
  )
}

/** The dearer of what the answer says twice, rounded up to a micro-EUR. Throws {@link ToolFailure} for what is no price. */
function priceMicrosOf({ totalPrice, pricePerPart, parts, currency }: SmsCost): bigint {
  const totalMicros = readEurNumber(totalPrice)
  const partMicros = readEurNumber(pricePerPart)
  if (currency !== 'EUR' || totalMicros === null || partMicros === null) throw noPrice()
  const partsMicros = partMicros * BigInt(parts)
  return partsMicros > totalMicros ? partsMicros : totalMicros
}

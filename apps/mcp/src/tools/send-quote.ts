import type { QuoteResponse } from '@vertexsms/contract/sending'
import { quoteResponseSchema } from '@vertexsms/contract/sending'
import { RouteRefusal } from '../api/judge.ts'
import { ToolFailure, type ToolOutput } from '../protocol/failure.ts'
import { counted } from './counted.ts'
import { line, readAnswer, type ToolContext } from './define-tool.ts'
import { sendFailure } from './send-failure.ts'
import { destinationOf, errorOf, outputOf, type SendOutput, type SentMessage } from './send-output.ts'
import { quoteRequest, type SendArguments } from './send-request.ts'

/** What a send would cost and what would stand in its way; nothing is sent or charged. Throws {@link ToolFailure}. */
export async function quoteSend(args: SendArguments, context: ToolContext): Promise<ToolOutput<SendOutput>> {
  const quote = await askForQuote(args, context)
  const messages = quote.messages.map((message, index): SentMessage => {
    const first = quote.messages.findIndex(({ to }) => to === message.to)
    const [refusal] = message.refusals
    return {
      destination: destinationOf(message.to),
      status: refusal === undefined ? 'quoted' : 'failed',
      message_id: null,
      parts: message.parts,
      price: message.price,
      replayed: false,
      ...(first === index ? {} : { duplicate_of: first }),
      error: refusal === undefined ? null : errorOf(sendFailure(refusal)),
    }
  })
  const [head, ...rest] = messages
  if (head === undefined) throw new ToolFailure('INTERNAL')
  const { quoteId, expiresAt, left } = quote
  const refusals = quote.refusals.map((refusal) => {
    const { retryable: _, vertex_error_code: __, ...shown } = errorOf(sendFailure({ error_code: null, ...refusal }))
    return shown
  })
  const data = outputOf([head, ...rest], quote, {
    quote: { quote_id: quoteId, expires_at: expiresAt, left, refusals },
  })
  return { text: textOf(quote, data), data }
}

async function askForQuote(args: SendArguments, context: ToolContext): Promise<QuoteResponse> {
  try {
    const quote = readAnswer(quoteResponseSchema, await context.call(quoteRequest(args)))
    if (quote.messages.length !== args.to.length) throw new ToolFailure('INTERNAL')
    return quote
  } catch (error) {
    throw error instanceof RouteRefusal ? sendFailure(error.error, error.retryAfterSeconds) : error
  }
}

function textOf({ messages, price, currency, left, quoteId, expiresAt }: QuoteResponse, data: SendOutput): string {
  const refusals = data.quote?.refusals ?? []
  const distinct = data.messages.filter(({ duplicate_of }) => duplicate_of === undefined)
  const allowed = distinct.filter(({ error }) => error === null)
  const some = allowed.length === distinct.length ? '' : `${allowed.length} of `
  const parts = allowed.reduce((sum, message) => sum + (message.parts ?? 0), 0)
  const remains = [
    ...(left.day === undefined ? [] : [`${left.day} ${currency} today`]),
    ...(left.total === undefined ? [] : [`${left.total} ${currency} in all`]),
    ...(left.recipients === undefined ? [] : [`${counted(left.recipients, 'recipient')} today`]),
  ]
  const heading = [
    `Nothing was sent or charged. It would cost ${price} ${currency}: ${some}${counted(distinct.length, 'message')}, ${counted(parts, 'part')}.`,
    ...refusals.map(({ message }) => `It would be refused: ${message}`),
    ...(remains.length === 0 ? [] : [`Left of the limits: ${remains.join(', ')}.`]),
    quoteId === null
      ? `There is no quoteId, because ${data.messages.every(({ error }) => error !== null) ? 'no recipient may be sent to' : 'a price cannot be had'}.`
      : `${refusals.length === 0 ? 'To send' : 'To send, once nothing stands in its way,'} at this price at most, make the same call with quoteId ${quoteId} instead of dryRun, before ${expiresAt}.`,
  ]
  const rows = data.messages.map(({ destination, parts, price, error, duplicate_of }, index) => {
    const number = `${index + 1}. ${destination}`
    if (duplicate_of !== undefined) return `${number}: duplicate of ${duplicate_of + 1}, one message for both`
    if (error !== null) return `${number}: would be refused: ${error.message}`
    const { country, operator } = messages[index] ?? {}
    const network = [country, operator].flatMap((name) => (typeof name === 'string' ? [line(name)] : [])).join(', ')
    return `${number}${network === '' ? '' : ` (${network})`}: ${counted(parts ?? 0, 'part')}, ${price ?? 'price unknown'} ${currency}`
  })
  return [heading.join(' '), ...rows].join('\n')
}

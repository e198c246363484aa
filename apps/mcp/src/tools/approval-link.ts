import { type InputRequiredResult, inputRequired, inputResponse } from '@modelcontextprotocol/server'
import type { Exchange } from '../protocol/exchange.ts'
import { ToolFailure } from '../protocol/failure.ts'

const KEY = 'approval'

/**
 * The question that sends the person to the page where they decide (2026-07-28, MRTR in URL mode); undefined for a
 * client that cannot open one, which gets the failure with the link. Nothing is decided through the client: whatever it
 * answers, the API alone knows whether the owner approved. Asked once a call, because a client that answers by itself
 * would be asked for ever.
 */
export function approvalQuestion(failure: ToolFailure, exchange: Exchange): InputRequiredResult | undefined {
  const url = failure.details?.approvalUrl
  if (failure.code !== 'APPROVAL_REQUIRED' || typeof url !== 'string' || exchange.era === 'legacy') return undefined
  if (inputResponse(exchange.inputResponses, KEY).kind !== 'missing') return undefined
  const message = 'This send needs your approval. Decide on the page, then come back: nothing is sent before that.'
  const question = inputRequired.elicitUrl({ message, url })
  if (exchange.missingFor(question) !== undefined) return undefined
  return inputRequired({ inputRequests: { [KEY]: question } })
}

/** Ends a call whose person declined to decide, before anything is asked of the API. Throws {@link ToolFailure}. */
export function stopIfDeclined(exchange: Exchange): void {
  const answer = exchange.era === 'modern' ? inputResponse(exchange.inputResponses, KEY) : undefined
  if (answer === undefined || answer.kind === 'missing') return
  if (answer.kind === 'elicit' && answer.action === 'accept') return
  throw new ToolFailure('APPROVAL_REQUIRED', 'The person did not open the page of the approval. Nothing was sent.')
}

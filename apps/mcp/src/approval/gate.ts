import {
  acceptedContent,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import { toEurText } from '@vertexsms/contract/money'
import { z } from 'zod'
import type { Exchange } from '../protocol/exchange.ts'
import { ToolFailure } from '../protocol/failure.ts'
import { type ApprovalSubject, createSealedStates } from './sealed-state.ts'

/** What a person reads before a call that costs more than the threshold. */
export interface ApprovalQuestion extends ApprovalSubject {
  /** One line that says what will happen. */
  readonly summary: string
}

/** Lets a call pass, or tells what the client must ask the person first. */
export interface ApprovalGate {
  /**
   * Resolves to undefined when the call may go on. Throws `APPROVAL_REQUIRED` where nobody can be asked or the person
   * said no, and -32602 for a state that is not ours, is another caller's or was used.
   */
  pass(question: ApprovalQuestion, exchange: Exchange): InputRequiredResult | undefined
}

const KEY = 'approval'
const answerSchema = z.object({ approve: z.boolean() })

/**
 * Asks a person before a call above a price, on clients that can ask (2026-07-28, multi round-trip requests). The
 * question is relayed by the client, so this keeps a model from spending by mistake; it is no barrier against a client
 * that lies. Off unless a threshold is configured.
 */
export function createApprovalGate(aboveMicros: bigint): ApprovalGate {
  const states = createSealedStates()

  function questionFor(subject: ApprovalQuestion): InputRequest {
    return inputRequired.elicit({
      message: `${subject.summary} It costs up to ${toEurText(subject.priceMicros, 2)} EUR and cannot be undone.`,
      requestedSchema: {
        type: 'object',
        properties: { approve: { type: 'boolean', title: 'Go ahead', default: false } },
        required: ['approve'],
      },
    })
  }

  return {
    pass(subject, exchange) {
      if (subject.priceMicros <= aboveMicros) return undefined
      const question = questionFor(subject)
      if (exchange.era === 'legacy' || exchange.missingFor(question) !== undefined) {
        throw new ToolFailure('APPROVAL_REQUIRED')
      }
      const ask = () => inputRequired({ inputRequests: { [KEY]: question }, requestState: states.seal(subject) })
      const { inputResponses } = exchange
      const state = exchange.params.requestState
      if (state === undefined) return ask()
      const verdict = typeof state === 'string' ? states.check(state, subject) : 'invalid'
      if (verdict === 'invalid') {
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState')
      }
      const response = inputResponse(inputResponses, KEY)
      if (verdict === 'changed' || response.kind === 'missing') return ask()
      const answer = answerSchema.safeParse(acceptedContent(inputResponses, KEY))
      // Whatever the person answered, the question is answered: a no cannot become a yes by asking again.
      const isFirstUse = states.redeem(state as string)
      if (!isFirstUse || !answer.success || !answer.data.approve) {
        throw new ToolFailure('APPROVAL_REQUIRED', 'The person did not approve this call. Nothing was done.')
      }
      return undefined
    },
  }
}

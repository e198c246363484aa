import { PIN_DIGITS, PIN_TRIES } from '@vertexsms/contract/rest'
import * as z from 'zod'
import { RouteRefusal } from '../api/judge.ts'
import { EFFECT_TIMEOUT_MS } from '../api/timeouts.ts'
import { ToolFailure } from '../protocol/failure.ts'
import { defineTool, refusalFailure } from './define-tool.ts'
import { codeField, idField } from './fields.ts'

/** All that the API says of a number that is confirmed. */
const CONFIRMED = 'OK'

/** Confirms a phone number as a sender with the PIN it received. */
export const confirmMsisdnSender = defineTool({
  name: 'confirm_msisdn_sender',
  title: 'Confirm a phone number as sender',
  description: `Confirms a phone number that was registered with register_msisdn_sender, by the PIN it received by SMS. Never guess the PIN: there are ${PIN_TRIES} tries. Afterwards the number can be used as from in send_sms.`,
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: {
    senderId: idField('The sender_id that register_msisdn_sender returned.'),
    code: codeField(`The ${PIN_DIGITS}-digit PIN from the SMS.`, PIN_DIGITS),
  },
  output: z.object({ sender_id: z.int(), status: z.literal('confirmed') }),
  async run({ senderId, code }, context) {
    try {
      const { body } = await context.call({
        method: 'POST',
        path: `/senderId/confirm/${senderId}`,
        body: JSON.stringify({ code }),
        timeoutMs: EFFECT_TIMEOUT_MS,
        effect: true,
      })
      // What stands before the API answers 200 too, with a page of its own.
      if (body !== CONFIRMED) throw new ToolFailure('SEND_OUTCOME_UNKNOWN')
    } catch (error) {
      if (!(error instanceof RouteRefusal)) throw error
      throw refusalFailure(error, {
        CONFLICT: new ToolFailure('INVALID_INPUT', 'This sender is already confirmed, or needs no confirmation.'),
        CODE_WRONG: new ToolFailure(
          'INVALID_INPUT',
          'The PIN is wrong. Ask the person to read it again; after five wrong ones it is void.',
        ),
        CODE_EXPIRED: new ToolFailure(
          'INVALID_INPUT',
          'The PIN has expired or was tried too often. Call register_msisdn_sender again for a new one.',
        ),
      })
    }
    return {
      text: 'The number is confirmed and can be used as the sender.',
      data: { sender_id: Number(senderId), status: 'confirmed' as const },
    }
  },
})

import { PIN_DIGITS } from '@vertexsms/contract/rest'
import { z } from 'zod'
import { RouteRefusal } from '../api/judge.ts'
import { EFFECT_TIMEOUT_MS } from '../api/timeouts.ts'
import { ToolFailure } from '../protocol/failure.ts'
import { defineTool, refusalFailure } from './define-tool.ts'
import { codeField, idField } from './fields.ts'

/** Confirms a phone number as a sender with the PIN it received. */
export const confirmMsisdnSender = defineTool({
  name: 'confirm_msisdn_sender',
  title: 'Confirm a phone number as sender',
  description:
    'Confirms a phone number that was registered with register_msisdn_sender, by the PIN it received by SMS. Never guess the PIN: there are five tries. Afterwards the number can be used as from in send_sms.',
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: {
    senderId: idField('The sender_id that register_msisdn_sender returned.'),
    code: codeField(`The ${PIN_DIGITS}-digit PIN from the SMS.`, PIN_DIGITS),
  },
  output: z.object({ sender_id: z.int(), status: z.literal('confirmed') }),
  async run({ senderId, code }, context) {
    try {
      await context.call({
        method: 'POST',
        path: `/senderId/confirm/${senderId}`,
        body: JSON.stringify({ code }),
        timeoutMs: EFFECT_TIMEOUT_MS,
        effect: true,
      })
    } catch (error) {
      if (!(error instanceof RouteRefusal)) throw error
      throw refusalFailure(error, {
        CONFLICT: new ToolFailure('INVALID_INPUT', 'This sender is already confirmed, or needs no confirmation.'),
      })
    }
    return {
      text: 'The number is confirmed and can be used as the sender.',
      data: { sender_id: Number(senderId), status: 'confirmed' as const },
    }
  },
})

import { PIN_DIGITS, PIN_MINUTES } from '@vertexsms/contract/rest'
import * as z from 'zod'
import { defineTool } from './define-tool.ts'
import { idempotencyKeyField, optional, phoneField } from './fields.ts'
import { submitSender } from './register-sender-id.ts'

/** Registers a phone number as a sender; a PIN goes out to it. */
export const registerMsisdnSender = defineTool({
  name: 'register_msisdn_sender',
  title: 'Register a phone number as sender',
  description: `Registers a phone number of the person as a sender. VertexSMS sends a ${PIN_DIGITS}-digit PIN by SMS to that number; ask the person for it and call confirm_msisdn_sender with the sender_id returned here. The PIN is valid for ${PIN_MINUTES} minutes.`,
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: {
    msisdn: phoneField('The phone number to register, in E.164 form.'),
    idempotencyKey: optional(idempotencyKeyField('Your own name for this call: with the same one PIN is sent.')),
  },
  output: z.object({ sender_id: z.int(), status: z.literal('pending_confirmation') }),
  async run({ msisdn, idempotencyKey }, context) {
    const { id, replayed } = await submitSender({ type: 'MSISDN', name: msisdn }, context, idempotencyKey)
    const sent = replayed
      ? `An earlier call with this idempotencyKey sent the PIN to +${msisdn}; no other was sent.`
      : `A PIN was sent by SMS to +${msisdn}.`
    return {
      text: `${sent} Sender id ${id}; confirm it with confirm_msisdn_sender.`,
      data: { sender_id: id, status: 'pending_confirmation' as const },
    }
  },
})

import { smsUri } from './api/sms-status.ts'
import { ACCOUNT_URI } from './resources/account.ts'

/** What a model is told about the server as a whole. */
export const INSTRUCTIONS = [
  'VertexSMS sends SMS for the account of the connected person.',
  'To send: make sure the sender is registered (register_sender_id, or register_msisdn_sender and confirm_msisdn_sender), ask for the price with dryRun (get_sms_rates tells those of a country), have the person agree, then call send_sms once, with an idempotencyKey.',
  'send_sms and lookup_hlr cost money. Never repeat one of them after SEND_OUTCOME_UNKNOWN, unless with the same idempotencyKey.',
  `Whether a message arrived stands at ${smsUri('{message_id}')}; limits and what is left of them at ${ACCOUNT_URI}. Refusals of limits are for the person to solve, at the address in them.`,
  'Phone numbers are international (E.164). correct_phone_number turns national numbers into that form when the country is known.',
  'A failure is a JSON object with code, message and retryable; repeat a call unchanged only when retryable is true.',
].join(' ')

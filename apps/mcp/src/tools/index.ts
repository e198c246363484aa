import { DELIVERY_WAIT_MAX_MS } from '../api/timeouts.ts'
import { confirmMsisdnSender } from './confirm-msisdn-sender.ts'
import { correctPhoneNumber } from './correct-phone-number.ts'
import type { DefinedTool } from './define-tool.ts'
import { getMccMncList } from './get-mcc-mnc-list.ts'
import { getMobilePrefixes } from './get-mobile-prefixes.ts'
import { getOperator } from './get-operator.ts'
import { getSmsRates } from './get-sms-rates.ts'
import { lookupHlr } from './lookup-hlr.ts'
import { registerMsisdnSender } from './register-msisdn-sender.ts'
import { registerSenderId } from './register-sender-id.ts'
import { sendSms } from './send-sms.ts'

/**
 * The ten tools in the order of the scope table. Each call makes its own memory of rates and of who waits.
 * `deliveryWaitMs` is how long `send_sms` waits for reports where it is asked to.
 */
export function createTools({ deliveryWaitMs = DELIVERY_WAIT_MAX_MS } = {}): DefinedTool[] {
  return [
    sendSms(deliveryWaitMs),
    getSmsRates(),
    registerSenderId,
    registerMsisdnSender,
    confirmMsisdnSender,
    lookupHlr(),
    getOperator,
    getMccMncList,
    getMobilePrefixes,
    correctPhoneNumber,
  ]
}

/** What a model is told about the server as a whole. */
export const INSTRUCTIONS = [
  'VertexSMS sends SMS for the account of the connected person.',
  'To send: make sure the sender is registered (register_sender_id, or register_msisdn_sender and confirm_msisdn_sender), ask for the price with dryRun (get_sms_rates tells those of a country), have the person agree, then call send_sms once, with an idempotencyKey.',
  'send_sms and lookup_hlr cost money. Never repeat one of them after SEND_OUTCOME_UNKNOWN, unless with the same idempotencyKey.',
  'Whether a message arrived stands at vertexsms://sms/{message_id}; limits and what is left of them at vertexsms://account. Refusals of limits are for the person to solve, at the address in them.',
  'Phone numbers are international (E.164). correct_phone_number turns national numbers into that form when the country is known.',
  'A failure is a JSON object with code, message and retryable; repeat a call unchanged only when retryable is true.',
].join(' ')

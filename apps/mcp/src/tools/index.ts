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

/** The ten tools in the order of the scope table. Each call makes its own memory of rates and of who waits. */
export function createTools(): DefinedTool[] {
  return [
    sendSms,
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
  'To send: check the price with get_sms_rates, make sure the sender is registered (register_sender_id, or register_msisdn_sender and confirm_msisdn_sender), have the person agree, then call send_sms once.',
  'send_sms and lookup_hlr cost money. Never repeat one of them after SEND_OUTCOME_UNKNOWN.',
  'Phone numbers are international (E.164). correct_phone_number turns national numbers into that form when the country is known.',
  'A failure is a JSON object with code, message and retryable; repeat a call unchanged only when retryable is true.',
].join(' ')

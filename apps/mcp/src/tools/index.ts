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

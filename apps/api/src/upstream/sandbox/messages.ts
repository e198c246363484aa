import { toEurNumber } from '@vertexsms/contract/money'
import type { SendSmsRequest, SmsCost } from '@vertexsms/contract/rest'
import { readMobile } from '../../message/number.ts'
import { readSender } from '../../message/sender.ts'
import { readText } from '../../message/text.ts'
import { checkTiming } from '../../message/timing.ts'
import type { Caller } from '../upstream.ts'
import type { SandboxOptions } from './config.ts'
import { readNumber } from './numbers.ts'
import { operatorFor, partPriceOf } from './plan.ts'

/** Prices messages. */
export function createMessages({ checkCallbackUrl }: Pick<SandboxOptions, 'checkCallbackUrl'>) {
  function judge(request: SendSmsRequest) {
    const recipient = readMobile(readNumber, 'SEND_REFUSED', 'to', request.to, request.correctBy)
    const operator = operatorFor(recipient)
    const { parts } = readText(request)
    const sender = readSender(request.from, readNumber)
    return {
      recipient,
      operator,
      parts,
      sender,
      partPriceMicros: partPriceOf(operator, request.testMode),
    }
  }

  return {
    /**
     * Parts, price and the number that a message would go to; it is judged as a send is, but nothing is sent, charged or
     * checked on the account. Throws SEND_REFUSED, INVALID_INPUT.
     */
    cost(caller: Caller, request: SendSmsRequest): SmsCost {
      checkCallbackUrl(request.dlrUrl, 'dlrUrl')
      const { recipient, operator, parts, sender, partPriceMicros } = judge(request)
      checkTiming(request, caller.now())
      return {
        from: sender.name,
        to: recipient.msisdn,
        parts,
        countryISO: recipient.country,
        mccmnc: operator.mcc + (operator.mnc[0] ?? ''),
        pricePerPart: toEurNumber(partPriceMicros),
        totalPrice: toEurNumber(partPriceMicros * BigInt(parts)),
        currency: 'EUR',
      }
    },
  }
}

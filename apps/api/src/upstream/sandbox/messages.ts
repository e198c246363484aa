import { toEurNumber } from '@vertexsms/contract/money'
import type { SendSmsRequest, SmsCost } from '@vertexsms/contract/rest'
import { Prisma } from '@vertexsms/db/client'
import { ApiError } from '../../http/api-error.ts'
import { readMobile } from '../../message/number.ts'
import { readSender } from '../../message/sender.ts'
import { readText } from '../../message/text.ts'
import { readTiming } from '../../message/timing.ts'
import type { Caller, SentSms } from '../upstream.ts'
import { ADMISSION, type Admission, admittedId, manualTokenOf, openAdmission } from './admission.ts'
import type { SandboxOptions } from './config.ts'
import { newSmsId, underNewId } from './ids.ts'
import { readNumber } from './numbers.ts'
import { mustBeConfirmed, operatorFor, outcomeOf, partPriceOf, refusal } from './plan.ts'

const PRIORITIES = { high: 0, normal: 1, low: 2 } as const

/** Messages whose validity ends before the network answers fail with this code. */
const EXPIRED_CODE = 2

/** Accepts and prices messages. */
export function createMessages({ db, times, checkCallbackUrl, wakeIn, newIds }: SandboxOptions) {
  const newId = newIds?.sms ?? newSmsId

  async function assertConfirmed(caller: Caller, name: string): Promise<void> {
    const known = await db.senderId.findFirst({
      where: { accountId: caller.accountId, name, status: 'confirmed' },
      select: { id: true },
    })
    if (!known) throw new ApiError('SEND_REFUSED', { reason: 'sender_not_confirmed' })
  }

  function judge(request: SendSmsRequest) {
    const recipient = readMobile(readNumber, 'SEND_REFUSED', 'to', request.to, request.correctBy)
    const operator = operatorFor(recipient)
    const { coding, parts } = readText(request)
    const sender = readSender(request.from, readNumber)
    const confirm = mustBeConfirmed(sender, recipient.country)
    return {
      recipient,
      operator,
      coding,
      parts,
      sender,
      confirm,
      partPriceMicros: partPriceOf(operator, request.testMode),
    }
  }

  return {
    /**
     * Charges the account and stores the message in one statement, so that parallel sends cannot overdraw it and a
     * charge never stands without its message, and nothing is sent for a caller that has ended. Throws SEND_REFUSED
     * (24 when the balance does not reach), INVALID_INPUT, TOKEN_INVALID.
     */
    async send(caller: Caller, request: SendSmsRequest): Promise<SentSms> {
      const now = caller.now()
      const dlrUrl = checkCallbackUrl(request.dlrUrl, 'dlrUrl')
      const { recipient, operator, coding, parts, sender, confirm, partPriceMicros } = judge(request)
      const { scheduled, sendAt, expiresAt } = readTiming(request, now)
      const decided = outcomeOf(recipient, request.testMode)
      if (confirm) await assertConfirmed(caller, sender.name)

      const answersAt = new Date(sendAt.getTime() + times.deliveryMs)
      const outcomeCode = answersAt > expiresAt ? EXPIRED_CODE : decided
      const reportAt = answersAt > expiresAt ? expiresAt : answersAt
      const priceMicros = partPriceMicros * BigInt(parts)
      const status = scheduled ? Prisma.sql`'scheduled'::message_status` : Prisma.sql`'accepted'::message_status`
      const [row] = await underNewId(
        newId,
        (id) => db.$queryRaw<Admission[]>`
        ${openAdmission(caller, dlrUrl)}, charged AS (
          UPDATE account SET balance_micros = balance_micros - ${priceMicros}::bigint FROM admitted
          WHERE account.id = admitted.account_id AND balance_micros >= ${priceMicros}::bigint
          RETURNING account.id
        ), accepted AS (
        INSERT INTO message (id, account_id, connection_id, manual_token_id, recipient, sender, text, coding, parts, priority, price_micros,
                             mccmnc, status, outcome_code, test_mode, dlr_url, created_at, send_at, report_at, expires_at)
        SELECT ${id}::bigint, id, ${caller.connectionId}::uuid, ${manualTokenOf(caller)}::uuid, ${recipient.msisdn}, ${sender.name}, ${request.message}, ${coding}::int,
               ${parts}::int, ${PRIORITIES[request.priority ?? 'normal']}::int, ${priceMicros}::bigint,
               ${operator.mcc + (operator.mnc[0] ?? '')}, ${status}, ${outcomeCode}::int,
               ${request.testMode ?? null}::int, ${dlrUrl ?? null}::text, ${now}::timestamptz,
               ${sendAt}::timestamptz, ${reportAt}::timestamptz, ${expiresAt}::timestamptz
        FROM charged
        RETURNING id
        )
        SELECT ${ADMISSION}, (SELECT id FROM accepted) AS id`,
      )
      const admitted = admittedId(row)
      if (admitted === null) throw refusal('SEND_REFUSED', 24)
      if (scheduled) wakeIn(sendAt.getTime() - now.getTime())
      wakeIn(reportAt.getTime() - now.getTime())
      return { ids: [String(admitted)], parts }
    },

    /**
     * Parts, price and the number that a message would go to; it is judged as a send is, but nothing is sent, charged or
     * checked on the account. Throws SEND_REFUSED, INVALID_INPUT.
     */
    cost(caller: Caller, request: SendSmsRequest): SmsCost {
      checkCallbackUrl(request.dlrUrl, 'dlrUrl')
      const { recipient, operator, parts, sender, partPriceMicros } = judge(request)
      readTiming(request, caller.now())
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

import { VERTEX_ERROR_CODES } from '@vertexsms/contract/api-errors'
import { Prisma } from '@vertexsms/db/client'
import { ApiError } from '../../http/api-error.ts'
import { readMobile } from '../../message/number.ts'
import { readSender } from '../../message/sender.ts'
import { readText } from '../../message/text.ts'
import { DEFAULT_VALIDITY_SECONDS } from '../../message/timing.ts'
import { newSmsId, underNewId } from '../ids.ts'
import { refusedBy } from '../refused.ts'
import type { HandOver, SmsOrder } from '../upstream.ts'
import { readNumber } from './numbers.ts'
import type { OperatorOptions } from './operator.ts'
import { mustBeConfirmed, operatorFor, outcomeOf, partPriceOf, refusal } from './plan.ts'

/** The order among messages that are due. */
const PRIORITIES = { high: 0, normal: 1, low: 2 } as const

/** Takes orders of messages: charges the account and keeps the message in one statement, or refuses both. */
export function createSmsOrders({
  db,
  times,
  wakeIn,
  newIds,
}: OperatorOptions): (order: SmsOrder) => Promise<HandOver> {
  const newId = newIds?.sms ?? newSmsId

  async function assertConfirmed(accountId: string, name: string): Promise<void> {
    const known = await db.senderId.count({ where: { accountId, name, status: 'confirmed' } })
    if (known === 0) throw new ApiError('SEND_REFUSED', { reason: 'sender_not_confirmed' })
  }

  async function take(order: SmsOrder): Promise<HandOver> {
    const recipient = readMobile(readNumber, 'SEND_REFUSED', 'to', `+${order.to}`)
    const operator = operatorFor(recipient)
    const { message, udh, testMode, accountId } = order
    const { coding, parts } = readText({ message, udh, coding: order.codingNamed ? order.coding : undefined })
    const sender = readSender(order.from, readNumber)
    const decided = outcomeOf(recipient, testMode)
    if (mustBeConfirmed(sender, recipient.country)) await assertConfirmed(accountId, sender.name)

    const validityMs = (order.expireInSeconds ?? DEFAULT_VALIDITY_SECONDS) * 1000
    const isLate = times.deliveryMs > validityMs
    const reportMs = Math.min(times.deliveryMs, validityMs)
    const priceMicros = partPriceOf(operator, testMode) * BigInt(parts)
    const mccmnc = operator.mcc + (operator.mnc[0] ?? '')
    const [row] = await underNewId(
      newId,
      (id) => db.$queryRaw<{ id: bigint }[]>`
      WITH charged AS (
        UPDATE account SET balance_micros = balance_micros - ${priceMicros}::bigint
        WHERE id = ${accountId}::uuid AND balance_micros >= ${priceMicros}::bigint
        RETURNING id
      )
      INSERT INTO message (id, account_id, order_id, recipient, sender, text, coding, parts, priority, price_micros, mccmnc,
                           status, outcome_code, test_mode, created_at, send_at, report_at, expires_at)
      SELECT ${id}::bigint, id, ${order.messageId}::bigint, ${recipient.msisdn}, ${sender.name}, ${message}, ${coding}::int,
             ${parts}::int, ${PRIORITIES[order.priority ?? 'normal']}::int, ${priceMicros}::bigint, ${mccmnc},
             'accepted'::message_status, ${isLate ? VERTEX_ERROR_CODES.NOT_DELIVERED : decided}::int, ${testMode ?? null}::int,
             database_now(), database_now(), ${inMs(reportMs)}, ${inMs(validityMs)}
      FROM charged
      RETURNING id`,
    )
    if (row === undefined) throw refusal('SEND_REFUSED', VERTEX_ERROR_CODES.BALANCE_LIMIT)
    wakeIn(reportMs)
    return { kind: 'accepted', reference: String(row.id), parts, priceMicros }
  }

  return (order) => take(order).catch(refusedBy)
}

function inMs(ms: number): Prisma.Sql {
  return Prisma.sql`database_now() + ${ms}::float8 * interval '1 millisecond'`
}

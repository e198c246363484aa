import { NEVER_ACCEPTED_CODES, VERTEX_ERROR_CODES } from '@vertexsms/contract/api-errors'
import { readMobile } from '../../message/number.ts'
import { newNumberId, underNewId } from '../ids.ts'
import { refusedBy } from '../refused.ts'
import type { HandOver, LookupOrder } from '../upstream.ts'
import { magicCode } from './magic.ts'
import { operatorOf, readNumber } from './numbers.ts'
import type { OperatorOptions } from './operator.ts'
import { refusal } from './plan.ts'
import { HLR_PRICE_MICROS } from './prices.ts'

/** Takes orders of lookups: charges the account and keeps the lookup in one statement, or refuses both. */
export function createLookupOrders({
  db,
  times,
  wakeIn,
  newIds,
}: OperatorOptions): (order: LookupOrder) => Promise<HandOver> {
  const newId = newIds?.number ?? newNumberId

  async function take({ accountId, messageId, msisdn }: LookupOrder): Promise<HandOver> {
    const number = readMobile(readNumber, 'LOOKUP_REFUSED', 'msisdn', `+${msisdn}`)
    if (!operatorOf(number)) throw refusal('LOOKUP_REFUSED', VERTEX_ERROR_CODES.NOT_CONFIGURED)
    const magic = magicCode(number.msisdn) ?? 0
    if (NEVER_ACCEPTED_CODES.has(magic)) throw refusal('LOOKUP_REFUSED', magic)
    const [row] = await underNewId(
      newId,
      (id) => db.$queryRaw<{ id: bigint }[]>`
      WITH charged AS (
        UPDATE account SET balance_micros = balance_micros - ${HLR_PRICE_MICROS}::bigint
        WHERE id = ${accountId}::uuid AND balance_micros >= ${HLR_PRICE_MICROS}::bigint
        RETURNING id
      )
      INSERT INTO hlr_lookup (id, account_id, order_id, msisdn, price_micros, created_at, due_at)
      SELECT ${id}::bigint, id, ${messageId}::bigint, ${number.msisdn}, ${HLR_PRICE_MICROS}::bigint, database_now(),
             database_now() + ${times.hlrMs}::float8 * interval '1 millisecond'
      FROM charged
      RETURNING id`,
    )
    if (row === undefined) throw refusal('LOOKUP_REFUSED', VERTEX_ERROR_CODES.BALANCE_LIMIT)
    wakeIn(times.hlrMs)
    return { kind: 'accepted', reference: String(row.id), parts: null, priceMicros: HLR_PRICE_MICROS }
  }

  return (order) => take(order).catch(refusedBy)
}

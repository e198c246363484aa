// The operator that is simulated: what sending asks of him. He has a balance of his own and rows of his own, knows no
// spender, connection, schedule or callback address, and takes the same order twice when it is given twice.
import { DELIVERY_STATUS } from '@vertexsms/contract/delivery'
import { ApiError } from '../../http/api-error.ts'
import { readText } from '../../message/text.ts'
import { operatorsOf } from '../operators.ts'
import type { ReportDoor, SendingUpstream, SmsOrder } from '../upstream.ts'
import type { SandboxOptions } from './config.ts'
import { createLookupOrders } from './lookup-orders.ts'
import { readNumber } from './numbers.ts'
import { operatorFor, partPriceOf } from './plan.ts'
import { HLR_PRICE_MICROS, partPriceMicros } from './prices.ts'
import { createSmsOrders } from './sms-orders.ts'
import { tellLookups, tellOutcomes } from './tell.ts'

/** The simulated operator, and the step that time makes in him. */
export interface SimulatedOperator extends SendingUpstream {
  /** Tells the door what is due; safe on several nodes at once. Returns how much was told. */
  tell(now: Date): Promise<number>
}

/** What he works with; his clock is the database's. */
export type OperatorOptions = Pick<SandboxOptions, 'db' | 'times' | 'wakeIn' | 'newIds'> & { readonly door: ReportDoor }

/** Makes the one simulated operator over the database. */
export function createOperator(options: OperatorOptions): SimulatedOperator {
  const { db, door } = options
  const dearest = new Map<string, bigint | null>()
  return {
    name: 'sandbox',
    readNumber,
    cannotLookUp: null,
    generation: async () => 0,
    send: createSmsOrders(options),
    hlr: createLookupOrders(options),

    async cost(order) {
      try {
        return priceOf(order)
      } catch (error) {
        if (error instanceof ApiError) return null
        throw error
      }
    },

    async dearestRateMicros(_accountId, country) {
      const known = dearest.get(country)
      if (known !== undefined) return known
      const [most = null] = operatorsOf(country)
        .map(partPriceMicros)
        .sort((left, right) => (left > right ? -1 : 1))
      dearest.set(country, most)
      return most
    },

    async networkRateMicros(_accountId, country, mcc, mnc) {
      const operator = operatorsOf(country).find((one) => one.mcc === mcc && one.mnc.includes(mnc))
      return operator ? partPriceMicros(operator) : null
    },

    hlrPriceMicros: async () => HLR_PRICE_MICROS,

    async status(accountId, reference) {
      const row = await db.message.findFirst({ where: { id: BigInt(reference), accountId } })
      if (row === null || row.orderId === null) return null
      const { status, errorCode, mccmnc, reportAt, expiresAt } = row
      const failed = reportAt >= expiresAt ? DELIVERY_STATUS.expired : DELIVERY_STATUS.failed
      const final = status === 'delivered' ? DELIVERY_STATUS.delivered : status === 'failed' ? failed : 0
      return {
        messageId: row.orderId,
        status: final,
        error: errorCode ?? 0,
        mcc: mccmnc.slice(0, 3),
        mnc: mccmnc.slice(3),
      }
    },

    async balanceMicros(accountId) {
      const account = await db.account.findUnique({ where: { id: accountId }, select: { balanceMicros: true } })
      return account?.balanceMicros ?? null
    },

    tell: async (now) => (await tellOutcomes(db, door, now)) + (await tellLookups(db, door, now)),
  }
}

function priceOf(order: Omit<SmsOrder, 'messageId' | 'generation'>) {
  const recipient = readNumber(`+${order.to}`)
  if ('fix' in recipient) return null
  const operator = operatorFor(recipient)
  const { parts } = readText({
    message: order.message,
    udh: order.udh,
    coding: order.codingNamed ? order.coding : undefined,
  })
  return {
    micros: partPriceOf(operator, order.testMode) * BigInt(parts),
    parts,
    country: operator.country,
    operator: operator.name,
    mccmnc: operator.mcc + (operator.mnc[0] ?? ''),
  }
}

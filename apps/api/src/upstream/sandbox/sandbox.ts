import { PAGE_SIZE } from '@vertexsms/contract/rest'
import { isSupportedCountry } from 'libphonenumber-js/max'
import { uncorrected } from '../../message/number.ts'
import { operatorById, operatorsOf } from '../operators.ts'
import type { Upstream } from '../upstream.ts'
import type { SandboxOptions } from './config.ts'
import { endReviews, refundCancelled, releaseScheduled, reportDelivery } from './delivery.ts'
import { createLookups } from './lookups.ts'
import { createMessages } from './messages.ts'
import { prefixesOf, readNumber } from './numbers.ts'
import { rateCard } from './prices.ts'
import { createSenders } from './senders.ts'

/** The simulated operator: an upstream, and the step that time makes in it. */
export interface Sandbox extends Upstream {
  /** Does everything that is due at `now`; safe on several nodes at once. Returns how many rows it moved. */
  advance(now: Date): Promise<number>
}

function pageOf<Row>(rows: readonly Row[], page: number): Row[] {
  return rows.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)
}

function isCountry(country: string): boolean {
  return operatorsOf(country).length > 0 || isSupportedCountry(country)
}

/** A small SMS operator over the database: real numbering data, prices, a balance that is charged, delivery in time. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const messages = createMessages(options)
  const lookups = createLookups(options)
  const senders = createSenders(options)
  const rates = rateCard()
  const { db } = options

  return {
    smsCost: async (caller, request) => messages.cost(caller, request),
    rates: async () => ({ rows: rates, ageSeconds: 0 }),
    readHlr: lookups.read,
    registerSender: senders.register,
    confirmSender: senders.confirm,

    async operator(_caller, id) {
      const operator = operatorById(id)
      if (!operator) return undefined
      return { name: operator.name, country: operator.country, mcc: operator.mcc, mnc: [...operator.mnc] }
    },

    async mccMnc(_caller, country, page) {
      if (!isCountry(country)) return undefined
      const rows = operatorsOf(country).flatMap(({ id, mcc, mnc }) =>
        mnc.map((code) => ({ country, mcc, mnc: code, operatorId: id })),
      )
      return pageOf(rows, page)
    },

    async prefixes(_caller, country, page) {
      if (!isCountry(country)) return undefined
      return pageOf(prefixesOf(country), page).map(({ prefix, operatorId }) => ({ country, prefix, operatorId }))
    },

    async correctNumbers(_caller, request) {
      return request.map((written) => {
        const number = readNumber(written.number, written.country)
        if ('fix' in number) return uncorrected(written, number.fix)
        return {
          input_number: written.number,
          country: number.country,
          number_type: number.type,
          mobile: number.type === 'mobile',
          number_e164: `+${number.msisdn}`,
          error: null,
        }
      })
    },

    async advance(now) {
      const released = await releaseScheduled(db, now)
      const reported = await reportDelivery(db, now)
      const refunded = await refundCancelled(db)
      const reviewed = await endReviews(db, now)
      const answered = await lookups.answerDue(now)
      return released + reported + refunded + reviewed + answered
    },
  }
}

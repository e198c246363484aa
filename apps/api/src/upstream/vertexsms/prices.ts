import { readEurNumber } from '@vertexsms/contract/money'
import type { SmsCost } from '@vertexsms/contract/rest'
import { PARTS_MAX } from '../../message/segments.ts'
import type { SmsOrder, UpstreamPrice } from '../upstream.ts'
import type { UpstreamAnswer, UpstreamRequest } from './client.ts'
import { isSuccess } from './judge.ts'
import { CURRENCY, costAnswerSchema, PATHS, parseBody } from './wire.ts'

/** Below a million EUR; a price that is larger is a mistake. */
const AMOUNT = /^(\d{1,6})(?:\.(\d{1,18}))?$/
const DECIMALS = 6

/**
 * An amount in EUR, as a number or as decimal text, in micro-EUR and rounded up to one. Null for everything that is no price:
 * negative, infinite, not a number, a million and more, another notation.
 */
export function readPriceMicros(amount: unknown): bigint | null {
  if (typeof amount === 'number') return readEurNumber(amount)
  if (typeof amount !== 'string') return null
  const [, whole, decimals = ''] = AMOUNT.exec(amount.trim()) ?? []
  if (whole === undefined) return null
  const micros = BigInt(whole + decimals.slice(0, DECIMALS).padEnd(DECIMALS, '0'))
  return /[1-9]/.test(decimals.slice(DECIMALS)) ? micros + 1n : micros
}

/** Asks for the price of a message; it takes these three members and charges nothing. */
export function costRequest({ to, from, message }: Pick<SmsOrder, 'to' | 'from' | 'message'>): UpstreamRequest {
  return { method: 'POST', path: PATHS.cost, body: { to, from, message } }
}

/** A price, for us and for whoever asked by REST. */
export interface ToldPrice {
  readonly price: UpstreamPrice
  readonly cost: SmsCost
}

/**
 * The price of a message to this number: the larger of the total and of parts times the part's price. Null where none can
 * be had: another currency, an amount that is none, another number, several prices, no answer. The country is empty where
 * the operator names none, and then equal to no country.
 */
export function judgeCost(answer: UpstreamAnswer, to: string): ToldPrice | null {
  if (answer.kind === 'silence' || !isSuccess(answer.status)) return null
  const body = parseBody(answer.body)
  if (Array.isArray(body) && body.length !== 1) return null
  const read = costAnswerSchema.safeParse(Array.isArray(body) ? body[0] : body)
  if (!read.success) return null
  const { parts, countryISO, mccmnc, currency } = read.data
  if (read.data.to !== undefined && read.data.to.replace(/^\+/, '') !== to) return null
  const perPart = readPriceMicros(read.data.pricePerPart)
  const total = readPriceMicros(read.data.totalPrice)
  if (perPart === null || total === null || currency !== CURRENCY || parts < 1 || parts > PARTS_MAX) return null
  const byParts = perPart * BigInt(parts)
  const micros = total > byParts ? total : byParts
  const country = /^[A-Za-z]{2}$/.test(countryISO ?? '') ? (countryISO ?? '').toUpperCase() : ''
  return {
    price: { micros, parts, country, operator: null, mccmnc: mccmnc ?? '' },
    cost: {
      to,
      parts,
      countryISO: country,
      mccmnc: mccmnc ?? '',
      pricePerPart: Number(read.data.pricePerPart),
      totalPrice: Number(read.data.totalPrice),
      currency,
    },
  }
}

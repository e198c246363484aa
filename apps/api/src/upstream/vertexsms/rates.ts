// The operator's rate card: what it says of a country and of one network, and how long it is believed.
import { toEurText } from '@vertexsms/contract/money'
import type { Rate } from '@vertexsms/contract/rest'
import { isSupportedCountry } from 'libphonenumber-js/max'
import { LRUCache } from 'lru-cache'
import * as z from 'zod'
import { ApiError } from '../../http/api-error.ts'
import { OPERATORS } from '../operators.ts'
import type { UpstreamAnswer, UpstreamRequest } from './client.ts'
import { judgeRead } from './judge.ts'
import { readPriceMicros } from './prices.ts'
import { CURRENCY, PATHS, rateRowSchema } from './wire.ts'

/** A rate card that was read. */
export interface RateCard {
  /**
   * As it is shown: each row under the countries whose price it gives, at the price that is charged; without rows whose
   * price is none.
   */
  readonly rows: readonly Rate[]
  /** In milliseconds since the epoch. */
  readonly readAtMs: number
  /** The dearest part price of a country; null where it has none, or where one of its prices cannot be read. */
  dearestMicros(country: string): bigint | null
  /** The part price in a network of a country, or of its others; null where the card has neither, and for one elsewhere. */
  networkMicros(country: string, mcc: string, mnc: string): bigint | null
}

interface Row {
  readonly mcc: string
  readonly mnc: string | null
  /** Null where the price cannot be read. */
  readonly micros: bigint | null
}

/** Asks for the rate card. */
export function ratesRequest(): UpstreamRequest {
  return { method: 'GET', path: PATHS.rates }
}

/** All networks of the world, many times: more rows are no rate card. */
const ROWS_MAX = 50_000

/** The rate card. Throws as {@link judgeRead}, and UPSTREAM_ANSWER_WRONG where there is none. */
export function judgeRates(answer: UpstreamAnswer): RateCard {
  const written = judgeRead(answer, z.array(z.unknown()).min(1).max(ROWS_MAX))
  if (written === undefined) throw new ApiError('UPSTREAM_ANSWER_WRONG')
  return readRateCard(written)
}

/** Which country a mobile country code belongs to; several where they share one. */
const countriesOfMcc = new Map<string, Set<string>>()
for (const { mcc, country } of OPERATORS) countriesOfMcc.set(mcc, (countriesOfMcc.get(mcc) ?? new Set()).add(country))

function readRateCard(written: readonly unknown[]): RateCard {
  const shown: Rate[] = []
  const byCountry = new Map<string, Row[]>()
  for (const one of written) {
    const read = rateRowSchema.safeParse(one)
    // A row that is no row tells of no country, and so stops none.
    if (!read.success) continue
    const { CountryName, CountryCode, Operator, Network, MCC, MNC, Rate, Currency } = read.data
    const code = (CountryCode ?? '').toUpperCase()
    const mcc = MCC ?? ''
    const isForeign = Currency !== undefined && Currency !== null && Currency !== CURRENCY
    const row = { mcc, mnc: MNC ?? null, micros: isForeign ? null : readPriceMicros(Rate) }
    // A code need not be that of a country: then the network's says where it is.
    const countries = isCountry(code) ? [code] : [...(countriesOfMcc.get(mcc) ?? [])]
    for (const country of countries) {
      const rows = byCountry.get(country)
      if (rows) rows.push(row)
      else byCountry.set(country, [row])
    }
    if (row.micros === null) continue
    // Whoever looks for the price of a country finds what a message there is judged by.
    for (const country of countries.length === 0 ? [code] : countries) {
      shown.push({
        CountryName: CountryName ?? country,
        CountryCode: country,
        Operator: Operator ?? '',
        Network: Network ?? '',
        MCC: mcc,
        MNC: row.mnc,
        Rate: toEurText(row.micros),
      })
    }
  }
  return {
    rows: shown,
    readAtMs: Date.now(),
    dearestMicros(country) {
      return dearest(byCountry.get(country) ?? [])
    },
    networkMicros(country, mcc, mnc) {
      const rows = byCountry.get(country) ?? []
      const own = rows.filter((row) => row.mcc === mcc && row.mnc !== null && isSameMnc(row.mnc, mnc))
      if (own.length > 0) return dearest(own)
      const isHere = countriesOfMcc.get(mcc)?.has(country)
      return dearest(rows.filter((row) => row.mnc === null && (isHere || row.mcc === mcc)))
    },
  }
}

/** Null where there is no row, or one whose price cannot be read: it may be the dearest. */
function dearest(rows: readonly Row[]): bigint | null {
  let most: bigint | null = null
  for (const { micros } of rows) {
    if (micros === null) return null
    if (most === null || micros > most) most = micros
  }
  return most
}

function isCountry(code: string): boolean {
  return /^[A-Z]{2}$/.test(code) && isSupportedCountry(code)
}

/** `21` and `021` are one network: which zeros are written differs from list to list. */
function isSameMnc(left: string, right: string): boolean {
  return left.replace(/^0+/, '') === right.replace(/^0+/, '')
}

const BELIEVED_MS = 3_600_000
const CARDS_MAX = 200

/** The rate cards of accounts, each asked for once an hour; a failure is not kept. `key` names an account's very token. */
export function createRateCards(): (key: string, ask: () => Promise<RateCard>) => Promise<RateCard> {
  const cards = new LRUCache<string, Promise<RateCard>>({ max: CARDS_MAX, ttl: BELIEVED_MS })
  return (key, ask) => {
    const known = cards.get(key)
    if (known) return known
    const asked = ask()
    cards.set(key, asked)
    asked.catch(() => {
      if (cards.peek(key) === asked) cards.delete(key)
    })
    return asked
  }
}

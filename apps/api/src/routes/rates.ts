import type { Rate } from '@vertexsms/contract/rest'
import { ratesQuerySchema } from '@vertexsms/contract/routes'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { parse } from '../http/parse.ts'
import type { Routes } from './route-options.ts'

const CSV_COLUMNS = ['CountryName', 'CountryCode', 'Operator', 'Network', 'MCC', 'MNC', 'Rate'] as const

/** A rate card as CSV (RFC 4180), header line first. */
function toCsv(rates: readonly Rate[]): string {
  const cell = (value: string | null) => {
    if (value === null) return ''
    return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
  }
  const lines = rates.map((rate) => CSV_COLUMNS.map((column) => cell(rate[column])).join(','))
  return `${[CSV_COLUMNS.join(','), ...lines].join('\r\n')}\r\n`
}

/** `GET /rates` and `GET /rates/`, as JSON or CSV, of all countries or of one. */
export const ratesRoutes: Routes = (app, { upstream }) => {
  // A rate card is long and changes rarely: the same list is written out once.
  let whole: { rates: readonly Rate[]; json: string; csv: string } | undefined

  async function answer(request: FastifyRequest, reply: FastifyReply) {
    const { format, country } = parse(ratesQuerySchema, request.query)
    const { rows: rates, ageSeconds } = await upstream.rates(request.token)
    // RFC 9111 §5.1: for whoever keeps it in turn.
    if (ageSeconds > 0) reply.header('age', String(ageSeconds))
    if (whole?.rates !== rates) whole = { rates, json: JSON.stringify(rates), csv: toCsv(rates) }
    const wanted = country?.toUpperCase()
    const own = wanted === undefined ? undefined : rates.filter(({ CountryCode }) => CountryCode === wanted)
    if (format === 'csv') return reply.type('text/csv; charset=utf-8').send(own ? toCsv(own) : whole.csv)
    return reply.type('application/json; charset=utf-8').send(own ? JSON.stringify(own) : whole.json)
  }

  app.get('/rates', answer)
  app.get('/rates/', answer)
}

import type { Rate } from '@vertexsms/contract/rest'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { parse } from '../http/parse.ts'
import type { Routes } from './route-options.ts'

const querySchema = z.object({ format: z.enum(['json', 'csv']).default('json') })

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

/** `GET /rates` and `GET /rates/`, as JSON or CSV. */
export const ratesRoutes: Routes = (app, { upstream }) => {
  // A rate card is long and changes rarely: the same list is written out once.
  let written: { rates: readonly Rate[]; json: string; csv: string } | undefined

  async function answer(request: FastifyRequest, reply: FastifyReply) {
    const { format } = parse(querySchema, request.query)
    const rates = await upstream.rates(request.token)
    if (written?.rates !== rates) written = { rates, json: JSON.stringify(rates), csv: toCsv(rates) }
    return format === 'csv'
      ? reply.type('text/csv; charset=utf-8').send(written.csv)
      : reply.type('application/json; charset=utf-8').send(written.json)
  }

  app.get('/rates', { config: { permission: 'GET /rates' } }, answer)
  app.get('/rates/', { config: { permission: 'GET /rates' } }, answer)
}

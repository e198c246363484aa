import { mccMncResponseSchema } from '@vertexsms/contract/rest'
import * as z from 'zod'
import { counted } from './counted.ts'
import { defineTool, readNames } from './define-tool.ts'
import { countryField, integerField, optional } from './fields.ts'
import { lines, nextPage, PAGE_MAX, readCountry } from './pages.ts'

/** Lists the mobile networks of a country. */
export const getMccMncList = defineTool({
  name: 'get_mcc_mnc_list',
  title: 'List mobile networks of a country',
  description:
    'Lists the mobile networks of a country: MCC, MNC and the operator id of each. Free, paged; call again with page: next_page until it is null. get_operator tells the name behind an operator id.',
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: {
    country: countryField('ISO 3166-1 alpha-2 country code.'),
    page: optional(integerField('Page, from 1.', 1, PAGE_MAX, 1)),
  },
  output: z.object({
    country: z.string(),
    page: z.int(),
    count: z.int().describe('Rows on this page'),
    networks: z.array(z.object({ country: z.string(), mcc: z.string(), mnc: z.string(), operator_id: z.int() })),
    next_page: z.int().nullable(),
  }),
  async run({ country, page = 1 }, context) {
    const path = `/mccmnc/${country}?Page=${page}`
    const rows = readNames(mccMncResponseSchema, await readCountry(context, path))
    const networks = rows.map((row) => ({
      country: row.country,
      mcc: row.mcc,
      mnc: row.mnc,
      operator_id: row.operatorId,
    }))
    const next = nextPage(page, rows.length)
    return {
      text: lines(
        `${counted(rows.length, 'network')} of ${country}, page ${page}`,
        networks.map(({ mcc, mnc, operator_id }) => `MCC ${mcc} MNC ${mnc}: operator ${operator_id}`),
        next,
      ),
      data: { country, page, count: rows.length, networks, next_page: next },
    }
  },
})

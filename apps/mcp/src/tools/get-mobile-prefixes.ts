import { prefixesResponseSchema } from '@vertexsms/contract/rest'
import * as z from 'zod'
import { counted } from './counted.ts'
import { defineTool, readNames } from './define-tool.ts'
import { countryField, integerField, optional } from './fields.ts'
import { lines, nextPage, PAGE_MAX, readCountry } from './pages.ts'

/** Lists the mobile number prefixes of a country. */
export const getMobilePrefixes = defineTool({
  name: 'get_mobile_prefixes',
  title: 'List mobile prefixes of a country',
  description:
    'Lists the mobile number prefixes of a country with the operator id each belongs to. Free, paged; call again with page: next_page until it is null. Numbers may have been ported: only lookup_hlr tells the operator of one number.',
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: {
    country: countryField('ISO 3166-1 alpha-2 country code.'),
    page: optional(integerField('Page, from 1.', 1, PAGE_MAX, 1)),
  },
  output: z.object({
    country: z.string(),
    page: z.int(),
    count: z.int().describe('Rows on this page'),
    prefixes: z.array(z.object({ country: z.string(), prefix: z.string(), operator_id: z.int() })),
    next_page: z.int().nullable(),
  }),
  async run({ country, page = 1 }, context) {
    const path = `/prefixes/${country}?Page=${page}`
    const rows = readNames(prefixesResponseSchema, await readCountry(context, path))
    const prefixes = rows.map((row) => ({ country: row.country, prefix: row.prefix, operator_id: row.operatorId }))
    const next = nextPage(page, rows.length)
    const isNoneListed = rows.length === 0 && page === 1
    const heading = isNoneListed
      ? `No mobile prefixes of ${country} are listed: there a number does not tell its operator, but lookup_hlr does`
      : `${counted(rows.length, 'mobile prefix', 'mobile prefixes')} of ${country}, page ${page}`
    return {
      text: lines(
        heading,
        prefixes.map(({ prefix, operator_id }) => `${prefix}: operator ${operator_id}`),
        next,
      ),
      data: { country, page, count: rows.length, prefixes, next_page: next },
    }
  },
})

import { ratesResponseSchema } from '@vertexsms/contract/rest'
import * as z from 'zod'
import { ageSecondsOf } from '../api/judge.ts'
import { READ_TIMEOUT_MS } from '../api/timeouts.ts'
import { ToolFailure } from '../protocol/failure.ts'
import { type DefinedTool, defineTool, readNames, type ToolContext } from './define-tool.ts'
import { countryField } from './fields.ts'
import { lines } from './pages.ts'
import { ageSeconds, type RateCard, RateCards } from './rate-cards.ts'

/** Tells what a message to a country costs; the account's rate card is read once an hour. */
export function getSmsRates(): DefinedTool {
  const cards = new RateCards()
  return defineTool({
    name: 'get_sms_rates',
    title: 'Get SMS rates',
    description:
      'Tells the price of one SMS part in EUR to each mobile network of a country. Free. Call it before send_sms when the price matters: a message is charged per part (160 GSM-7 or 70 Unicode characters; longer ones are split into parts of 153 or 67). Rates are at most one hour old.',
    hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: { country: countryField('ISO 3166-1 alpha-2 code of the destination country.') },
    output: z.object({
      country: z.string(),
      country_name: z.string(),
      rates: z.array(
        z.object({
          operator: z.string().describe('"All" or "All other carriers" is the default route'),
          network: z.string(),
          rate_eur: z.string().describe('EUR per part, decimal'),
          mcc: z.string(),
          mnc: z.string().nullable(),
        }),
      ),
      cache_age_seconds: z.int(),
    }),
    async run({ country }, context) {
      const account = await context.account()
      const card = (await serveKept(cards, account, context)) ?? (await readCard(cards, account, context))
      const rows = card.byCountry.get(country)
      const first = rows?.[0]
      if (rows === undefined || first === undefined) {
        throw new ToolFailure('NOT_FOUND', 'The account has no rates for this country, so it cannot send there.')
      }
      const rates = rows.map(({ Operator, Network, Rate, MCC, MNC }) => ({
        operator: Operator,
        network: Network,
        rate_eur: Rate,
        mcc: MCC,
        mnc: MNC,
      }))
      return {
        text: lines(
          `${first.CountryName} (${country}), EUR per SMS part`,
          rates.map(
            ({ operator, network, rate_eur, mcc, mnc }) =>
              `${operator} / ${network} (MCC ${mcc}${mnc === null ? '' : ` MNC ${mnc}`}): ${rate_eur}`,
          ),
        ),
        data: { country, country_name: first.CountryName, rates, cache_age_seconds: ageSeconds(card) },
      }
    },
  })
}

// A kept card is served only after the API has said that the token stands, whose it is, and that it may read rates.
async function serveKept(cards: RateCards, account: string, context: ToolContext): Promise<RateCard | undefined> {
  const card = cards.find(account)
  if (card === undefined) return undefined
  const token = await context.describe()
  if (!token.permissions.includes('GET /rates')) throw context.permissionMissing()
  return token.account === account ? card : undefined
}

async function readCard(cards: RateCards, account: string, context: ToolContext): Promise<RateCard> {
  const answer = await context.call({
    method: 'GET',
    path: '/rates/?format=json',
    timeoutMs: READ_TIMEOUT_MS,
    effect: false,
  })
  return cards.keep(account, readNames(ratesResponseSchema, answer), ageSecondsOf(answer))
}

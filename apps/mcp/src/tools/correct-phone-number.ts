import { PHONE_MAX_CHARACTERS } from '@vertexsms/contract/phone-text'
import { BATCH_MAX, correctNumbersResponseSchema } from '@vertexsms/contract/rest'
import * as z from 'zod'
import { READ_TIMEOUT_MS } from '../api/timeouts.ts'
import { ToolFailure } from '../protocol/failure.ts'
import { counted } from './counted.ts'
import { defineTool, line, readAnswer } from './define-tool.ts'
import { countryField, type Field, invalid, listFromJson, readEach, textField } from './fields.ts'
import { lines } from './pages.ts'

/** Room for a sentence that tells two readings of a number. */
const ERROR_MAX_CHARACTERS = 300

interface NumberToCorrect {
  readonly number: string
  readonly country: string
}

const number = textField('The number as it was written, national or international.', {
  max: PHONE_MAX_CHARACTERS,
  trim: true,
})
const country = countryField('ISO 3166-1 alpha-2 code of the country the number was written in.')

const numbersField: Field<NumberToCorrect[]> = {
  schema: {
    type: 'array',
    description: `1 to ${BATCH_MAX} numbers.`,
    minItems: 1,
    maxItems: BATCH_MAX,
    items: {
      type: 'object',
      properties: { number: number.schema, country: country.schema },
      required: ['number', 'country'],
      additionalProperties: false,
    },
  },
  read(value, name, others) {
    const list = listFromJson(value, name)
    if (list.length === 0 || list.length > BATCH_MAX) throw invalid(name, `must hold 1 to ${BATCH_MAX} numbers.`)
    return readEach(list, (entry, index) => {
      const at = `${name}[${index}]`
      if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
        throw invalid(at, 'must be an object with number and country.')
      }
      const { number: written, country: code } = entry as Record<string, unknown>
      if (written === undefined || code === undefined) throw invalid(at, 'needs both number and country.')
      return {
        number: number.read(written, `${at}.number`, others),
        country: country.read(code, `${at}.country`, others),
      }
    })
  },
}

/** Turns numbers as people write them into E.164. */
export const correctPhoneNumber = defineTool({
  name: 'correct_phone_number',
  title: 'Correct phone numbers',
  description: `Turns up to ${BATCH_MAX} phone numbers, as people write them, into E.164 and tells whether each is a mobile number. Free. Use it before send_sms when a number is national or doubtful; it does not tell whether the number is in service (lookup_hlr does).`,
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: { numbers: numbersField },
  output: z.object({
    count: z.int(),
    results: z.array(
      z.object({
        input_number: z.string(),
        country: z.string(),
        number_type: z.enum(['mobile', 'landline', 'unknown']),
        mobile: z.boolean(),
        number_e164: z.string().nullable(),
        error: z.string().nullable(),
      }),
    ),
  }),
  async run({ numbers }, context) {
    const answer = await context.call({
      method: 'POST',
      path: '/numbers/correct',
      body: JSON.stringify(numbers),
      timeoutMs: READ_TIMEOUT_MS,
      effect: false,
    })
    const results = readAnswer(correctNumbersResponseSchema, answer)
    if (results.length !== numbers.length) throw new ToolFailure('INTERNAL')
    return {
      text: lines(
        counted(results.length, 'number'),
        results.map(
          ({ number_e164, number_type, error }, index) =>
            `${index + 1}. ${number_e164 === null ? (error === null ? 'not a valid number' : line(error, ERROR_MAX_CHARACTERS)) : `${line(number_e164)} (${number_type})`}`,
        ),
      ),
      data: {
        count: results.length,
        results: results.map((result) => ({
          ...result,
          country: line(result.country),
          error: result.error === null ? null : line(result.error, ERROR_MAX_CHARACTERS),
        })),
      },
    }
  },
})

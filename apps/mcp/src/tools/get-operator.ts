import { operatorResponseSchema } from '@vertexsms/contract/rest'
import * as z from 'zod'
import { READ_TIMEOUT_MS } from '../api/timeouts.ts'
import { defineTool, line, readNames } from './define-tool.ts'
import { idField } from './fields.ts'

/** Tells which mobile operator stands behind an operator id. */
export const getOperator = defineTool({
  name: 'get_operator',
  title: 'Get operator',
  description:
    'Tells the name, country and network codes (MCC, MNCs) of a mobile operator by its VertexSMS operator id. Free. Operator ids come from lookup_hlr, get_mcc_mnc_list and get_mobile_prefixes.',
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: { operatorId: idField('Operator id, as other tools return it in operator_id.') },
  output: z.object({
    operator_id: z.int(),
    name: z.string(),
    country: z.string().describe('ISO 3166-1 alpha-2'),
    mcc: z.string(),
    mnc: z.array(z.string()),
  }),
  async run({ operatorId }, context) {
    const answer = await context.call({
      method: 'GET',
      path: `/operators/${operatorId}`,
      timeoutMs: READ_TIMEOUT_MS,
      effect: false,
    })
    const { name, country, mcc, mnc } = readNames(operatorResponseSchema, answer)
    return {
      text: `${name}, ${country}: MCC ${mcc}, MNC ${line(mnc.join(', '))}.`,
      data: { operator_id: Number(operatorId), name, country, mcc, mnc },
    }
  },
})

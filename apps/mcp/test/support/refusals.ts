import type { DetailedCode, ERROR_DETAILS } from '@vertexsms/contract/limits'
import type * as z from 'zod'

const manageUrl = 'https://tool.example/connections/c1'
const approvalId = 'a1'
const resetsAt = '2026-12-24T22:00:00.000Z'

/** Details of every code that has them, as the API gives them. */
export const DETAILS: { [Code in DetailedCode]: z.input<(typeof ERROR_DETAILS)[Code]> } = {
  SPEND_CAP_REACHED: {
    limit: 'per_day',
    of: 'connection',
    max: '5',
    spent: '4.98',
    price: '0.04',
    currency: 'EUR',
    resetsAt,
    manageUrl,
  },
  RECIPIENTS_REACHED: { of: 'account', max: 20, used: 19, asked: 2, resetsAt, manageUrl },
  DESTINATION_NOT_ALLOWED: { country: 'LV', manageUrl },
  SENDER_NOT_ALLOWED: { from: 'Shop', manageUrl },
  CONNECTION_PAUSED: { of: 'connection', by: 'owner', manageUrl },
  APPROVAL_REQUIRED: { approvalId, approvalUrl: 'https://tool.example/approvals/a1', expiresAt: resetsAt },
  APPROVAL_REFUSED: { approvalId, manageUrl },
  APPROVAL_EXPIRED: { approvalId, manageUrl },
  PRICE_UNKNOWN: { country: null, manageUrl },
  PRICE_CHANGED: { price: '0.05', maxPrice: '0.04', currency: 'EUR' },
  SEND_OUTCOME_UNKNOWN: { sendId: 's1', ids: ['128153256012815325'] },
  TOO_MANY_WAITING: { max: 1000, manageUrl },
  UPSTREAM_ACCOUNT_MISSING: { manageUrl },
}

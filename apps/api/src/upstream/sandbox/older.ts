import { DELIVERY_STATUS } from '@vertexsms/contract/delivery'
import type { SmsStatus } from '@vertexsms/contract/sending'
import type { Database } from '@vertexsms/db/client'

interface Row {
  readonly status: 'scheduled' | 'accepted' | 'delivered' | 'failed' | 'cancelled'
  readonly errorCode: number | null
  readonly expired: boolean
}

/**
 * A message that was sent before sends had tables of their own, and may still be under way; undefined for every other id,
 * and for what another connection or token has sent, of the same account too.
 */
export async function readOlderSms(
  db: Database,
  { accountId, spenderId }: { readonly accountId: string; readonly spenderId: string },
  id: bigint,
): Promise<SmsStatus | undefined> {
  const [row] = await db.$queryRaw<Row[]>`
    SELECT m.status::text AS status, m.error_code AS "errorCode", m.report_at >= m.expires_at AS expired
    FROM message m
    LEFT JOIN connection c ON c.id = m.connection_id LEFT JOIN api_token t ON t.id = m.manual_token_id
    WHERE m.id = ${id}::bigint AND m.account_id = ${accountId}::uuid AND m.order_id IS NULL
      AND coalesce(c.spender_id, c.id, t.spender_id, m.manual_token_id) = ${spenderId}::uuid`
  return row === undefined ? undefined : { id: String(id), ...told(row) }
}

function told({ status, errorCode, expired }: Row): Omit<SmsStatus, 'id'> {
  switch (status) {
    case 'accepted':
      return { status: null, error: null, state: 'sent' }
    case 'delivered':
      return { status: DELIVERY_STATUS.delivered, error: errorCode, state: 'delivered' }
    case 'failed': {
      const state = expired ? 'expired' : 'failed'
      return { status: DELIVERY_STATUS[state], error: errorCode, state }
    }
    default:
      return { status: null, error: null, state: status }
  }
}

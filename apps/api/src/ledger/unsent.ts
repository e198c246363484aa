// What is told of messages that were given an id and then did not go out: no operator has them who could report them.
import { VERTEX_ERROR_CODES } from '@vertexsms/contract/api-errors'
import { DELIVERY_STATUS } from '@vertexsms/contract/delivery'
import { Prisma } from '@vertexsms/db/client'
import { owePosts } from '../callback-lane.ts'

/** Why a message was released whose time went by. */
export const EXPIRED = 'expired'

/** Why one was that did not go out though nobody refused it, as by the word of its owner where its outcome was not known. */
export const NOT_SENT = 'not_sent'

/** The status of a released message and the code with it; null for what was cancelled, of which nothing is reported. */
export function statusOfUnsent(released: {
  readonly failure: string | null
  readonly failureNumber: number | null
  readonly failureReason: string | null
}): { readonly status: number; readonly error: number | null } | null {
  const { failure, failureNumber, failureReason } = released
  if (failureReason === EXPIRED) return { status: DELIVERY_STATUS.expired, error: VERTEX_ERROR_CODES.NOT_DELIVERED }
  return failure === null && failureReason !== NOT_SENT
    ? null
    : { status: DELIVERY_STATUS.failed, error: failureNumber }
}

/**
 * The INSERT over `settling` of what is owed to callers' URLs for messages that are released: the same as
 * {@link statusOfUnsent}, under 999 where the network has no code. Not for a message that its own answer refuses, which
 * has no id that anybody knows, unless `post` says otherwise (settle.ts).
 */
export const OWED_UNSENT = owePosts(Prisma.sql`
  SELECT s.account_id, p.dlr_url AS url, p.test_mode,
         jsonb_build_object(
           'id', s.id::text, 'mcc', '', 'mnc', '',
           'status', CASE s.failure_reason WHEN ${EXPIRED} THEN ${DELIVERY_STATUS.expired}::int ELSE ${DELIVERY_STATUS.failed}::int END,
           'error', CASE s.failure_reason WHEN ${EXPIRED} THEN ${VERTEX_ERROR_CODES.NOT_DELIVERED}::int
                    ELSE coalesce(s.failure_number, ${VERTEX_ERROR_CODES.UNKNOWN}::int) END) AS body
  FROM settling s JOIN send p ON p.id = s.send_id
  WHERE s.outcome = 'released' AND s.state IN ('scheduled', 'held', 'handed_over', 'unknown') AND s.post IS DISTINCT FROM 'never'
    AND (s.failure IS NOT NULL OR s.failure_reason IN (${EXPIRED}, ${NOT_SENT})) AND p.kind = 'sms' AND p.dlr_url IS NOT NULL
    AND (s.post = 'due' OR s.state = 'unknown' OR p.scheduled_at IS NOT NULL OR p.runner_until IS NOT NULL)`)

import { REFUSAL_REASONS } from '@vertexsms/contract/refusals'
import type { SenderIdRequest } from '@vertexsms/contract/rest'
import * as z from 'zod'
import { ApiError } from '../../http/api-error.ts'
import type { HandOver } from '../upstream.ts'
import type { UpstreamAnswer, UpstreamRequest } from './client.ts'
import { judgeHandOver, judgeRead } from './judge.ts'
import { PATHS } from './wire.ts'

/** A registration as the operator takes it; his report of a name's review comes to us and is passed on. */
export function senderRequest(request: SenderIdRequest, reportAddress: string | null): UpstreamRequest {
  const body =
    request.type === 'MSISDN'
      ? { name: request.name, type: request.type }
      : {
          name: request.name,
          type: request.type,
          category: request.category,
          categoryDescription: request.categoryDescription,
          ...(reportAddress === null ? {} : { notificationUrl: reportAddress }),
        }
  return { method: 'POST', path: PATHS.senders, body }
}

/** What became of a registration of this type. */
export function judgeSender(type: SenderIdRequest['type'], answer: UpstreamAnswer): HandOver {
  if (answer.kind === 'answer' && answer.status === 409) {
    // Nothing is charged for a name, and one that is there already is not registered again.
    return { kind: 'refused', code: 'CONFLICT', message: 'The sender is already registered on the account.' }
  }
  const outcome = judgeHandOver(answer, 'INVALID_INPUT')
  if (outcome.kind !== 'refused' || outcome.code !== 'INVALID_INPUT') return outcome
  const reason = type === 'MSISDN' ? 'recipient_refused' : 'registration_refused'
  return { ...outcome, reason, message: `Invalid value for field 'name': it ${REFUSAL_REASONS[reason].fix}` }
}

/** A PIN as the operator takes it. */
export function confirmRequest(reference: string, code: string): UpstreamRequest {
  return { method: 'POST', path: PATHS.confirmSender(reference), body: { code } }
}

/** Throws CODE_WRONG, CODE_EXPIRED, CONFLICT, OUTCOME_UNKNOWN, and what a read throws; returns where the number is confirmed. */
export function judgeConfirmation(answer: UpstreamAnswer): void {
  if (answer.kind === 'silence' && answer.handedOver) throw new ApiError('OUTCOME_UNKNOWN')
  if (answer.kind === 'answer') {
    const { status } = answer
    if (status === 400) throw new ApiError('CODE_WRONG')
    if (status === 404) throw new ApiError('CODE_EXPIRED')
    if (status === 409) throw new ApiError('CONFLICT', { message: 'The sender is already confirmed.' })
    if (status >= 500) throw new ApiError('OUTCOME_UNKNOWN')
  }
  judgeRead(answer, z.unknown())
}

import { ApiError } from '../http/api-error.ts'
import type { HandOver } from './upstream.ts'

/** A refusal as an upstream answers it. Throws again what is none, or what may have been done. */
export function refusedBy(error: unknown): HandOver {
  if (!(error instanceof ApiError) || error.code === 'OUTCOME_UNKNOWN') throw error
  return {
    kind: 'refused',
    code: error.code,
    message: error.message,
    ...(error.errorCode === null ? {} : { errorCode: error.errorCode }),
    ...(error.reason === undefined ? {} : { reason: error.reason }),
  }
}

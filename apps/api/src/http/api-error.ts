import {
  API_ERRORS,
  type ApiErrorCode,
  VERTEX_ERROR_MEANINGS,
  type VertexErrorCode,
} from '@vertexsms/contract/api-errors'
import { REFUSAL_REASONS, type RefusalReasonName } from '@vertexsms/contract/refusals'
import type { ApiErrorBody } from '@vertexsms/contract/rest'

/** What may vary in a refusal: a more precise sentence of ours, the numeric VertexSMS code, response headers. */
export interface ApiErrorDetails {
  readonly message?: string
  /** Its meaning is the message where neither a sentence nor a reason is given. */
  readonly errorCode?: VertexErrorCode
  /** Which mistake it is, of the catalogue of refusals; its sentence is the message where none is given. */
  readonly reason?: RefusalReasonName
  readonly headers?: Readonly<Record<string, string>>
  /** Those of the code in the contract. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** A refusal of the REST API under one code of the catalogue; its message never repeats a caller's value. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly code: ApiErrorCode
  readonly errorCode: VertexErrorCode | null
  readonly reason: RefusalReasonName | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(code: ApiErrorCode, details: ApiErrorDetails = {}) {
    super(details.message ?? sentenceOf(details.reason) ?? meaningOf(details.errorCode) ?? API_ERRORS[code].message)
    this.code = code
    this.errorCode = details.errorCode ?? null
    this.reason = details.reason
    this.headers = details.headers ?? {}
    this.details = details.details
  }

  /** The HTTP status of the code. */
  get status(): number {
    return API_ERRORS[this.code].status
  }

  /** The one error body of the API. */
  get body(): ApiErrorBody {
    const body = { message: this.message, code: this.code, error_code: this.errorCode }
    if (this.details !== undefined) return { ...body, details: { ...this.details } }
    return this.reason === undefined ? body : { ...body, details: { reason: this.reason } }
  }
}

const NO_SUCH = {
  message: 'There is no such message of this token.',
  lookup: 'There is no such lookup of this token.',
  sender: 'There is no such sender of this account.',
  operator: 'There is no operator with this id.',
  country: 'No mobile networks are known of this country. Write it as two letters (ISO 3166-1), such as LT.',
} as const

/** NOT_FOUND for what an address names and the caller does not have: the same words whether another has it, or nobody. */
export function noSuch(what: keyof typeof NO_SUCH): ApiError {
  return new ApiError('NOT_FOUND', { message: NO_SUCH[what] })
}

function sentenceOf(reason: RefusalReasonName | undefined): string | undefined {
  if (reason === undefined) return undefined
  const { field, fix } = REFUSAL_REASONS[reason]
  return field === null ? `The number ${fix}` : `Invalid value for field '${field}': it ${fix}`
}

function meaningOf(errorCode: VertexErrorCode | undefined): string | undefined {
  return errorCode === undefined ? undefined : VERTEX_ERROR_MEANINGS[errorCode]
}

import { API_ERRORS, type ApiErrorCode, type VertexErrorCode } from '@vertexsms/contract/api-errors'
import type { ApiErrorBody } from '@vertexsms/contract/rest'

/** What may vary in a refusal: a more precise sentence of ours, the numeric VertexSMS code, response headers. */
export interface ApiErrorDetails {
  readonly message?: string
  readonly errorCode?: VertexErrorCode
  readonly headers?: Readonly<Record<string, string>>
}

/** A refusal of the REST API under one code of the catalogue; its message never repeats a caller's value. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly code: ApiErrorCode
  readonly errorCode: VertexErrorCode | null
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ApiErrorCode, details: ApiErrorDetails = {}) {
    super(details.message ?? API_ERRORS[code].message)
    this.code = code
    this.errorCode = details.errorCode ?? null
    this.headers = details.headers ?? {}
  }

  /** The HTTP status of the code. */
  get status(): number {
    return API_ERRORS[this.code].status
  }

  /** The one error body of the API. */
  get body(): ApiErrorBody {
    return { message: this.message, code: this.code, error_code: this.errorCode }
  }
}

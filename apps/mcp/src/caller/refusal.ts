import { type AuthLinks, ERRORS, type ErrorCode, type ErrorEnvelope, errorEnvelope } from '@vertexsms/contract/errors'

/** What a refusal adds to its catalogue entry. */
export interface RefusalDetails {
  /** A more precise sentence of ours; never a value the caller sent. */
  readonly message?: string
  /** Status other than the catalogue's, as 403 for a missing permission. */
  readonly status?: number
  /** The whole value of `WWW-Authenticate`; absent where a challenge would mislead the client. */
  readonly challenge?: string
  readonly retryAfterSeconds?: number
  readonly links?: AuthLinks
}

/** The codes that stand at the HTTP edge. */
export type EdgeErrorCode = {
  [Code in ErrorCode]: (typeof ERRORS)[Code]['http'] extends number ? Code : never
}[ErrorCode]

/**
 * An answer at the HTTP edge instead of a JSON-RPC one: a catalogue code with its status, envelope and headers.
 * Thrown anywhere before the first byte of an answer, and turned into the response in one place.
 */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly code: EdgeErrorCode
  readonly status: number
  readonly challenge: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly envelope: ErrorEnvelope

  constructor(code: EdgeErrorCode, details: RefusalDetails = {}) {
    super(code)
    this.code = code
    this.status = details.status ?? ERRORS[code].http
    this.challenge = details.challenge
    this.retryAfterSeconds = details.retryAfterSeconds
    this.envelope = errorEnvelope(code, {
      ...(details.message === undefined ? {} : { message: details.message }),
      ...(details.links === undefined ? {} : { links: details.links }),
    })
  }
}

/** How long a client is asked to wait when the API or the signing keys cannot be reached. */
const UNAVAILABLE_RETRY_AFTER_SECONDS = 2

/** The answer when the API or the signing keys cannot be reached: never 401, which would wipe a login. */
export function unavailable(): Refusal {
  return new Refusal('UPSTREAM_UNAVAILABLE', { retryAfterSeconds: UNAVAILABLE_RETRY_AFTER_SECONDS })
}

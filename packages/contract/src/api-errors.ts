/** One error code of the REST API: its HTTP status and the sentence for the developer who reads it. */
export interface ApiErrorDefinition {
  readonly status: number
  readonly message: string
}

/**
 * The error codes of the REST API. Clients decide by `code`, never by `message`. A route may give a more
 * precise message; it never repeats a caller's value.
 */
export const API_ERRORS = {
  TOKEN_MISSING: {
    status: 401,
    message: 'No API token was sent. Put it in the X-VertexSMS-Token header, or in Authorization as a bearer token.',
  },
  TOKEN_INVALID: { status: 401, message: 'The API token is unknown, deleted or not meant for this API.' },
  TOKEN_EXPIRED: { status: 401, message: 'The API token has expired.' },
  IP_NOT_ALLOWED: { status: 401, message: 'The API token may not be used from this IP address.' },
  PERMISSION_MISSING: { status: 403, message: 'The API token may not call this route.' },
  INVALID_INPUT: { status: 400, message: 'The request is not valid.' },
  URL_NOT_ALLOWED: { status: 400, message: 'The callback URL must be a public https URL.' },
  SEND_REFUSED: { status: 400, message: 'The message was refused.' },
  LOOKUP_REFUSED: { status: 400, message: 'The lookup was refused.' },
  IDEMPOTENCY_KEY_INVALID: {
    status: 400,
    message: 'The Idempotency-Key must be 1 to 255 visible ASCII characters, bare or as a quoted string.',
  },
  CODE_WRONG: { status: 400, message: 'The confirmation code is wrong.' },
  CODE_EXPIRED: {
    status: 400,
    message: 'The confirmation code has expired or was tried too often. Register the number again.',
  },
  SPEND_CAP_REACHED: { status: 403, message: 'A spending limit would be passed. Nothing was sent.' },
  RECIPIENTS_REACHED: { status: 403, message: 'The limit of recipients a day would be passed. Nothing was sent.' },
  DESTINATION_NOT_ALLOWED: { status: 403, message: 'The limits do not allow this country. Nothing was sent.' },
  SENDER_NOT_ALLOWED: { status: 403, message: 'The limits do not allow this sender. Nothing was sent.' },
  CONNECTION_PAUSED: { status: 403, message: 'Spending is paused. Reading works; nothing was sent.' },
  APPROVAL_REQUIRED: {
    status: 403,
    message: 'The owner of the account must approve this send first. Nothing was sent.',
  },
  APPROVAL_REFUSED: { status: 403, message: 'The owner of the account refused this send. Nothing was sent.' },
  APPROVAL_EXPIRED: { status: 403, message: 'The approval of this send is over. Nothing was sent.' },
  PRICE_UNKNOWN: { status: 403, message: 'The price cannot be had, so no limit can be kept. Nothing was sent.' },
  PRICE_CHANGED: { status: 409, message: 'The price is higher than the most that was allowed. Nothing was sent.' },
  QUOTE_EXPIRED: {
    status: 409,
    message: 'The quote is over or is not for this send. Ask for another. Nothing was sent.',
  },
  TOO_MANY_WAITING: {
    status: 403,
    message:
      'Too many scheduled messages, or sends that wait for the approval of the owner, wait already. Nothing was sent or scheduled.',
  },
  ALREADY_HANDED_OVER: { status: 409, message: 'The message was handed over already and cannot be cancelled.' },
  SEND_IN_PROGRESS: {
    status: 409,
    message: 'The first request with this Idempotency-Key is still under way. Try again after the time in Retry-After.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    message: 'This Idempotency-Key was used for another request. Use a new key for a new request.',
  },
  NOT_FOUND: { status: 404, message: 'There is nothing under this address.' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'The route does not take this method.' },
  CONFLICT: { status: 409, message: 'The request conflicts with what is already there.' },
  TOO_LARGE: { status: 413, message: 'The request body is too large.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'Send the body as application/json.' },
  RATE_LIMITED: { status: 429, message: 'Too many requests. Try again after the time in Retry-After.' },
  INTERNAL: { status: 500, message: 'The request failed on our side.' },
  SEND_OUTCOME_UNKNOWN: {
    status: 500,
    message: 'The request was handed over and its outcome is not known. Do not repeat it; ask for its status.',
  },
  CALLBACK_ADDRESS_MISSING: {
    status: 501,
    message: 'Lookups need a public address for results: set REPORT_ADDRESS. Nothing was asked or charged.',
  },
  UPSTREAM_ACCOUNT_MISSING: {
    status: 403,
    message:
      'This account has no VertexSMS token yet. Its owner sets it in Settings -> Sending account. Nothing was sent.',
  },
  UPSTREAM_CHANGED: {
    status: 409,
    message: 'The VertexSMS token of this account was changed while the request was under way. Nothing was sent.',
  },
  UPSTREAM_ACCOUNT_REFUSED: {
    status: 502,
    message: 'VertexSMS refused the token of this account. Its owner must set it anew. Nothing was sent.',
  },
  UPSTREAM_ANSWER_WRONG: {
    status: 502,
    message:
      'VertexSMS answered in a way that makes no sense here. Nothing was sent. Whoever runs this installation must look into it.',
  },
  OUTCOME_UNKNOWN: {
    status: 504,
    message:
      'The answer of a part of ours was lost, so the request may have been carried out. Do not repeat it unseen.',
  },
  UNAVAILABLE: { status: 503, message: 'The service cannot answer at the moment. Try again shortly.' },
} as const satisfies Record<string, ApiErrorDefinition>

/** Said under TOKEN_INVALID for a token whose checksum or length is not one of ours. */
export const TOKEN_MISTYPED_MESSAGE =
  'The API token was mistyped or not copied whole: its checksum does not fit. Copy it again from where you keep it.'

/** One code of {@link API_ERRORS}. */
export type ApiErrorCode = keyof typeof API_ERRORS

/** The numeric codes of delivery reports and HLR results, global for the service. */
export const VERTEX_ERROR_CODES = {
  NONE: 0,
  ILLEGAL_SUBSCRIBER: 1,
  NOT_DELIVERED: 2,
  NOT_CONFIGURED: 20,
  BLOCKED_BY_FILTER: 21,
  DUPLICATE: 22,
  NUMBER_LIMIT: 23,
  BALANCE_LIMIT: 24,
  HLR_SUBSCRIBER_UNKNOWN: 40,
  HLR_SMS_BARRED: 41,
  HLR_ABSENT: 43,
  HLR_OTHER: 51,
  INVALID_MSISDN: 53,
  UNKNOWN: 999,
} as const

/** One numeric VertexSMS code. */
export type VertexErrorCode = (typeof VERTEX_ERROR_CODES)[keyof typeof VERTEX_ERROR_CODES]

/** True for one of the numeric codes. */
export function isVertexErrorCode(code: number): code is VertexErrorCode {
  return Object.hasOwn(VERTEX_ERROR_MEANINGS, code)
}

/** Codes under which a message or a lookup is refused before it is accepted; the others come with its report. */
export const NEVER_ACCEPTED_CODES: ReadonlySet<number> = new Set<VertexErrorCode>([20, 21, 22, 23, 24, 53])

/** What each numeric code means, and where somebody can do something about it what that is, in words for a person. */
export const VERTEX_ERROR_MEANINGS: Readonly<Record<VertexErrorCode, string>> = {
  0: 'No error.',
  1: 'The number does not belong to a subscriber.',
  2: 'Not delivered before the validity time ended.',
  20: 'The country or operator is not configured for the account. Ask VertexSMS to open it.',
  21: 'Blocked by a filter. The same text to the same number will be blocked again.',
  22: 'A duplicate of a message just sent. Do not send it again.',
  23: 'The limit of messages to one number is reached. Wait before sending to it again.',
  24: 'The account balance limit is reached. The owner of the account has to top it up.',
  40: 'HLR: the subscriber is unknown.',
  41: 'HLR: SMS is barred for the subscriber.',
  43: 'HLR: the subscriber is absent.',
  51: 'HLR: the lookup failed.',
  53: 'The phone number is not valid.',
  999: 'Unknown error.',
}

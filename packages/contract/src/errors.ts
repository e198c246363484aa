// The catalogue of errors, whole: one table, read from top to bottom, and what the API's codes are called in it.
import * as z from 'zod'
import { API_ERRORS, type ApiErrorCode } from './api-errors.ts'
import { APPROVAL_GOOD_SECONDS } from './approval.ts'
import { QUOTE_SECONDS } from './sending.ts'

/** One error code of the MCP server. */
export interface ErrorDefinition {
  /** The status of an answer at the HTTP edge; null for a code that never stands there. */
  readonly http: number | null
  /** True for a code that appears in a tool result with `isError`. Some codes appear as both. */
  readonly tool: boolean
  /** True when the same call may succeed later, unchanged. */
  readonly retryable: boolean
  /** The sentence for the person, and all that reaches the model. Names of addresses in it stand for those of `details`. */
  readonly message: string
  /** What to do about it. */
  readonly fix: string
}

/**
 * The error catalogue of the MCP server: the only place where a code, its status and its text are defined.
 * `docs/errors.md` is generated from it.
 */
export const ERRORS = {
  AUTH_REQUIRED: {
    http: 401,
    tool: false,
    retryable: false,
    message:
      'A VertexSMS API token is required. Connect VertexSMS in your client, or send `Authorization: Bearer <token>` with a token from Settings -> API.',
    fix: 'Connect with OAuth, or put an API token into the Authorization header.',
  },
  AUTH_INVALID: {
    http: 401,
    tool: false,
    retryable: false,
    message:
      'The token was rejected: it is unknown, expired, deleted, or may not be used from this address. Connect VertexSMS again.',
    fix: 'Connect again, or make a new token on Settings -> API. Where the status is 403 the token lacks a permission: reconnect and tick it.',
  },
  RATE_LIMITED: {
    http: 429,
    tool: true,
    retryable: true,
    message: 'Too many requests. Wait for the time in Retry-After, then try again.',
    fix: 'Slow down; the Retry-After header says for how long.',
  },
  INVALID_INPUT: {
    http: null,
    tool: true,
    retryable: false,
    message: 'The arguments are not valid.',
    fix: 'Correct the named argument and call again.',
  },
  NOT_FOUND: {
    http: 404,
    tool: true,
    retryable: false,
    message: 'There is nothing under this id on the account.',
    fix: 'Check the id; ids belong to one account. Where the status is 404 the address is not that of the MCP server, which the message names.',
  },
  VERTEX_SEND_FAILED: {
    http: null,
    tool: true,
    retryable: false,
    message: 'VertexSMS refused the message.',
    fix: 'vertex_error_code says why; change the message, the sender or the recipient.',
  },
  UPSTREAM_UNAVAILABLE: {
    http: 503,
    tool: true,
    retryable: true,
    message: 'VertexSMS cannot be reached at the moment. Nothing was done. Try again shortly.',
    fix: 'Try again after the time in Retry-After.',
  },
  UPSTREAM_TIMEOUT: {
    http: null,
    tool: true,
    retryable: true,
    message: 'VertexSMS did not answer in time. Nothing was sent or charged. Try again.',
    fix: 'Try again; the call changes nothing on the account.',
  },
  SPEND_CAP_REACHED: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'A spending limit of this connection or account would be passed. Nothing was sent. Tell the person; only they can raise the limit, under manageUrl.',
    fix: 'Wait until resetsAt, send less, or have the owner raise the limit under manageUrl.',
  },
  RECIPIENTS_REACHED: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'The limit of recipients a day would be passed. Nothing was sent. Tell the person; only they can raise the limit, under manageUrl.',
    fix: 'Wait until resetsAt, name fewer recipients, or have the owner raise the limit under manageUrl.',
  },
  DESTINATION_NOT_ALLOWED: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'The owner does not allow messages to this country. Nothing was sent. Tell the person; only they can allow it, under manageUrl.',
    fix: 'Have the owner add the country under manageUrl.',
  },
  SENDER_NOT_ALLOWED: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'The owner does not allow this sender. Nothing was sent. Tell the person; only they can allow it, under manageUrl.',
    fix: 'Use a sender that the owner allows, or have the owner add it under manageUrl.',
  },
  CONNECTION_PAUSED: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'Spending is paused for this connection or account. Nothing was sent; reading still works. Tell the person; only they can resume it, under manageUrl.',
    fix: 'Have the owner look at the activity and resume under manageUrl.',
  },
  APPROVAL_REQUIRED: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'The owner of the account must approve this send first. Nothing was sent. Give the person approvalUrl, and make the same call again once they have approved.',
    fix: `Open approvalUrl, decide, then make the same call again within ${APPROVAL_GOOD_SECONDS / 60} minutes.`,
  },
  APPROVAL_REFUSED: {
    http: null,
    tool: true,
    retryable: false,
    message: 'The owner of the account refused this send. Nothing was sent. Do not ask again in other words.',
    fix: 'Ask the owner why; a different send is asked anew.',
  },
  APPROVAL_EXPIRED: {
    http: null,
    tool: true,
    retryable: false,
    message: 'The approval of this send was not given or not used in time. Nothing was sent. The same call asks anew.',
    fix: 'Make the call again and have the owner decide within a day.',
  },
  PRICE_UNKNOWN: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'The price of this call cannot be had, so the limits cannot be kept. Nothing was sent or charged. Tell the person; the owner can change that at manageUrl: for a lookup by saying what one costs.',
    fix: 'For a lookup, have the owner set its price in Settings -> Sending account, or the operator with `upstream EMAIL --hlr-price EUR`; for a message try again later, or have the owner remove the limit under manageUrl.',
  },
  PRICE_CHANGED: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'The price is higher than the most that was allowed for this send. Nothing was sent. Tell the person the new price.',
    fix: 'Ask for a new quote, or allow more with maxPrice.',
  },
  QUOTE_EXPIRED: {
    http: null,
    tool: true,
    retryable: false,
    message: 'The quote is over, or is for another send. Nothing was sent. Ask for a new one with dryRun.',
    fix: `Call again with dryRun: true and use the new quoteId within ${QUOTE_SECONDS / 60} minutes.`,
  },
  TOO_MANY_WAITING: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'Too much waits already: scheduled messages for their time, or sends for the approval of the owner. Nothing was sent or scheduled. Tell the person; they see what waits under manageUrl.',
    fix: 'Wait until some were sent or decided, or cancel some (DELETE /sms/{id}).',
  },
  SEND_IN_PROGRESS: {
    http: null,
    tool: true,
    retryable: true,
    message:
      'The same request is still under way. Nothing more was sent. Call again in a few seconds with the same idempotencyKey.',
    fix: 'Call again with the same idempotencyKey.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    http: null,
    tool: true,
    retryable: false,
    message: 'This idempotencyKey was used for another request. Nothing was sent. Use a new key for a new message.',
    fix: 'Use a new idempotencyKey for a new message, the same one only for the same call.',
  },
  UPSTREAM_ACCOUNT_MISSING: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'This account has no VertexSMS token yet. Nothing was sent or charged. Tell the person; only the owner can set it, in Settings -> Sending account on the dashboard, at manageUrl.',
    fix: 'Have the owner set the token in Settings -> Sending account, on the dashboard.',
  },
  UPSTREAM_CHANGED: {
    http: null,
    tool: true,
    retryable: true,
    message:
      'The VertexSMS token of this account was changed while the request was under way. Nothing was sent or charged. Call again, with a new quote where there was one.',
    fix: 'Call again.',
  },
  UPSTREAM_ACCOUNT_REFUSED: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'VertexSMS refused the token that the owner set for this account. Nothing was sent or charged. Tell the person; only the owner can set it anew, on the dashboard.',
    fix: 'Have the owner set the token of the VertexSMS account anew, on the dashboard.',
  },
  UPSTREAM_ANSWER_WRONG: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'VertexSMS answered in a way that makes no sense here. Nothing was sent or charged. Calling again will not help; tell the person.',
    fix: 'Have whoever runs the installation check VERTEXSMS_API_URL and the log.',
  },
  CALLBACK_ADDRESS_MISSING: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'Lookups cannot be made here: this installation has no public address for their results. Nothing was asked or charged.',
    fix: 'Have whoever runs the installation set REPORT_ADDRESS.',
  },
  SEND_OUTCOME_UNKNOWN: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'The request was handed over, but the answer was lost, so it may have been carried out. Do not repeat it; ask the person to check.',
    fix: 'Have the person find out from the recipient, or by the delivery report, whether it arrived before anything is sent again.',
  },
  INTERNAL: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'Something went wrong on our side. Do not repeat the call; tell the person, who can ask whoever runs the server.',
    fix: 'Report it with the request id of the response.',
  },
} as const satisfies Record<string, ErrorDefinition>

/** One code of the catalogue. */
export type ErrorCode = keyof typeof ERRORS

/** How the MCP server tells a code of the REST API. */
export interface ToldCode {
  readonly code: ErrorCode
  /** A sentence that says more than the one of the catalogue. */
  readonly message?: string
}

const MADE_WRONG = { code: 'INTERNAL' } as const

/** What the MCP server says for each code of the REST API: a code with no entry here does not compile. */
export const TOLD_CODES = {
  TOKEN_MISSING: { code: 'AUTH_INVALID' },
  TOKEN_INVALID: { code: 'AUTH_INVALID' },
  TOKEN_EXPIRED: { code: 'AUTH_INVALID' },
  IP_NOT_ALLOWED: { code: 'AUTH_INVALID' },
  PERMISSION_MISSING: { code: 'AUTH_INVALID' },
  INVALID_INPUT: { code: 'INVALID_INPUT', message: 'VertexSMS refused the arguments as not valid.' },
  URL_NOT_ALLOWED: { code: 'INVALID_INPUT', message: 'The URL must be a public https URL.' },
  SEND_REFUSED: { code: 'VERTEX_SEND_FAILED' },
  LOOKUP_REFUSED: { code: 'VERTEX_SEND_FAILED', message: 'VertexSMS refused the lookup.' },
  IDEMPOTENCY_KEY_INVALID: {
    code: 'INVALID_INPUT',
    message: 'Argument `idempotencyKey`: must be 1 to 255 visible ASCII characters.',
  },
  CODE_WRONG: { code: 'INVALID_INPUT', message: API_ERRORS.CODE_WRONG.message },
  CODE_EXPIRED: { code: 'INVALID_INPUT', message: API_ERRORS.CODE_EXPIRED.message },
  SPEND_CAP_REACHED: { code: 'SPEND_CAP_REACHED' },
  RECIPIENTS_REACHED: { code: 'RECIPIENTS_REACHED' },
  DESTINATION_NOT_ALLOWED: { code: 'DESTINATION_NOT_ALLOWED' },
  SENDER_NOT_ALLOWED: { code: 'SENDER_NOT_ALLOWED' },
  CONNECTION_PAUSED: { code: 'CONNECTION_PAUSED' },
  APPROVAL_REQUIRED: { code: 'APPROVAL_REQUIRED' },
  APPROVAL_REFUSED: { code: 'APPROVAL_REFUSED' },
  APPROVAL_EXPIRED: { code: 'APPROVAL_EXPIRED' },
  PRICE_UNKNOWN: { code: 'PRICE_UNKNOWN' },
  PRICE_CHANGED: { code: 'PRICE_CHANGED' },
  QUOTE_EXPIRED: { code: 'QUOTE_EXPIRED' },
  TOO_MANY_WAITING: { code: 'TOO_MANY_WAITING' },
  ALREADY_HANDED_OVER: { code: 'INVALID_INPUT', message: API_ERRORS.ALREADY_HANDED_OVER.message },
  SEND_IN_PROGRESS: { code: 'SEND_IN_PROGRESS' },
  IDEMPOTENCY_KEY_REUSED: { code: 'IDEMPOTENCY_KEY_REUSED' },
  NOT_FOUND: { code: 'NOT_FOUND' },
  METHOD_NOT_ALLOWED: MADE_WRONG,
  CONFLICT: { code: 'INVALID_INPUT', message: 'The request conflicts with what is already on the account.' },
  TOO_LARGE: { code: 'INVALID_INPUT', message: 'The arguments are too large.' },
  UNSUPPORTED_MEDIA_TYPE: MADE_WRONG,
  RATE_LIMITED: { code: 'RATE_LIMITED' },
  INTERNAL: { code: 'INTERNAL' },
  SEND_OUTCOME_UNKNOWN: { code: 'SEND_OUTCOME_UNKNOWN' },
  CALLBACK_ADDRESS_MISSING: { code: 'CALLBACK_ADDRESS_MISSING' },
  UPSTREAM_ACCOUNT_MISSING: { code: 'UPSTREAM_ACCOUNT_MISSING' },
  UPSTREAM_CHANGED: { code: 'UPSTREAM_CHANGED' },
  UPSTREAM_ACCOUNT_REFUSED: { code: 'UPSTREAM_ACCOUNT_REFUSED' },
  UPSTREAM_ANSWER_WRONG: { code: 'UPSTREAM_ANSWER_WRONG' },
  OUTCOME_UNKNOWN: { code: 'SEND_OUTCOME_UNKNOWN' },
  UNAVAILABLE: { code: 'UPSTREAM_UNAVAILABLE' },
} as const satisfies Record<ApiErrorCode, ToldCode>

/** How a code that came from the REST API is told; `INTERNAL` for one that is not of its catalogue. */
export function toldCode(code: string): ToldCode {
  return Object.hasOwn(TOLD_CODES, code) ? TOLD_CODES[code as ApiErrorCode] : MADE_WRONG
}

/** The words of the catalogue for a wait whose length it cannot know. */
const SOME_TIME = /(?:for the time in Retry-After|shortly|in a few seconds)/

/** The sentence of a code; where it asks to wait and is told for how many seconds, it says them. */
export function waitSentence(code: ErrorCode, retryAfterSeconds: number | null): string {
  const { message } = ERRORS[code]
  if (retryAfterSeconds === null) return message
  const time = `${retryAfterSeconds} second${retryAfterSeconds === 1 ? '' : 's'}`
  return message.replace(SOME_TIME, (words) => (words.startsWith('for') ? time : `in ${time}`))
}

/** Where a person is sent on authentication errors; every host is configuration. */
export interface AuthLinks {
  readonly signup_url: string
  readonly signin_url: string
  readonly token_url: string
}

/** The one envelope of every failure, at the HTTP edge and inside a tool result. */
export const errorEnvelopeSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    retryable: z.boolean(),
    vertex_error_code: z.int().nullable().optional(),
    /** What the code comes with, in the closed form that limits.ts gives it. */
    details: z.record(z.string(), z.unknown()).optional(),
    signup_url: z.string().optional(),
    signin_url: z.string().optional(),
    token_url: z.string().optional(),
  }),
})

/** The parsed form of {@link errorEnvelopeSchema}. */
export type ErrorEnvelope = z.infer<typeof errorEnvelopeSchema>

/** What may vary in an envelope: a more precise sentence of ours, and the numeric VertexSMS code. */
export interface EnvelopeDetails {
  readonly message?: string
  readonly vertexErrorCode?: number | null
  readonly details?: Readonly<Record<string, unknown>> | undefined
  readonly links?: AuthLinks
}

/** Addresses for the person, which the sentence says in full where the details have them. */
const ADDRESSES = /(?:\bunder )?\b(manageUrl|approvalUrl)\b/g

/** What stands for one that is not known, as beside a recipient of a list that was stopped, and in a quote. */
const UNKNOWN_ADDRESS: Readonly<Record<string, string>> = {
  manageUrl: 'on the dashboard',
  approvalUrl: 'the link that the send itself gives',
}

/**
 * The envelope of one catalogue code. `AUTH_REQUIRED` has exactly the members of the public example;
 * every other code also carries `vertex_error_code`.
 */
export function errorEnvelope(code: ErrorCode, told: EnvelopeDetails = {}): ErrorEnvelope {
  const { retryable, message } = ERRORS[code]
  const { details } = told
  return {
    error: {
      code,
      message: (told.message ?? message).replace(ADDRESSES, (words: string, name: string) =>
        typeof details?.[name] === 'string'
          ? words.replace(name, () => String(details[name]))
          : (UNKNOWN_ADDRESS[name] ?? words),
      ),
      retryable,
      ...(code === 'AUTH_REQUIRED' ? {} : { vertex_error_code: told.vertexErrorCode ?? null }),
      ...(details === undefined ? {} : { details: { ...details } }),
      ...told.links,
    },
  }
}

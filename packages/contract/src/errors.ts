import { z } from 'zod'

/** One error code of the MCP server. */
export interface ErrorDefinition {
  /** The status of an answer at the HTTP edge; null for a code that never stands there. */
  readonly http: number | null
  /** True for a code that appears in a tool result with `isError`. Some codes appear as both. */
  readonly tool: boolean
  /** True when the same call may succeed later, unchanged. */
  readonly retryable: boolean
  /** The sentence for the person, and all that reaches the model. */
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
    http: null,
    tool: true,
    retryable: false,
    message: 'There is nothing under this id on the account.',
    fix: 'Check the id; ids belong to one account.',
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
  APPROVAL_REQUIRED: {
    http: null,
    tool: true,
    retryable: false,
    message:
      'A person must approve this call because of its price, and this client cannot ask. Nothing was done. Ask the person to connect a client that can ask, or make calls that each cost less.',
    fix: 'Use a client that can ask the person (elicitation, revision 2026-07-28), or a call below the threshold.',
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
    message: 'Something went wrong on our side.',
    fix: 'Report it with the request id of the response.',
  },
} as const satisfies Record<string, ErrorDefinition>

/** One code of the catalogue. */
export type ErrorCode = keyof typeof ERRORS

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
  readonly links?: AuthLinks
}

/**
 * The envelope of one catalogue code. `AUTH_REQUIRED` has exactly the members of the public example;
 * every other code also carries `vertex_error_code`.
 */
export function errorEnvelope(code: ErrorCode, details: EnvelopeDetails = {}): ErrorEnvelope {
  const { retryable, message } = ERRORS[code]
  return {
    error: {
      code,
      message: details.message ?? message,
      retryable,
      ...(code === 'AUTH_REQUIRED' ? {} : { vertex_error_code: details.vertexErrorCode ?? null }),
      ...details.links,
    },
  }
}

import { readAllowListEntry } from '@vertexsms/contract/ip-allow-list'
import { API_KEY_PURPOSES, derivedKeysSchema } from '@vertexsms/secrets/derived-keys'
import {
  databaseEnv,
  issuerUrlSchema,
  listenHostSchema,
  millisecondsSchema,
  outboundEnv,
  perMinuteSchema,
  portSchema,
  publicUrlSchema,
  readEnv,
  secretSchema,
  serviceEnv,
  upstreamSchema,
} from '@vertexsms/service/env'
import * as z from 'zod'

/** Addresses and CIDR blocks, separated by commas. */
const addressListSchema = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .refine(
    (entries) => entries.every((entry) => readAllowListEntry(entry) !== null),
    'must be IP addresses and CIDR blocks, separated by commas',
  )

const schema = z.object({
  ...serviceEnv,
  ...outboundEnv,
  ...databaseEnv,
  API_PORT: portSchema.default(4002),
  /** Where the authorization server asks. Never published; without it nothing listens there. */
  API_INTERNAL_PORT: portSchema.optional(),
  /** On which address; `HOST` if unset. */
  API_INTERNAL_HOST: listenHostSchema.optional(),
  /** `iss` of the access tokens that are taken. */
  ISSUER_URL: issuerUrlSchema.default('http://localhost:4000'),
  /** This API's own identifier, as it stands in `aud`. */
  API_RESOURCE_URL: publicUrlSchema.default('http://localhost:4002'),
  /** Shared with the MCP server, which proves itself by it. */
  EDGE_SECRET: secretSchema,
  /** Keys for single purposes, derived from the operator key, which this service is never given. */
  API_KEYS: derivedKeysSchema(API_KEY_PURPOSES),
  OPERATOR_KEY: z.undefined({ error: 'is for auth alone; this service takes API_KEYS' }).optional(),
  /** Failed look-ups of tokens made by hand, for one address; the MCP server counts its own callers by the same rule. */
  FAILURES_PER_MINUTE: perMinuteSchema.default(120),
  /** What is with the upstream at the signal to stop may take so long: its time, and some more to settle. */
  STOP_WITHIN_MS: millisecondsSchema(1_000).default(20_000),
  /** From sending to the delivery report, from an HLR request to its result, from a name to the end of its review. */
  SANDBOX_DELIVERY_MS: millisecondsSchema().default(1_500),
  SANDBOX_HLR_MS: millisecondsSchema().default(1_000),
  SANDBOX_REVIEW_MS: millisecondsSchema().default(3_000),
  /** What stands behind the guard: the simulated operator, or the real one with each account's own token. */
  UPSTREAM: upstreamSchema.default('sandbox'),
  VERTEXSMS_API_URL: publicUrlSchema.default('https://api.vertexsms.com'),
  /** To take a message, all in all; and for everything that only reads. */
  VERTEXSMS_SEND_TIMEOUT_MS: millisecondsSchema(100).default(15_000),
  VERTEXSMS_COST_TIMEOUT_MS: millisecondsSchema(100).default(8_000),
  /** From a message to the first question what became of it, where the operator cannot tell us by himself. */
  VERTEXSMS_ASK_AFTER_MS: millisecondsSchema(10).default(5_000),
  /** The public URL of this API under which the real operator reports; without one lookups cannot be made. */
  REPORT_ADDRESS: publicUrlSchema.optional(),
  /** From where reports are taken; from everywhere when absent, for their addresses are signed. */
  REPORT_SOURCES: addressListSchema.optional(),
  /** The longest time between two looks at what is due. */
  SANDBOX_POLL_MS: millisecondsSchema(10).default(1_000),
})

/** The settings of the API. */
export type ApiEnv = z.output<typeof schema>

/** Reads the settings. Throws ConfigurationError naming everything that is missing or wrong. */
export function readApiEnv(source?: Record<string, string | undefined>): ApiEnv {
  return readEnv(schema, source)
}

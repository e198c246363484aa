import { OAUTH_PATHS } from '@vertexsms/contract/oauth-paths'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import {
  issuerUrlSchema,
  millisecondsSchema,
  onOffSchema,
  perMinuteSchema,
  portSchema,
  publicUrlSchema,
  readEnv,
  secretSchema,
  serviceEnv,
  urlSchema,
} from '@vertexsms/service/env'
import * as z from 'zod'
import { DELIVERY_WAIT_MAX_MS } from './api/timeouts.ts'

const list = (isEntry: (entry: string) => boolean, expected: string) =>
  z
    .string()
    .default('')
    .transform((value) => value.split(/[\s,]+/).filter((entry) => entry !== ''))
    .refine((entries) => entries.every(isEntry), expected)

/** As a browser writes it in `Origin`; anything else would never match. */
const isOrigin = (entry: string) => /^https?:\/\//.test(entry) && URL.canParse(entry) && new URL(entry).origin === entry

/** As it stands in a URL, without a port. */
const isHostName = (entry: string) =>
  /^[a-z0-9.:[\]-]+$/.test(entry) && URL.canParse(`http://${entry}`) && new URL(`http://${entry}`).hostname === entry

const schema = z.object({
  ...serviceEnv,
  MCP_PORT: portSchema.default(4001),
  /** The URL people type into their client, byte for byte: the `resource` of the metadata and an audience of every JWT. */
  MCP_RESOURCE_URL: publicUrlSchema.default('http://localhost:4001/mcp'),
  ISSUER_URL: issuerUrlSchema.default('http://localhost:4000'),
  /** Where the signing keys are read; internal, so it may differ from the public issuer. */
  JWKS_URL: urlSchema.optional(),
  API_URL: urlSchema.default('http://localhost:4002'),
  EDGE_SECRET: secretSchema,
  ALLOWED_ORIGINS: list(isOrigin, 'must be origins such as https://app.example, without a path, separated by commas'),
  /** Host names beside the resource URL's own under which a proxy in front may call. */
  ALLOWED_HOSTS: list(
    isHostName,
    'must be host names such as mcp.example, without scheme or port, separated by commas',
  ),
  SIGNUP_URL: urlSchema.optional(),
  SIGNIN_URL: urlSchema.optional(),
  TOKEN_URL: urlSchema.optional(),
  DOCUMENTATION_URL: urlSchema.default('https://vertexsms.com/en/mcp/authentication'),
  /** Whether the server card and the AI catalogue are served: both are drafts. */
  DISCOVERY: onOffSchema.default(false),
  /** How long `send_sms` waits for delivery reports where it is asked to. */
  DELIVERY_WAIT_MS: millisecondsSchema(1, DELIVERY_WAIT_MAX_MS).default(DELIVERY_WAIT_MAX_MS),
  /** This and the next: see `docs/limits.md`. */
  CALLS_PER_MINUTE: perMinuteSchema.default(600),
  FAILURES_PER_MINUTE: perMinuteSchema.default(120),
})

/**
 * The configuration of the MCP server. The three links for people default to the authorization server's pages.
 * Throws ConfigurationError naming every wrong or missing variable.
 */
export function readConfig(source?: Record<string, string | undefined>) {
  const env = readEnv(schema, source)
  return {
    ...env,
    JWKS_URL: env.JWKS_URL ?? `${env.ISSUER_URL}${OAUTH_PATHS.jwks}`,
    SIGNUP_URL: env.SIGNUP_URL ?? `${env.ISSUER_URL}${PAGE_PATHS.requestAccess}`,
    SIGNIN_URL: env.SIGNIN_URL ?? `${env.ISSUER_URL}${PAGE_PATHS.signIn}`,
    TOKEN_URL: env.TOKEN_URL ?? `${env.ISSUER_URL}${PAGE_PATHS.tokens}`,
  }
}

/** The parsed configuration. */
export type Config = ReturnType<typeof readConfig>

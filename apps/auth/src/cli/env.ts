import { keySchema } from '@vertexsms/secrets/key'
import { databaseEnv, readEnv, upstreamSchema, urlSchema, waitSchema } from '@vertexsms/service/env'
import * as z from 'zod'
import { accessTokenSecondsSchema, ownIssuerSchema } from '../env.ts'

/** No request waits for a command: it gives a machine that is out of breath this long, where a service would turn away. */
const PATIENCE_MS = 20_000

/** What every command reads: where the database is, and the public address that links begin with. */
export function readCliEnv(source?: Record<string, string | undefined>) {
  return readEnv(
    z.object({
      ...databaseEnv,
      DATABASE_CONNECT_TIMEOUT_MS: waitSchema.default(PATIENCE_MS),
      DATABASE_STATEMENT_TIMEOUT_MS: waitSchema.default(PATIENCE_MS),
      DATABASE_LOCK_TIMEOUT_MS: waitSchema.default(PATIENCE_MS),
      ISSUER_URL: ownIssuerSchema,
    }),
    source,
  )
}

/** What every command reads besides that seals, opens or derives something; how long access tokens live, for a rotation. */
export function readKeysEnv(source?: Record<string, string | undefined>) {
  return readEnv(z.object({ OPERATOR_KEY: keySchema, ACCESS_TOKEN_SECONDS: accessTokenSecondsSchema }), source)
}

/** What the commands about the account's own token at the operator read besides. */
export function readUpstreamEnv(source?: Record<string, string | undefined>) {
  return readEnv(z.object({ OPERATOR_KEY: keySchema, API_INTERNAL_URL: urlSchema.optional() }), source)
}

/** What the command that makes the demo account reads besides. */
export function readSeedEnv(source?: Record<string, string | undefined>) {
  return readEnv(z.object({ UPSTREAM: upstreamSchema.default('sandbox') }), source)
}

import { databaseEnv, issuerUrlSchema, keySchema, readEnv, urlSchema } from '@vertexsms/service/env'
import { z } from 'zod'
import { accessTokenSecondsSchema } from '../env.ts'

/** What every command reads: where the database is, and the public address that links begin with. */
export function readCliEnv(source?: Record<string, string | undefined>) {
  return readEnv(z.object({ ...databaseEnv, ISSUER_URL: issuerUrlSchema.default('http://localhost:4000') }), source)
}

/** What the commands about signing keys read besides. */
export function readKeysEnv(source?: Record<string, string | undefined>) {
  return readEnv(
    z.object({ OPERATOR_KEY: keySchema, ACCESS_TOKEN_SECONDS: accessTokenSecondsSchema.default(600) }),
    source,
  )
}

/** What the commands about the account's own token at the operator read besides. */
export function readUpstreamEnv(source?: Record<string, string | undefined>) {
  return readEnv(z.object({ OPERATOR_KEY: keySchema, API_INTERNAL_URL: urlSchema.optional() }), source)
}

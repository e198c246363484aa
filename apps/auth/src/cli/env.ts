import { databaseEnv, keySchema, readEnv, secondsSchema, urlSchema } from '@vertexsms/service/env'
import { z } from 'zod'

/** What every command reads: where the database is, and the public address that links begin with. */
export function readCliEnv(source?: Record<string, string | undefined>) {
  return readEnv(z.object({ ...databaseEnv, ISSUER_URL: urlSchema.default('http://localhost:4000') }), source)
}

/** What the commands about signing keys read besides. */
export function readKeysEnv(source?: Record<string, string | undefined>) {
  return readEnv(z.object({ OPERATOR_KEY: keySchema, ACCESS_TOKEN_SECONDS: secondsSchema.default(600) }), source)
}

import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { millisecondsSchema, portSchema, readEnv } from '@vertexsms/service/env'
import { z } from 'zod'

/** The launcher's own settings; everything else in the environment goes on to the apps. Throws ConfigurationError. */
export function readSettings() {
  const env = readEnv(
    z.object({
      AUTH_PORT: portSchema.default(4000),
      MCP_PORT: portSchema.default(4001),
      API_PORT: portSchema.default(4002),
      DATA_DIR: z.string().default('.data'),
      HOST: z.string().default('127.0.0.1'),
      DEMO_RESTART_DELAY_MS: millisecondsSchema.default(10_000),
    }),
  )
  return { ...env, DATA_DIR: resolve(env.DATA_DIR) }
}

export type Settings = ReturnType<typeof readSettings>

const secretsSchema = z.object({ operatorKey: z.string(), edgeSecret: z.string() })

/** The secrets of this installation: made once, kept in the data folder with mode 0600, the same at each start. */
export function keepSecrets(folder: string): z.infer<typeof secretsSchema> {
  const file = join(folder, 'secrets.json')
  if (existsSync(file)) return secretsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  const secret = () => randomBytes(32).toString('base64url')
  const secrets = { operatorKey: secret(), edgeSecret: secret() }
  // Renamed into place: a stop in the middle leaves no half file.
  writeFileSync(`${file}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 })
  chmodSync(`${file}.new`, 0o600)
  renameSync(`${file}.new`, file)
  return secrets
}

/** The file that holds the demo account's e-mail, password and token; written by the auth app's own command. */
export function credentialsFile(folder: string): string {
  return join(folder, 'credentials.json')
}

/** What `seed-demo` keeps there. */
export function readCredentials(folder: string): { email: string; password: string; token: string } {
  const schema = z.object({ email: z.string(), password: z.string(), token: z.string() })
  return schema.parse(JSON.parse(readFileSync(credentialsFile(folder), 'utf8')))
}

/** Forgets secrets and credentials. Only files of ours: the folder may hold others. */
export function forget(folder: string): void {
  for (const file of [join(folder, 'secrets.json'), credentialsFile(folder)]) rmSync(file, { force: true })
}

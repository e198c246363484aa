import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { MANUAL_TOKEN_PREFIX } from '@vertexsms/contract/api-token'
import { readHlrPrice, UPSTREAM_TOKEN_PATTERN } from '@vertexsms/contract/upstream-account'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { ConfigurationError, millisecondsSchema, portSchema, readEnv, upstreamSchema } from '@vertexsms/service/env'
import * as z from 'zod'

/** The addresses are printed before anything listens, so none can be left to the system. */
const ownPortSchema = portSchema.refine((port) => port !== 0, 'must be a whole number from 1 to 65535')

/** The launcher's own settings; everything else in the environment goes on to the apps. Throws ConfigurationError. */
export function readSettings(source?: Record<string, string | undefined>) {
  const env = readEnv(
    z.object({
      AUTH_PORT: ownPortSchema.default(4000),
      MCP_PORT: ownPortSchema.default(4001),
      API_PORT: ownPortSchema.default(4002),
      DATA_DIR: z.string().default('.data'),
      HOST: z.string().default('127.0.0.1'),
      /** Of the real account of the one person whose demo it is; real SMS are sent and paid. Goes to no service. */
      VERTEXSMS_TOKEN: z
        .string()
        .regex(UPSTREAM_TOKEN_PATTERN, 'must be 12 to 512 letters, digits and signs, without spaces')
        .refine(
          (text) => !text.startsWith(MANUAL_TOKEN_PREFIX),
          'is a token of this product; it takes one of VertexSMS',
        )
        .optional(),
      /** What a lookup costs there. */
      VERTEXSMS_HLR_PRICE_EUR: z
        .string()
        .refine((text) => readHlrPrice(text) !== null, 'must be an amount in EUR up to 100, such as 0.0035')
        .optional(),
      UPSTREAM: upstreamSchema.optional(),
      /** Where the services write their log lines; in the data folder if unset. */
      DEMO_LOG_FILE: z.string().optional(),
      /** Apps of a launcher that was killed end within five seconds, and only then give their ports back. */
      DEMO_PORT_WAIT_MS: millisecondsSchema().default(6_000),
      DEMO_RESTART_DELAY_MS: millisecondsSchema().default(10_000),
      /** Where the services stand as bundles (`bundleForTests`); started from their sources if unset. */
      DEMO_PROGRAMS_DIR: z.string().optional(),
    }),
    source,
  )
  const { AUTH_PORT, MCP_PORT, API_PORT } = env
  if (new Set([AUTH_PORT, MCP_PORT, API_PORT]).size < 3) {
    throw new ConfigurationError(['AUTH_PORT, MCP_PORT, API_PORT: each must be a port of its own'])
  }
  if (env.VERTEXSMS_TOKEN !== undefined && env.UPSTREAM === 'sandbox') {
    throw new ConfigurationError(['VERTEXSMS_TOKEN: set together with UPSTREAM=sandbox, which needs none; choose one'])
  }
  const folder = resolve(env.DATA_DIR)
  return { ...env, DATA_DIR: folder, DEMO_LOG_FILE: resolve(env.DEMO_LOG_FILE ?? join(folder, 'demo.log')) }
}

export type Settings = ReturnType<typeof readSettings>

/** True where messages go to VertexSMS: for its token, or because the installation is told so. */
export function isReal({ VERTEXSMS_TOKEN, UPSTREAM }: Pick<Settings, 'VERTEXSMS_TOKEN' | 'UPSTREAM'>): boolean {
  return VERTEXSMS_TOKEN !== undefined || UPSTREAM === 'vertexsms'
}

const secretsSchema = z.object({ operatorKey: z.string(), edgeSecret: z.string() })

/** The secrets of this installation: made once, kept in the data folder with mode 0600, the same at each start. */
export function keepSecrets(folder: string): z.infer<typeof secretsSchema> {
  const file = join(folder, 'secrets.json')
  if (existsSync(file)) return secretsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  const secrets = { operatorKey: newSecret(), edgeSecret: newSecret() }
  writePrivately(file, secrets)
  return secrets
}

/** For its owner alone, and renamed into place: a stop in the middle leaves no half file. */
function writePrivately(file: string, value: object): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  chmodSync(`${file}.new`, 0o600)
  renameSync(`${file}.new`, file)
}

const operatorSchema = z.object({
  DATABASE_URL: z.string(),
  ISSUER_URL: z.string(),
  OPERATOR_KEY: z.string(),
  /** Empty in the folder of a version that had none. */
  API_INTERNAL_URL: z.string().default(''),
})

/** Keeps what the operator's commands need while the demo runs, for its owner alone; the result forgets it. */
export function keepOperatorEnvironment(folder: string, environment: z.infer<typeof operatorSchema>): () => void {
  const file = join(folder, 'operator.json')
  writePrivately(file, environment)
  return () => rmSync(file, { force: true })
}

/** What {@link keepOperatorEnvironment} kept; undefined where no demo runs on the folder. */
export function readOperatorEnvironment(folder: string): z.infer<typeof operatorSchema> | undefined {
  const file = join(folder, 'operator.json')
  return existsSync(file) ? operatorSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined
}

/** The file that holds the demo account's email, password and token; written by the auth app's own command. */
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

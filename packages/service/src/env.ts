import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** Every wrong or missing variable by name, never by value. `message` is ready to print. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
  readonly code = 'CONFIGURATION'
  readonly problems: string[]

  constructor(problems: string[]) {
    super(`wrong configuration:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

type Source = Record<string, string | undefined>

/**
 * The environment as the schema describes it. Every `NAME` may come from a file named by `NAME_FILE`, as secrets in
 * containers do; an empty variable counts as unset. Throws one ConfigurationError that names everything that is wrong.
 */
export function readEnv<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  source: Source = process.env,
): z.output<z.ZodObject<Shape>> {
  const problems: string[] = []
  const values: Source = {}
  for (const name of Object.keys(schema.shape)) {
    const value = readVariable(source, name, problems)
    if (value !== undefined) values[name] = value
  }
  const parsed = schema.safeParse(values)
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      const name = String(path[0])
      if (problems.some((problem) => problem.startsWith(`${name}_FILE`))) continue
      problems.push(name in values ? `${name}: ${message}` : `${name}: is not set`)
    }
  }
  if (!parsed.success || problems.length > 0) throw new ConfigurationError(problems)
  return parsed.data
}

function readVariable(source: Source, name: string, problems: string[]): string | undefined {
  const value = source[name] || undefined
  const file = source[`${name}_FILE`] || undefined
  if (file === undefined) return value
  if (value !== undefined) {
    problems.push(`${name}_FILE: set together with ${name}; choose one`)
    return undefined
  }
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '') || undefined
  } catch {
    problems.push(`${name}_FILE: cannot be read`)
    return undefined
  }
}

function integer(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .refine((number) => number >= min && number <= max, message)
}

function parseUrl(value: string): URL | null {
  return URL.canParse(value) ? new URL(value) : null
}

/** A TCP port; 0 takes a free one. */
export const portSchema = integer(0, 65_535)

/** A duration in whole seconds, 0 to ten years. */
export const secondsSchema = integer(0, 315_360_000)

/** A duration in whole milliseconds, 0 to one day. */
export const millisecondsSchema = integer(0, 86_400_000)

/** How often something may happen in a minute: 1 to 9999999. */
export const perMinuteSchema = integer(1, 9_999_999)

/** An http or https URL without credentials, query or fragment, as a string without a trailing slash. */
export const urlSchema = z
  .string()
  .refine((value) => {
    const url = parseUrl(value)
    if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return false
    return url.username === '' && url.password === '' && !value.includes('?') && !value.includes('#')
  }, 'must be an http or https URL without credentials, query or fragment')
  .transform((value) => value.replace(/\/+$/, ''))

/**
 * A URL that people and clients use: https, or http on this very machine, because tokens and codes travel over it
 * (OAuth 2.1 §1.5). Otherwise like {@link urlSchema}.
 */
export const publicUrlSchema = urlSchema.refine((value) => {
  const { protocol, hostname } = new URL(value)
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}, 'must be https, or http on localhost')

/** A PostgreSQL connection URL. */
export const databaseUrlSchema = z
  .string()
  .refine((value) => /^postgres(ql)?:$/.test(parseUrl(value)?.protocol ?? ''), 'must be a postgresql:// URL')

/** A shared secret: at least 32 characters, no white space. */
export const secretSchema = z.string().regex(/^\S{32,512}$/, 'must be 32 to 512 characters without white space')

/** A key: 32 bytes in base64url. Parses to the bytes. */
export const keySchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}=?$/, 'must be 32 bytes in base64url')
  .transform((value) => new Uint8Array(Buffer.from(value, 'base64url')))

/** `on` or `off`, parsed to a boolean. */
export const onOffSchema = z.enum(['on', 'off'], { error: 'must be on or off' }).transform((value) => value === 'on')

/** `off`, a number of proxy hops, or a comma-separated list of proxy addresses and CIDR blocks. */
export const trustProxySchema = z
  .string()
  .regex(/^(off|[1-9]|[0-9a-fA-F:.,/ ]{2,})$/, 'must be off, a number of hops (1 to 9) or a list of addresses')
  .transform((value) => (value === 'off' ? false : /^[1-9]$/.test(value) ? Number(value) : value))

/** An HTTP proxy: an http or https URL of host and port, with credentials where it wants them. */
export const proxyUrlSchema = z.string().refine((value) => {
  const url = parseUrl(value)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.hostname === '') return false
  return url.pathname === '/' && !value.includes('?') && !value.includes('#')
}, 'must be the http or https URL of a proxy, host and port alone')

/** What every service that calls URLs of others reads: spread it into the service's own object schema. */
export const outboundEnv = {
  /** Development only: such URLs may lead to http://localhost. */
  OUTBOUND_ALLOW_LOCALHOST: onOffSchema.default(false),
  /** A proxy that opens connections to addresses by CONNECT; without one they are called directly. */
  OUTBOUND_PROXY: proxyUrlSchema.optional(),
}

/** What every service reads: spread it into the service's own object schema. */
export const serviceEnv = {
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'], { error: 'must be a pino level' })
    .default('info'),
  TRUST_PROXY: trustProxySchema.default(false),
  RATE_LIMITS: onOffSchema.default(true),
}

/** What every service with a database reads: spread it into the service's own object schema. */
export const databaseEnv = {
  DATABASE_URL: databaseUrlSchema,
  DATABASE_NAMED_STATEMENTS: onOffSchema.default(true),
}

// Reading settings, and every kind of setting that several programs have: one way to refuse a value, in one place.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import * as z from 'zod'
import { LOOPBACK_HOSTS } from './address.ts'

/** Every wrong or missing variable by name with what was expected, never its value. `message` is ready to print. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
  readonly code = 'CONFIGURATION'
  readonly problems: string[]

  constructor(problems: string[]) {
    super(
      `wrong configuration:\n${problems.map((problem) => `  ${problem}`).join('\n')}\n.env.example lists every setting`,
    )
    this.problems = problems
  }
}

/**
 * Runs every reader of settings and throws one ConfigurationError with the problems of all, each told once; what else
 * a reader throws passes through.
 */
export function checkAll(readers: readonly (() => unknown)[]): void {
  const problems = new Set<string>()
  for (const read of readers) {
    try {
      read()
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      for (const problem of error.problems) problems.add(problem)
    }
  }
  if (problems.size > 0) throw new ConfigurationError([...problems])
}

type Source = Record<string, string | undefined>

/**
 * The environment as the schema describes it. Every `NAME` may come from a file named by `NAME_FILE`, as secrets in
 * containers do; an empty variable counts as unset. No two keys or secrets may have one value. Throws one
 * ConfigurationError that names everything that is wrong.
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
  findSharedSecrets(values, problems)
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
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    if (text !== '') return text
    problems.push(`${name}_FILE: the file is empty`)
  } catch {
    problems.push(`${name}_FILE: cannot be read`)
  }
  return undefined
}

/** One value in two places: whoever is given one of them has the other. */
function findSharedSecrets(values: Source, problems: string[]): void {
  const owners = new Map<string, string>()
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || !/_(KEY|SECRET)$/.test(name)) continue
    const owner = owners.get(value)
    if (owner === undefined) owners.set(value, name)
    else problems.push(`${name}: is the same as ${owner}; each must have a value of its own`)
  }
}

function integer(min: number, max: number, unit = '') {
  const message = `must be a whole number${unit} from ${min} to ${max}`
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

/** A duration in whole seconds, between two bounds that its use gives. */
export const secondsSchema = (min: number, max: number) => integer(min, max, ' of seconds')

/** A duration in whole milliseconds, up to one day where its use sets no other bound. */
export const millisecondsSchema = (min = 0, max = 86_400_000) => integer(min, max, ' of milliseconds')

/** How often something may happen in a minute: 1 to 9999999. */
export const perMinuteSchema = integer(1, 9_999_999)

/** A time somebody waits for an answer, in whole milliseconds: a tenth of a second to one minute, never for ever. */
export const waitSchema = integer(100, 60_000)

/**
 * An http or https URL without credentials, query or fragment, as a string without a trailing slash. It must be
 * written as clients will write it, because issuers and audiences are compared letter by letter.
 */
export const urlSchema = z
  .string()
  .refine((value) => {
    const url = parseUrl(value)
    if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return false
    return url.username === '' && url.password === '' && !value.includes('?') && !value.includes('#')
  }, 'must be an http or https URL without credentials, query or fragment')
  .transform((value) => value.replace(/(?<!\/)\/+$/, ''))
  .refine((value) => parseUrl(value)?.href.replace(/(?<!\/)\/+$/, '') === value, {
    error: 'must be in its usual form: small letters in scheme and host, no default port, no spaces, no dots as a path',
    when: ({ issues }) => issues.length === 0,
  })

/**
 * A URL that people and clients use: https, or http on this very machine, because tokens and codes travel over it
 * (OAuth 2.1 §1.5). Otherwise like {@link urlSchema}.
 */
export const publicUrlSchema = urlSchema.refine((value) => {
  const { protocol, hostname } = new URL(value)
  return protocol === 'https:' || LOOPBACK_HOSTS.has(hostname)
}, 'must be https, or http on localhost')

/** The issuer: a public URL without a path, so that one form of the metadata URL serves (RFC 8414 §3.1). */
export const issuerUrlSchema = publicUrlSchema.refine((value) => parseUrl(value)?.pathname === '/', {
  error: 'must not have a path',
  when: ({ issues }) => issues.length === 0,
})

/** A PostgreSQL connection URL. */
export const databaseUrlSchema = z
  .string()
  .refine(
    (value) => /^postgres(ql)?:\/\/[^/?#]/.test(value) && parseUrl(value) !== null,
    'must be a URL such as postgresql://user:password@host:5432/name',
  )

/** Random text of 32 characters has fewer different ones less than once in ten million times, even in hexadecimal. */
const DIFFERENT_CHARACTERS_MIN = 8

/** A shared secret: at least 32 characters, no white space, and not a few characters over and over. */
export const secretSchema = z
  .string()
  .regex(/^\S{32,512}$/, 'must be 32 to 512 characters without white space')
  .refine((value) => new Set(value).size >= DIFFERENT_CHARACTERS_MIN, {
    error: 'must be random; this one repeats a few characters',
    when: ({ issues }) => issues.length === 0,
  })

/** Where messages go: the simulated operator, or the real one. */
export const upstreamSchema = z.enum(['sandbox', 'vertexsms'], { error: 'must be sandbox or vertexsms' })

/** `on` or `off`, parsed to a boolean. */
export const onOffSchema = z.enum(['on', 'off'], { error: 'must be on or off' }).transform((value) => value === 'on')

/** Wider blocks hold strangers: the widest private ones are 10.0.0.0/8 and fc00::/7. */
const PROXY_BITS_MIN = { 4: 8, 6: 7 } as const

function isProxyBlock(entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/')
  const family = isIP(address)
  if ((family !== 4 && family !== 6) || address.includes('%') || rest.length > 0) return false
  if (prefix === undefined) return true
  return (
    /^\d{1,3}$/.test(prefix) && Number(prefix) >= PROXY_BITS_MIN[family] && Number(prefix) <= (family === 4 ? 32 : 128)
  )
}

/**
 * `off`, a number of proxy hops, or a comma-separated list of proxy addresses and CIDR blocks. Whatever could be read
 * in two ways, or would trust everybody, is refused: it decides whose address a request is counted under.
 */
export const trustProxySchema = z
  .string()
  .refine(
    (value) => /^(off|[1-9])$/.test(value) || value.split(',').every((entry) => isProxyBlock(entry.trim())),
    'must be off, a number of proxies in front (1 to 9), or their addresses and blocks, no wider than /8 (IPv6 /7), separated by commas',
  )
  .transform((value) => (value === 'off' ? false : /^[1-9]$/.test(value) ? Number(value) : value))

/** An HTTP proxy: an http or https URL of host and port, with credentials where it wants them. */
const proxyUrlSchema = z.string().refine((value) => {
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

/** An address or host name to listen on, without a port. */
export const listenHostSchema = z
  .string()
  .refine(
    (value) =>
      isIP(value) !== 0 ||
      /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(value),
    'must be an IP address or a host name, without scheme or port',
  )

/** What every service reads: spread it into the service's own object schema. */
export const serviceEnv = {
  HOST: listenHostSchema.default('127.0.0.1'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'], {
      error: 'must be fatal, error, warn, info, debug or silent',
    })
    .default('info'),
  TRUST_PROXY: trustProxySchema.default(false),
  RATE_LIMITS: onOffSchema.default(true),
}

/**
 * How long the database may take where nothing else is set, in milliseconds: our statements take milliseconds, and a person
 * or client waits for them.
 */
export const DATABASE_TIME_LIMITS = {
  connectMs: 3_000,
  statementMs: 5_000,
  lockMs: 3_000,
  idleInTransactionMs: 10_000,
} as const

/** What every service with a database reads: spread it into the service's own object schema. */
export const databaseEnv = {
  DATABASE_URL: databaseUrlSchema,
  DATABASE_NAMED_STATEMENTS: onOffSchema.default(true),
  /** To be connected, or to get a free connection of the pool. */
  DATABASE_CONNECT_TIMEOUT_MS: waitSchema.default(DATABASE_TIME_LIMITS.connectMs),
  /** One statement, and one second more for a server that says nothing. */
  DATABASE_STATEMENT_TIMEOUT_MS: waitSchema.default(DATABASE_TIME_LIMITS.statementMs),
  /** For what another transaction holds. */
  DATABASE_LOCK_TIMEOUT_MS: waitSchema.default(DATABASE_TIME_LIMITS.lockMs),
  /** A transaction in which nothing happens. */
  DATABASE_IDLE_TRANSACTION_TIMEOUT_MS: waitSchema.default(DATABASE_TIME_LIMITS.idleInTransactionMs),
}

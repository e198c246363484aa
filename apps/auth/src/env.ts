import { readEurText } from '@vertexsms/contract/money'
import { keySchema } from '@vertexsms/secrets/key'
import { LOOPBACK_HOSTS } from '@vertexsms/service/address'
import {
  databaseEnv,
  issuerUrlSchema,
  millisecondsSchema,
  onOffSchema,
  outboundEnv,
  portSchema,
  publicUrlSchema,
  readEnv,
  secondsSchema,
  serviceEnv,
  upstreamSchema,
  urlSchema,
} from '@vertexsms/service/env'
import * as z from 'zod'

const DAY_SECONDS = 86_400
const YEAR_SECONDS = 365 * DAY_SECONDS

/** Public URL: `issuer` in every document and token, and what links begin with. */
export const ownIssuerSchema = issuerUrlSchema.default('http://localhost:4000')

/** How long an access token may live: it is looked up on each request, but other readers of a JWT do not ask. */
export const accessTokenSecondsSchema = secondsSchema(1, DAY_SECONDS).default(600)

/** An amount in EUR a day, or the word `none`; an empty variable is an unset one, and must not lift a limit. */
const dailyLimitSchema = z.string().transform((written, context) => {
  const micros = written === 'none' ? null : readEurText(written)
  if (written === 'none' || micros !== null) return micros
  context.addIssue({ code: 'custom', message: 'must be an amount in EUR such as 5.00, or none' })
  return z.NEVER
})

/** A part of a URL as it was meant; null where its percent signs stand for nothing. */
function decoded(part = ''): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}

/** A mail server by one URL, credentials in it. Its connection is encrypted, except on this very machine. */
const smtpUrlSchema = z.string().transform((written, context) => {
  const url = URL.canParse(written) ? new URL(written) : null
  const known = url?.protocol === 'smtp:' || url?.protocol === 'smtps:'
  const plain = url && /^\/?$/.test(url.pathname) && url.search === '' && url.hash === ''
  const whole = url && (url.username === '') === (url.password === '')
  const user = decoded(url?.username)
  const password = decoded(url?.password)
  if (!url || !known || !plain || !whole || url.hostname === '' || user === null || password === null) {
    const message = 'must be smtps://user:password@host or smtp://user:password@host:587, without a path'
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  const isImplicit = url.protocol === 'smtps:'
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (isImplicit ? 465 : 587),
    /** TLS from the first byte. */
    isImplicit,
    /** STARTTLS or nothing: never a password or a link in the clear. */
    needsTls: !LOOPBACK_HOSTS.has(url.hostname),
    user,
    password,
  }
})

/** Where mail goes out. */
export type SmtpServer = z.infer<typeof smtpUrlSchema>

/** Where a person reaches whoever runs this: an address to write to, or a page. */
const contactSchema = z
  .string()
  .max(200)
  .refine(
    (value) => z.email().safeParse(value).success || (/^https:\/\/[^\s]+$/.test(value) && URL.canParse(value)),
    'must be an email address or an https URL',
  )

/** Every setting of the authorization server, with its default. Lifetimes are in whole seconds. */
const schema = z.object({
  ...serviceEnv,
  ...databaseEnv,
  ...outboundEnv,
  AUTH_PORT: portSchema.default(4000),
  ISSUER_URL: ownIssuerSchema,
  /** Public URL of the MCP server, as people type it: the canonical resource (RFC 8707). */
  MCP_RESOURCE_URL: publicUrlSchema.default('http://localhost:4001/mcp'),
  /** Public URL of the REST API: the second audience of every access token. */
  API_RESOURCE_URL: publicUrlSchema.default('http://localhost:4002'),
  /** Seals what must not be readable in the database, and signs cookies and forms: 32 bytes, base64url. */
  OPERATOR_KEY: keySchema,
  ACCESS_TOKEN_SECONDS: accessTokenSecondsSchema,
  /** Slides with each refresh. */
  REFRESH_TOKEN_SECONDS: secondsSchema(1, YEAR_SECONDS).default(2_592_000),
  /** The longest a connection lives without a new consent. */
  CONNECTION_SECONDS: secondsSchema(1, 10 * YEAR_SECONDS).default(YEAR_SECONDS),
  /** What a connection that begins may spend a day, in EUR; `none` sets no limit. Parses to micro-EUR or null. */
  CONNECTION_MAX_PER_DAY_EUR: dailyLimitSchema.default(5_000_000n),
  /** Ten minutes at most (RFC 6749 §4.1.2). */
  AUTHORIZATION_CODE_SECONDS: secondsSchema(1, 600).default(60),
  /** How long the refresh token just used gets the same answer again; 0 is strict. A stolen one works as long. */
  REFRESH_OVERLAP_SECONDS: secondsSchema(0, 300).default(30),
  SESSION_SECONDS: secondsSchema(1, 90 * DAY_SECONDS).default(604_800),
  INTERACTION_SECONDS: secondsSchema(1, DAY_SECONDS).default(900),
  /** Where the API sends to: with `sandbox` no account needs a token of its own. */
  UPSTREAM: upstreamSchema.default('sandbox'),
  /** The internal listener of the API. Without it no token at the operator can be checked, and no price is shown. */
  API_INTERNAL_URL: urlSchema.optional(),
  /** Whether clients may be known by a metadata document. With `off` none is fetched, and clients register. */
  CLIENT_DOCUMENTS: onOffSchema.default(true),
  /** The mail server. Without it no mail is sent: links and words come from the operator. */
  SMTP_URL: smtpUrlSchema.optional(),
  /** One mail, from the connection to the server's last word. */
  SMTP_SEND_TIMEOUT_MS: millisecondsSchema(100).default(40_000),
  /** The address that mail comes from; needed with SMTP_URL. */
  MAIL_FROM: z.email('must be one email address').optional(),
  /** Told to whoever forgot a password; an email address or an https URL. */
  OPERATOR_CONTACT: contactSchema.optional(),
})

/** Nothing is sent from nobody. */
const checkedSchema = schema.refine(({ SMTP_URL, MAIL_FROM }) => SMTP_URL === undefined || MAIL_FROM !== undefined, {
  path: ['MAIL_FROM'],
  message: 'is needed with SMTP_URL',
})

/** The parsed settings. */
export type AuthEnv = z.infer<typeof schema>

/** Reads the settings once; throws one ConfigurationError that names everything wrong. */
export function readAuthEnv(source?: Record<string, string | undefined>): AuthEnv {
  return readEnv(checkedSchema, source)
}

import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger }

/** Who logs, how much, and where to. */
export interface LoggerOptions {
  service: string
  level: string
  /** Standard output when absent. */
  destination?: DestinationStream
}

/**
 * The only members a log line may have. Everything else a caller passes is dropped, so that a token, a number, a text or
 * an address cannot get in by oversight. Their values are counts, durations, and names that stand in our own source.
 */
const MEMBERS = new Set([
  'requestId',
  'route',
  'method',
  'status',
  'durationMs',
  'err',
  'event',
  'reason',
  'tool',
  'connectionId',
  'clientId',
  'requested',
  'granted',
  'port',
  'signal',
])

/** Names of our own: letters, digits and the punctuation of routes, codes and versions. No spaces, no @, no +. */
const PLAIN = /^[A-Za-z0-9_.:/{}*[\]-]{1,160}$/
/** What a token or a telephone number looks like, whatever member it was put in. */
const SUSPECT = /[A-Za-z0-9_-]{40}|[0-9]{7}|vsms_/
/** An id that we made up: its digits are no number of anybody. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const FRAMES = 6

/** What waits to be written where there is no room for it, in bytes; lines beyond are dropped. */
const WAITING_MAX_BYTES = 1024 * 1024

/** Standard output. A full disk behind it costs log lines and nothing else: left alone, the error would end the process. */
function standardOutput(): DestinationStream {
  return pino.destination({ sync: true, maxLength: WAITING_MAX_BYTES }).on('error', () => {})
}

/**
 * A pino logger that writes JSON lines of the members above. An error becomes its name, code and stack frames without its
 * message; a message text is kept only if it is not an error's.
 */
export function createLogger({ service, level, destination }: LoggerOptions): Logger {
  const logger = pino(
    {
      level,
      base: { service },
      timestamp: () => `,"time":${Date.now()}`,
      formatters: {
        level: (label) => ({ level: label }),
        log: keepKnown,
        bindings: ({ service: name }) => ({ service: name }),
      },
      // Fastify's request and reply serializers would add addresses and URLs.
      serializers: { req: drop, res: drop, err: describeError },
      hooks: {
        logMethod(args, method) {
          const [first, second] = args as [unknown, unknown]
          const error = errorOf(first)
          const text = typeof first === 'string' ? first : typeof second === 'string' ? second : undefined
          const safe = error && (text === undefined || repeats(text, error)) ? 'error' : (text ?? '')
          method.call(this, typeof first === 'object' && first !== null ? toMembers(first) : {}, safe)
        },
      },
    },
    destination ?? standardOutput(),
  )
  // pino does not pass a child's own members through the formatters. Children inherit this method.
  const child = logger.child
  logger.child = function restricted(this: Logger, members: Record<string, unknown>, options) {
    return child.call(this, keepKnown(members), options)
  } as typeof logger.child
  return logger
}

const LABEL_CHARS = 12

/**
 * What the log says of a client: the host of one known by its document, else how its id begins. Whole, an id has the shape
 * of a token, and the log cannot tell them apart.
 */
export function clientLabel(clientId: string): string {
  return URL.canParse(clientId) ? new URL(clientId).host : clientId.slice(0, LABEL_CHARS)
}

function errorOf(value: unknown): Error | null {
  if (value instanceof Error) return value
  if (typeof value === 'object' && value !== null && 'err' in value && value.err instanceof Error) return value.err
  return null
}

function toMembers(value: object): object {
  return value instanceof Error ? { err: value } : value
}

/** Fastify logs an error under its own message, which may quote input. */
function repeats(text: string, error: Error): boolean {
  return error.message !== '' && text.includes(error.message)
}

function keepKnown(members: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(members)) {
    if (!MEMBERS.has(name)) continue
    if (name === 'err') kept[name] = value
    else if (typeof value === 'number' || typeof value === 'boolean') kept[name] = value
    else if (typeof value === 'string') kept[name] = isPlain(name, value) ? value : '[withheld]'
  }
  return kept
}

function isPlain(name: string, value: string): boolean {
  return PLAIN.test(value) && (name === 'requestId' || UUID.test(value) || !SUSPECT.test(value))
}

function drop(): undefined {
  return undefined
}

/** Name, code and where it happened. Never the message: drivers and parsers quote what they were given. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { name: typeof error }
  const code = 'code' in error ? error.code : undefined
  return {
    name: PLAIN.test(error.name) ? error.name : 'Error',
    ...(typeof code === 'number' || (typeof code === 'string' && PLAIN.test(code)) ? { code } : {}),
    at: frames(error),
  }
}

/** How a line of a stack ends: with a place, or with what V8 says where there is none. */
const PLACE = /^\s+at .*(?::\d+:\d+\)?|\((?:<anonymous>|native|index \d+)\))$/

/**
 * Where an error happened, innermost first, a few places at most. Of its message nothing, which stands before them in the
 * stack and may look like them.
 */
export function frames({ message, stack = '' }: Error): string[] {
  const at = stack.indexOf(message)
  return stack
    .slice(at === -1 ? 0 : at + message.length)
    .split('\n')
    .filter((line) => PLACE.test(line))
    .slice(0, FRAMES)
    .map((line) => line.trim())
}

import type { Database } from '@vertexsms/db/client'
import type { DerivedKeys } from '@vertexsms/secrets/derived-keys'
import type { FastifyBaseLogger } from 'fastify'
import type { RefusalLog } from '../activity/record.ts'
import type { PauseWatch } from '../limits/watch.ts'
import type { Caller, SendingUpstream } from '../upstream/upstream.ts'
import type { Crowd, Places } from './places.ts'

/** Of whom a line of the log speaks. */
export interface Whose {
  /** Of the request under way; absent where a job does its work, or what runs on long after it. */
  readonly requestId?: string | undefined
  /** Null for a token made by hand. */
  readonly connectionId: string | null
}

/** The members of a line of the log that say whose it is, and nothing else of who is given. */
export function whose({ requestId, connectionId }: Whose): Whose {
  return { requestId, connectionId }
}

/** Who sends, as the guard found them in this request. */
export interface Sender extends Caller {
  /** As the answer carries it. */
  readonly requestId: string
  /** What its limits hang on. */
  readonly spenderId: string
  /** Of the account's owner; null is UTC. */
  readonly timeZone: string | null
}

/** How long things may take. */
export interface SendingTimes {
  /** An upstream to take a message. */
  readonly handOverMs: number
  /** All prices of a request. */
  readonly pricesMs: number
  /** What the lease of a message has beyond the upstream's time; a process that stalled for longer hands it to nobody. */
  readonly leaseSlackMs: number
  /** The runner of a list has its held rest for so long, from chunk to chunk. */
  readonly runnerMs: number
  /** A list is answered after this, done or not. */
  readonly answerMs: number
  /** A message waits so long for a place with the upstream. */
  readonly placeMs: number
  /** A repeat waits so long for the first to be done. */
  readonly repeatMs: number
  /** A turn of what was scheduled waits so long for an account of which something is due. */
  readonly turnMs: number
}

/** What holds in production. */
export const SENDING_TIMES: SendingTimes = {
  handOverMs: 15_000,
  pricesMs: 8_000,
  leaseSlackMs: 5_000,
  runnerMs: 30_000,
  answerMs: 20_000,
  placeMs: 2_000,
  repeatMs: 3_000,
  turnMs: 1_000,
}

/** An answer that comes in time has this long to be read and settled before it counts as late. */
const ANSWER_SLACK_MS = 500

/** The same with an upstream that may take so long for a message, and for prices: a runner outlives each of its chunks. */
export function sendingTimes(sendTimeoutMs: number, pricesMs: number): SendingTimes {
  const { leaseSlackMs, runnerMs } = SENDING_TIMES
  const handOverMs = sendTimeoutMs + ANSWER_SLACK_MS
  return { ...SENDING_TIMES, handOverMs, pricesMs, runnerMs: Math.max(runnerMs, handOverMs + 2 * leaseSlackMs) }
}

/** The steps between which a process may die. */
export type Step = 'priced' | 'admitted' | 'handed' | 'settled' | 'claimed'

/** What sending is made of. */
export interface SendingDeps {
  readonly db: Database
  readonly operator: SendingUpstream
  /**
   * Registers a number at the upstream; gives the id of the sender. Throws ApiError for what it refuses, UPSTREAM_CHANGED
   * where the account's token is not of this generation any more.
   */
  readonly registerNumber: (caller: Caller, name: string, generation: number) => Promise<string>
  readonly keys: DerivedKeys<'idempotency' | 'send-text' | 'quote'>
  /** Of the pages on which a person changes limits. */
  readonly issuer: string
  /** Throws URL_NOT_ALLOWED; gives the URL as it is kept. */
  readonly checkCallbackUrl: (url: string | undefined, field: string) => string | undefined
  readonly times: SendingTimes
  readonly places: Places
  /** Turns of lists and of what was scheduled: as many places, in the order in which they came. */
  readonly turns: Places
  /** Lists that were let in and are not done. */
  readonly lists: Crowd
  readonly log: FastifyBaseLogger
  /** Notes refusals behind their answers. */
  readonly refusals: RefusalLog
  /** Looks at connections behind their answers. */
  readonly watch: Pick<PauseWatch, 'note'>
  /** Tells the job of scheduled sends when one becomes due. */
  readonly wakeIn: (ms: number) => void
  /** Called between the steps; a test lets the process die in it. */
  readonly at: (step: Step) => Promise<void> | void
}

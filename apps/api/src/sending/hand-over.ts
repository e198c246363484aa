// Hands one message to the upstream, once, and says what is to be settled.
import { setTimeout as delay } from 'node:timers/promises'
import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import { ApiError } from '../http/api-error.ts'
import { type Settlement, settle } from '../ledger/settle.ts'
import { NOT_SENT } from '../ledger/unsent.ts'
import type { HandOver, UpstreamPrice } from '../upstream/upstream.ts'
import { type SendingDeps, type Whose, whose } from './deps.ts'

/** What the upstream said before that the message would cost; null where it was not asked, or did not say. */
export type Told = Pick<UpstreamPrice, 'micros' | 'parts'> | null

/** What became of a message that was handed over. */
export interface Handed {
  readonly settlement: Settlement
  /** The upstream's named refusal; null for any other outcome. */
  readonly refusal: ApiError | null
}

/** A message that this process has claimed, and how it is handed over. */
export interface ToHandOver {
  readonly messageId: bigint
  readonly sender: Whose
  /** A moment before it was claimed, by a clock that never goes back. */
  readonly sinceMs: number
  readonly told: Told
  readonly heldMicros: bigint
  /** Where nothing follows once it was accepted, as of a number that is registered. */
  readonly endsAccepted?: boolean
  readonly call: () => Promise<HandOver>
}

/** The settlement of a message that its process surely handed to nobody. */
export function notHandedOver(messageId: bigint): Settlement {
  return { messageId, outcome: 'released', failure: 'UNAVAILABLE', failureReason: NOT_SENT }
}

interface Answer {
  readonly given: HandOver
  /** What failed on the way; undefined where the upstream did not say what it did. */
  readonly err?: Error
}

const NONE: Answer = { given: { kind: 'unknown' } }

/**
 * Calls the upstream for a message. A process that stalled until its lease may soon be over hands nothing over. An answer
 * that comes after the time for it is settled when it comes. Of one whose outcome is unknown the log has one line.
 */
export async function handOver(
  deps: SendingDeps,
  { messageId, sender, sinceMs, told, heldMicros, endsAccepted = false, call }: ToHandOver,
): Promise<Handed> {
  if (performance.now() - sinceMs > deps.times.leaseSlackMs) {
    const refusal = new ApiError('UNAVAILABLE', { headers: { 'retry-after': String(AGAIN_SECONDS) } })
    return { settlement: notHandedOver(messageId), refusal }
  }
  const handed = { messageId, told, heldMicros, endsAccepted }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), deps.times.handOverMs)
  })
  const answer = call().then(
    (given): Answer => ({ given }),
    (err: Error): Answer => ({ ...NONE, err }),
  )
  const first = await Promise.race([answer, late])
  clearTimeout(timer)
  const { given, err } = first === 'late' ? NONE : first
  if (given.kind === 'unknown') deps.log.warn({ ...whose(sender), err }, 'hand-over without an answer')
  if (first === 'late') {
    answer.then(({ given: lately }) => {
      if (lately.kind === 'unknown') return
      settleLater(deps, sender, [{ ...handedOf(handed, lately).settlement, post: 'due' }])
    })
  }
  return handedOf(handed, given)
}

/** Refusals that pass by themselves, and when to try again. */
const AGAIN: ReadonlySet<ApiErrorCode> = new Set(['RATE_LIMITED', 'UNAVAILABLE'])
const AGAIN_SECONDS = 2

function handedOf(
  {
    messageId,
    told,
    heldMicros,
    endsAccepted,
  }: Required<Pick<ToHandOver, 'messageId' | 'told' | 'heldMicros' | 'endsAccepted'>>,
  answer: HandOver,
): Handed {
  switch (answer.kind) {
    case 'accepted':
      return {
        settlement: {
          messageId,
          outcome: 'accepted',
          reference: answer.reference,
          chargedMicros: answer.priceMicros ?? priceOf(answer.parts, told),
          heldMicros,
          parts: answer.parts,
          final: endsAccepted,
        },
        refusal: null,
      }
    case 'refused': {
      const { code, errorCode, reason, message } = answer
      return {
        settlement: {
          messageId,
          outcome: 'released',
          failure: code,
          failureNumber: errorCode ?? null,
          // What could not be handed over nobody refused.
          failureReason: reason ?? (code === 'UNAVAILABLE' ? NOT_SENT : null),
        },
        refusal: new ApiError(code, {
          ...(errorCode === undefined ? {} : { errorCode }),
          ...(reason === undefined ? {} : { reason }),
          ...(message === undefined ? {} : { message }),
          ...(AGAIN.has(code) ? { headers: { 'retry-after': String(AGAIN_SECONDS) } } : {}),
        }),
      }
    }
    case 'unknown':
      return { settlement: { messageId, outcome: 'unknown' }, refusal: null }
  }
}

/** A price was told for so many parts: those that were sent beyond them cost as much each. */
function priceOf(sent: number | null, told: Told): bigint | null {
  if (told === null || sent === null || sent <= told.parts) return told?.micros ?? null
  const parts = BigInt(told.parts)
  return (told.micros * BigInt(sent) + parts - 1n) / parts
}

/** What runs on behind answers, of one process. */
const running = new WeakMap<SendingDeps, Set<Promise<unknown>>>()

/** Keeps a task of theirs until it is done, so that a stopping process can wait for it. */
export function inBackground(deps: SendingDeps, sender: Whose, task: Promise<unknown>): void {
  const tasks = running.get(deps) ?? new Set()
  running.set(deps, tasks)
  const kept: Promise<unknown> = task
    .catch((error: Error) => deps.log.error({ ...whose(sender), err: error }, 'sending failed behind its answer'))
    .finally(() => tasks.delete(kept))
  tasks.add(kept)
}

/** Resolves when nothing runs behind answers. */
export async function idle(deps: SendingDeps): Promise<void> {
  for (let tasks = running.get(deps); tasks !== undefined && tasks.size > 0; ) await Promise.all(tasks)
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000
/** An upstream's answer that could not be settled for so long is left to reports and to the sweep. */
const GIVE_UP_MS = 600_000

/**
 * Settles now; what the database would not take is settled later, and `false` is told. `settled` is called once it is, now
 * or later.
 */
export async function settleSurely(
  deps: SendingDeps,
  sender: Whose,
  settlements: readonly Settlement[],
  settled: () => void,
): Promise<boolean> {
  try {
    await settle(deps.db, settlements)
  } catch (error) {
    deps.log.warn({ ...whose(sender), err: error as Error }, 'settled later')
    settleLater(deps, sender, settlements, settled)
    return false
  }
  settled()
  return true
}

/**
 * Settles as soon as the database takes it, and calls `settled`; it may be run again, for it applies differences. What is to
 * be settled is given, or asked for at each try.
 */
export function settleLater(
  deps: SendingDeps,
  sender: Whose,
  settlements: readonly Settlement[] | (() => Promise<readonly Settlement[]>),
  settled = () => {},
): void {
  const done = async () => {
    await settle(deps.db, typeof settlements === 'function' ? await settlements() : settlements)
    return true
  }
  const settling = async () => {
    if (await untilTrue(done, { withinMs: GIVE_UP_MS, pauseMaxMs: LONGEST_PAUSE_MS })) settled()
  }
  inBackground(deps, sender, settling())
}

/** Does the work until it says that it is done, with growing pauses, for so long at most; it may fail in between. True once it was done. */
export async function untilTrue(
  work: () => Promise<boolean>,
  { withinMs, pauseMaxMs }: { readonly withinMs: number; readonly pauseMaxMs: number },
): Promise<boolean> {
  const until = performance.now() + withinMs
  for (let pauseMs = FIRST_PAUSE_MS; performance.now() < until; pauseMs = Math.min(pauseMs * 2, pauseMaxMs)) {
    if (await work().catch(() => false)) return true
    await delay(pauseMs, undefined, { ref: false })
  }
  return false
}

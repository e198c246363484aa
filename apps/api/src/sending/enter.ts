// From a request that was read to one that is let in: repeat, judgement, price and admission, until nothing changes under it.
import { randomUUID } from 'node:crypto'
import { ApiError } from '../http/api-error.ts'
import { unavailable } from '../http/error-answers.ts'
import { admit } from '../ledger/admit.ts'
import { keepKey } from '../ledger/key.ts'
import { readSpenders, type Standings } from '../ledger/spenders.ts'
import { admissionOf, grantOf, idsOf } from './admission.ts'
import { type SendingDeps, whose } from './deps.ts'
import type { Entered, Entrance, Entry, LetIn, Next, Progress } from './entry.ts'
import { checkCeilings, judgeAll, judgeEach, watch } from './judgements.ts'
import { whenNotAdmitted } from './not-admitted.ts'
import type { Priced } from './price.ts'
import { findReplayed, lookForRepeat, repeatOf } from './replayed.ts'
import type { Recipient } from './request.ts'
import type { MessageRow } from './rows.ts'

/** Rounds of one request: what others do to its rows in between is taken up in the next. */
const ROUNDS = 8

/**
 * Lets a request in. Throws the refusal of all of it. A repeat is found whatever else would refuse it, by its key as by
 * what it would send, and of a list only the rest is let in: nobody is told that nothing was sent who was sent to.
 */
export async function enter(deps: SendingDeps, entry: Entry): Promise<Entrance> {
  const replayed = new Map<number, MessageRow>()
  for (;;) {
    try {
      const entrance = await enterOnce(deps, entry, replayed)
      if (entrance.kind === 'replay') return entrance
      // A list of which nothing was let in has not met the send that stands under its key.
      const rows = entrance.sendId === null && entry.key !== null ? await repeatOf(deps, entry, entry.key) : null
      if (rows !== null) return { kind: 'replay', rows }
      await findReplayed(deps, entry, new Set(entrance.refused.keys()), replayed).catch((error: Error) => {
        // What was let in is carried out all the same.
        if (entrance.sendId === null) throw error
        deps.log.warn({ ...whose(entry.sender), err: error }, 'list not read')
      })
      if (entrance.sendId === null && !(await keepKeyOf(deps, entry, entrance))) continue
      return entrance
    } catch (error) {
      if (!(error instanceof ApiError) || KEY_REFUSALS.has(error.code)) throw error
      const found = await lookForRepeat(deps, entry, replayed)
      if (found === 'none') throw error
      if (found !== 'some') return found
    }
  }
}

/** Keeps its key for what a call of which nothing was let in is told of; false where the key stands since. */
async function keepKeyOf(deps: SendingDeps, entry: Entry, { generation, replayed }: LetIn): Promise<boolean> {
  const { sender, key, route, kind } = entry
  if (key === null || replayed.size === 0) return true
  const kept = await keepKey(deps.db, {
    grant: grantOf(sender),
    scope: { spenderId: sender.spenderId, upstream: deps.operator.name, route },
    send: {
      id: randomUUID(),
      kind,
      generation,
      keyHash: key.hash,
      payloadDigest: key.digest,
      repeats: idsOf(replayed),
      sender: entry.columns.sender,
      coding: entry.columns.coding,
      scheduledAt: entry.columns.scheduledAt,
    },
  })
  if (kept === 'ended') throw new ApiError('TOKEN_INVALID')
  return kept === 'kept'
}

const KEY_REFUSALS: ReadonlySet<string> = new Set(['SEND_IN_PROGRESS', 'IDEMPOTENCY_KEY_REUSED', 'UNAVAILABLE'])

async function enterOnce(deps: SendingDeps, entry: Entry, replayed: Map<number, MessageRow>): Promise<Entrance> {
  const isRepeat = replayed.size > 0 && replayed.size === entry.recipients.length
  if (entry.refusal && !isRepeat) throw entry.refusal
  const progress: Progress = {
    generation: await deps.operator.generation(entry.sender.accountId),
    refused: new Map(),
    replayed,
    busyUntilMs: performance.now() + deps.times.placeMs,
    remote: entry.asksPrice,
    looked: false,
    approval: null,
    maxMicros: null,
  }
  for (let round = 0; round < ROUNDS; round++) {
    const next = await enterInRound(deps, entry, progress)
    if (next === 'busy') round--
    else if (next !== 'again') return next
  }
  throw unavailable()
}

/** Repeat?, judged and priced by the upstream's own price where that is asked for, else priced by rates; then admitted. */
async function enterInRound(deps: SendingDeps, entry: Entry, progress: Progress): Promise<Next> {
  const { refused, replayed, generation } = progress
  const entered = { kind: 'entered', refused, replayed, generation } as const
  const open = entry.recipients.filter(({ position }) => !refused.has(position) && !replayed.has(position))
  const judged =
    progress.remote && open.length > 0 ? await judgeFirst(deps, entry, progress, open) : { open, standings: null }
  if (judged === 'again' || 'kind' in judged) return judged
  if (judged.open.length === 0) return { ...entered, sendId: null, messages: [], sinceMs: performance.now() }
  const priced = await priceOf(deps, entry, progress, judged)
  if (priced.length === 0) return 'again'
  await deps.at('priced')
  const sendId = randomUUID()
  const messages = messagesOf(entry, priced)
  const sinceMs = performance.now()
  const outcome = await admit(deps.db, admissionOf(deps, entry, progress, sendId, messages))
  if (outcome.kind !== 'admitted') return whenNotAdmitted(deps, entry, progress, outcome, { open, priced, messages })
  // What goes out is looked at when it has; what waits is counted by its limits from here on.
  if (entry.how === 'scheduled') watch(deps, entry.sender)
  return { ...entered, sendId, messages, sinceMs }
}

/** Those that are open, and the rows by which they were judged; null where that is left to the admission. */
interface Judged {
  readonly open: readonly Recipient[]
  readonly standings: Standings | null
}

/** Before anything about a number leaves us: is it a repeat, and is it allowed? */
async function judgeFirst(
  deps: SendingDeps,
  entry: Entry,
  progress: Progress,
  open: readonly Recipient[],
): Promise<Judged | Entrance | 'again'> {
  const { sender } = entry
  if (!progress.looked) {
    progress.looked = true
    const found = await lookForRepeat(deps, entry, progress.replayed)
    if (found === 'some') return 'again'
    if (found !== 'none') return found
  }
  const standings = await readSpenders(deps.db, sender, deps.operator.name, sender.now())
  judgeAll(deps, entry, standings)
  return { open: judgeEach(deps, entry, standings, open, progress.refused), standings }
}

/** Those that may go, each with its price; none where the countries that the upstream names are allowed to none of them. */
async function priceOf(
  deps: SendingDeps,
  entry: Entry,
  progress: Progress,
  { open, standings }: Judged,
): Promise<Priced[]> {
  if (standings === null) return entry.byRates(open)
  const asked = await entry.byCost(open, progress.generation)
  const kept = judgeEach(deps, entry, standings, asked, progress.refused)
  if (kept.length === 0) return []
  const priced = asked.filter(({ position }) => !progress.refused.has(position))
  progress.maxMicros = checkCeilings(deps, entry, standings, priced, progress.generation)
  return priced
}

/** Messages are handed over, told and listed by their ids: random as they are, those of a list grow in its order. */
function messagesOf(entry: Entry, priced: readonly Priced[]): Entered[] {
  const ids = priced.map(() => entry.newId()).sort((one, other) => (one < other ? -1 : 1))
  const inOrder = [...priced].sort((one, other) => one.position - other.position)
  return inOrder.map((one, at) => ({
    id: ids[at] ?? entry.newId(),
    position: one.position,
    recipient: one.msisdn,
    country: one.country,
    parts: one.told?.parts ?? entry.parts,
    holdMicros: one.micros ?? 0n,
    holdTold: one.told !== null,
    fingerprint: entry.fingerprint(one),
    priced: one,
  }))
}

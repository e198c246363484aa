// From a request that was read to one that is let in: repeat, judgement, price and admission, until nothing changes under it.
import { randomUUID } from 'node:crypto'
import { CURRENCY } from '@vertexsms/contract/limits'
import { toEurText } from '@vertexsms/contract/money'
import { ApiError } from '../http/api-error.ts'
import { unavailable } from '../http/error-answers.ts'
import { type Admission, admit, type NewMessage, type NewSend } from '../ledger/admit.ts'
import { readSpenders, type Standings } from '../ledger/spenders.ts'
import { toSpenders, WAITING_MAX } from '../ledger/standing.ts'
import { daysAround } from '../limits/days.ts'
import {
  approvalReasons,
  judgeCaps,
  judgeCountry,
  judgePause,
  judgeSender,
  judgeUnknownPrice,
  manageUrl,
  type Refusal,
} from '../limits/judge.ts'
import { type Approved, requireApproval } from './approval.ts'
import type { Sender, SendingDeps } from './deps.ts'
import { giveBackLater, inBackground } from './hand-over.ts'
import { noPlace } from './places.ts'
import { type Priced, sum } from './price.ts'
import { checkQuote } from './quote.ts'
import type { KeyScope } from './repeat.ts'
import type { Recipient } from './request.ts'
import { type MessageRow, messagesOfFingerprints, messagesOfKey } from './rows.ts'

/** A caller's idempotency key, and what came with it. */
export interface Key {
  readonly hash: Uint8Array
  readonly digest: Uint8Array
}

/** What is to be let in. */
export interface Entry {
  readonly kind: NewSend['kind']
  readonly sender: Sender
  readonly route: string
  readonly key: Key | null
  readonly recipients: readonly Recipient[]
  /** What refuses its only recipient refuses all of it. */
  readonly single: boolean
  /** Told once it is known to be no repeat. */
  readonly refusal: ApiError | null
  readonly parts: number
  /** As limits name it; null for what has none. */
  readonly limitedSender: string | null
  readonly fingerprint: (recipient: Recipient) => Uint8Array | null
  /** What is held where nobody asks for the very price. */
  readonly byRates: (recipients: readonly Recipient[]) => Promise<Priced[]>
  /** The upstream's own answer, for the account's token of this generation. */
  readonly byCost: (recipients: readonly Recipient[], generation: number) => Promise<Priced[]>
  /** Whether that is asked for at once. */
  readonly asksPrice: boolean
  readonly maxPriceMicros: bigint | null
  readonly quoteId: string | null
  /** Of what a quote and an approval are for. */
  readonly digest: () => Uint8Array
  /** What the owner is shown who is asked for an approval. */
  readonly shown: { readonly from: string; readonly text: string }
  readonly how: Admission['how']
  readonly newId: () => bigint
  readonly columns: Pick<
    NewSend,
    'sender' | 'coding' | 'priority' | 'testMode' | 'dlrUrl' | 'scheduledAt' | 'expireInSeconds'
  >
  /** What the hand-over needs later; null where it comes at once. */
  readonly sealed: (sendId: string) => Uint8Array | null
}

/** A message that was let in. */
export interface Entered extends NewMessage {
  readonly priced: Priced
}

/** What came of it. */
export type Entrance =
  | { readonly kind: 'replay'; readonly rows: readonly MessageRow[] }
  | {
      readonly kind: 'entered'
      /** Null where nothing new was let in. */
      readonly sendId: string | null
      readonly messages: readonly Entered[]
      /** By place in the request. */
      readonly refused: ReadonlyMap<number, ApiError>
      readonly replayed: ReadonlyMap<number, MessageRow>
      /** A moment before the lease began, by a clock that never goes back. */
      readonly sinceMs: number
      readonly generation: number
    }

/** Rounds of one request: what others do to its rows in between is taken up in the next. */
const ROUNDS = 8

const OWED_RETRY_SECONDS = 60

/** Between two looks for a place with the upstream. */
const PLACE_LOOK_MS = 40

/**
 * Lets a request in. Throws the refusal of all of it. A repeat is found whatever else would refuse it, by its key as by
 * what it would send, and of a list only the rest is let in: nobody is told that nothing was sent who was sent to.
 */
export async function enter(deps: SendingDeps, entry: Entry): Promise<Entrance> {
  const replayed = new Map<number, MessageRow>()
  for (;;) {
    try {
      const entrance = await enterOnce(deps, entry, replayed)
      if (entrance.kind === 'entered') await findReplayed(deps, entry, new Set(entrance.refused.keys()), replayed)
      return entrance
    } catch (error) {
      if (!(error instanceof ApiError) || KEY_REFUSALS.has(error.code)) throw error
      const found = await lookForRepeat(deps, entry, replayed)
      if (found === 'none') throw error
      if (found !== 'some') return found
    }
  }
}

const KEY_REFUSALS: ReadonlySet<string> = new Set(['SEND_IN_PROGRESS', 'IDEMPOTENCY_KEY_REUSED', 'UNAVAILABLE'])

async function enterOnce(deps: SendingDeps, entry: Entry, replayed: Map<number, MessageRow>): Promise<Entrance> {
  const { sender, key } = entry
  const isRepeat = replayed.size > 0 && replayed.size === entry.recipients.length
  if (entry.refusal && !isRepeat) throw entry.refusal
  const refused = new Map<number, ApiError>()
  const generation = await deps.operator.generation(sender.accountId)
  let approval: Approved | null = null
  let remote = entry.asksPrice
  let looked = false
  const busyUntilMs = performance.now() + deps.times.placeMs
  const entered = { kind: 'entered', refused, replayed, generation } as const
  for (let round = 0; round < ROUNDS; round++) {
    let open = entry.recipients.filter(({ position }) => !refused.has(position) && !replayed.has(position))
    const fingerprints = new Map(open.map((one) => [one.position, entry.fingerprint(one)]))
    let standings: Standings | undefined
    if (remote && open.length > 0) {
      // Before anything about a number leaves us: is it a repeat, and is it allowed?
      if (!looked) {
        looked = true
        const found = await lookForRepeat(deps, entry, replayed)
        if (found === 'some') continue
        if (found !== 'none') return found
      }
      standings = await readSpenders(deps.db, sender, deps.operator.name, sender.now())
      judgeAll(deps, entry, standings)
      open = judgeEach(deps, entry, standings, open, refused)
    }
    if (open.length === 0) return { ...entered, sendId: null, messages: [], sinceMs: performance.now() }
    let priced: Priced[]
    if (remote && standings) {
      const asked = await entry.byCost(open, generation)
      const kept = judgeEach(deps, entry, standings, asked, refused)
      if (kept.length === 0) continue
      priced = asked.filter(({ position }) => !refused.has(position))
      checkCeilings(deps, entry, standings, priced, generation)
    } else {
      priced = await entry.byRates(open)
    }
    await deps.at('priced')
    const sendId = randomUUID()
    const messages = priced.map((one) => ({
      id: entry.newId(),
      position: one.position,
      recipient: one.msisdn,
      country: one.country,
      parts: one.told?.parts ?? entry.parts,
      holdMicros: one.micros ?? 0n,
      fingerprint: fingerprints.get(one.position) ?? null,
      priced: one,
    }))
    const sinceMs = performance.now()
    const outcome = await admit(deps.db, {
      grant: { accountId: sender.accountId, connectionId: sender.connectionId, tokenId: sender.id },
      ledger: {
        accountId: sender.accountId,
        spenderId: sender.spenderId,
        upstream: deps.operator.name,
        days: daysAround(sender.now(), sender.timeZone),
      },
      limitedSender: entry.limitedSender,
      unpriced: priced.some(({ micros }) => micros === null),
      how: entry.how,
      leaseSeconds: Math.ceil(
        (entry.how === 'held' ? deps.times.runnerMs : deps.times.handOverMs + deps.times.leaseSlackMs) / 1000,
      ),
      approval: approval === null ? null : { id: approval.id, use: approval.use(sendId) },
      send: {
        id: sendId,
        kind: entry.kind,
        generation,
        route: entry.route,
        keyHash: key?.hash ?? null,
        payloadDigest: key?.digest ?? null,
        ...entry.columns,
        sealedText: entry.sealed(sendId),
        messages,
      },
    })
    switch (outcome.kind) {
      case 'admitted':
        watch(deps, sender)
        return { ...entered, sendId, messages, sinceMs }
      case 'unanswered':
        giveBackLater(
          deps,
          messages.map(({ id }) => id),
        )
        throw unavailable()
      case 'ended':
        throw new ApiError('TOKEN_INVALID')
      case 'busy':
        // As the upstream lets a surplus wait, for a moment.
        if (performance.now() < busyUntilMs) {
          round--
          await new Promise((resolve) => setTimeout(resolve, PLACE_LOOK_MS * (1 + Math.random())))
          break
        }
        throw noPlace()
      case 'owes':
        throw new ApiError('RATE_LIMITED', {
          message: 'Too many callbacks wait for servers of this account. Let them answer, or leave the URL out.',
          headers: { 'retry-after': String(OWED_RETRY_SECONDS) },
        })
      case 'too_many_waiting': {
        const { spenders } = toSpenders(outcome.stands, sender.connectionId)
        const [own] = spenders
        throw refusalOf(deps, entry, {
          code: 'TOO_MANY_WAITING',
          details: { max: WAITING_MAX, manageUrl: own ? manageUrl(deps.issuer, own.limits) : deps.issuer },
        })
      }
      case 'repeat': {
        const rows = key === null ? null : await repeatOf(deps, entry, key)
        if (rows !== null) return { kind: 'replay', rows }
        await findReplayed(deps, entry, new Set(fingerprints.keys()), replayed)
        break
      }
      case 'asks': {
        if (!remote) {
          // The owner is told the very price, and so is the limit above which he wants to be asked.
          remote = true
          break
        }
        // What went out under the approval that it used up is not asked about once more.
        const found = await lookForRepeat(deps, entry, replayed)
        if (found === 'some') break
        if (found !== 'none') return found
        const { spenders } = toSpenders(outcome.stands, sender.connectionId)
        const priceMicros = sum(priced)
        approval = await requireApproval(deps, {
          sender,
          generation,
          digest: entry.digest(),
          priceMicros,
          reasons: approvalReasons(
            spenders.map(({ limits }) => limits),
            { priceMicros, newCountries: outcome.newCountries },
          ),
          manageUrl: spenders[0] ? manageUrl(deps.issuer, spenders[0].limits) : deps.issuer,
          to: priced.map(({ msisdn }) => msisdn),
          countries: [...new Set(priced.map(({ country }) => country))],
          from: entry.shown.from,
          text: entry.shown.text,
        })
        break
      }
      case 'refused': {
        const { spenders, today } = toSpenders(outcome.stands, sender.connectionId)
        if (today === null) break
        const now = { spenders, today }
        judgeAll(deps, entry, now)
        const before = refused.size
        judgeEach(deps, entry, now, priced, refused)
        if (refused.size > before) break
        judgePrice(deps, entry, now, priced)
        // What refused it was changed in the meantime.
        break
      }
    }
  }
  throw unavailable()
}

/** The rows that stand under the key of a request, once they are not under way any more; null where it is free. */
async function repeatOf(deps: SendingDeps, entry: Entry, key: Key): Promise<readonly MessageRow[] | null> {
  const scope: KeyScope = { spenderId: entry.sender.spenderId, upstream: deps.operator.name, route: entry.route }
  const until = performance.now() + deps.times.repeatMs
  for (;;) {
    const rows = await messagesOfKey(deps.db, scope, key.hash)
    const [first] = rows
    if (first === undefined) return null
    if (!Buffer.from(first.payloadDigest ?? []).equals(Buffer.from(key.digest)))
      throw new ApiError('IDEMPOTENCY_KEY_REUSED')
    const runs = first.scheduledAt === null && rows.some(({ state }) => state === 'held' || state === 'handed_over')
    // Past the time in which it was answered, the first one has told what it could, and so may its repeat.
    if (!runs || (rows.length > 1 && first.ageMs > deps.times.answerMs)) return rows
    if (performance.now() >= until) throw new ApiError('SEND_IN_PROGRESS', { headers: { 'retry-after': '2' } })
    await new Promise((resolve) => setTimeout(resolve, REPEAT_LOOK_MS))
  }
}

const REPEAT_LOOK_MS = 100

/** What stands of a request: all of it under its key, or of some recipients what an earlier call sent. */
async function lookForRepeat(
  deps: SendingDeps,
  entry: Entry,
  replayed: Map<number, MessageRow>,
): Promise<Extract<Entrance, { kind: 'replay' }> | 'some' | 'none'> {
  const rows = entry.key === null ? null : await repeatOf(deps, entry, entry.key)
  if (rows !== null) return { kind: 'replay', rows }
  const before = replayed.size
  await findReplayed(deps, entry, new Set(entry.recipients.map(({ position }) => position)), replayed)
  return replayed.size > before ? 'some' : 'none'
}

/** Notes of the recipients in these places whom an earlier call has sent the same, once it is not under way any more. */
async function findReplayed(
  deps: SendingDeps,
  entry: Entry,
  positions: ReadonlySet<number>,
  replayed: Map<number, MessageRow>,
): Promise<void> {
  const wanted = entry.recipients.flatMap((one) => {
    const bytes = positions.has(one.position) && !replayed.has(one.position) ? entry.fingerprint(one) : null
    return bytes === null ? [] : [{ position: one.position, bytes }]
  })
  if (wanted.length === 0) return
  const until = performance.now() + deps.times.repeatMs
  for (;;) {
    const rows = await messagesOfFingerprints(
      deps.db,
      wanted.map(({ bytes }) => bytes),
    )
    const runs = rows.some(
      ({ state, scheduledAt }) => scheduledAt === null && (state === 'held' || state === 'handed_over'),
    )
    if (runs && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, REPEAT_LOOK_MS))
      continue
    }
    for (const { position, bytes } of wanted) {
      const row = rows.find(
        ({ fingerprint }) => fingerprint !== null && Buffer.from(fingerprint).equals(Buffer.from(bytes)),
      )
      if (row) replayed.set(position, row)
    }
    return
  }
}

function judgeAll(deps: SendingDeps, entry: Entry, { spenders }: Pick<Standings, 'spenders'>): void {
  const limits = spenders.map((spender) => spender.limits)
  const refusal =
    judgePause(limits, deps.issuer) ??
    (entry.limitedSender === null ? null : judgeSender(limits, entry.limitedSender, deps.issuer))
  if (refusal) throw refusalOf(deps, entry, refusal)
}

/** Those that may go; the refusals of the others are noted. Throws the refusal of the only one. */
function judgeEach<One extends Recipient>(
  deps: SendingDeps,
  entry: Entry,
  { spenders }: Pick<Standings, 'spenders'>,
  recipients: readonly (One & { readonly told?: Priced['told'] })[],
  refused: Map<number, ApiError>,
): One[] {
  const limits = spenders.map((spender) => spender.limits)
  return recipients.filter(({ position, country, told }) => {
    const refusal = judgeCountry(limits, country, deps.issuer, told?.country ?? country)
    if (refusal === null) return true
    const error = refusalOf(deps, entry, refusal, country)
    if (entry.single) throw error
    refused.set(position, error)
    return false
  })
}

function judgePrice(deps: SendingDeps, entry: Entry, { spenders, today }: Standings, priced: readonly Priced[]): void {
  const limits = spenders.map((spender) => spender.limits)
  const unknown = priced.find(({ micros }) => micros === null)
  const refusal =
    (unknown ? judgeUnknownPrice(limits, unknown.country, deps.issuer) : null) ??
    judgeCaps(
      spenders,
      { priceMicros: sum(priced), recipients: priced.length, scheduled: entry.how === 'scheduled' },
      today,
      deps.issuer,
    )
  if (refusal) throw refusalOf(deps, entry, refusal, unknown?.country ?? null)
}

/** Throws PRICE_CHANGED above what was allowed for the whole send, QUOTE_EXPIRED for a quote that is over or for another. */
function checkCeilings(
  deps: SendingDeps,
  entry: Entry,
  { spenders }: Standings,
  priced: readonly Priced[],
  generation: number,
): void {
  if (entry.maxPriceMicros === null && entry.quoteId === null) return
  const ceilings = entry.maxPriceMicros === null ? [] : [entry.maxPriceMicros]
  if (entry.quoteId !== null) {
    const scope = {
      spenderId: entry.sender.spenderId,
      upstream: deps.operator.name,
      generation,
      digest: entry.digest(),
    }
    const quote = checkQuote(deps.keys.quote, scope, entry.quoteId, entry.sender.now())
    if (quote.kind !== 'ok') throw new ApiError('QUOTE_EXPIRED')
    ceilings.push(quote.priceMicros)
  }
  const unknown = priced.find(({ micros }) => micros === null)
  const [own] = spenders
  if (unknown && own) {
    const details = { country: unknown.country, manageUrl: manageUrl(deps.issuer, own.limits) }
    throw refusalOf(deps, entry, { code: 'PRICE_UNKNOWN', details }, unknown.country)
  }
  const price = sum(priced)
  const ceiling = ceilings.reduce(lesser)
  if (price <= ceiling) return
  const details = { price: toEurText(price), maxPrice: toEurText(ceiling), currency: CURRENCY }
  throw new ApiError('PRICE_CHANGED', { details })
}

/** A connection is looked at behind its answer; what a token made by hand does is its owner's own doing. */
function watch({ watch, operator }: SendingDeps, { connectionId, accountId, spenderId }: Sender): void {
  if (connectionId !== null) watch.note({ accountId, spenderId, upstream: operator.name })
}

/** The refusal as an error; it is noted in the activity, which nobody waits for. */
function refusalOf(
  deps: SendingDeps,
  entry: Entry,
  { code, details }: Refusal,
  country: string | null = null,
): ApiError {
  const { sender, kind } = entry
  const noted = deps.refusals
    .note({
      accountId: sender.accountId,
      spenderId: sender.spenderId,
      what: kind,
      outcome: code,
      country,
      upstream: deps.operator.name,
    })
    .then(() => watch(deps, sender))
    .catch((error: Error) => deps.log.warn({ err: error }, 'refusal not noted'))
  inBackground(deps, noted)
  return new ApiError(code, { details })
}

function lesser(left: bigint, right: bigint): bigint {
  if (left < right) return left
  return right
}

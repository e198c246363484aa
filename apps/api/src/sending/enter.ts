// From a request that was read to one that is let in: repeat, judgement, price and admission, until nothing changes under it.
import { randomUUID } from 'node:crypto'
import { ApiError } from '../http/api-error.ts'
import { unavailable } from '../http/error-answers.ts'
import { admit } from '../ledger/admit.ts'
import { readSpenders, type Standings } from '../ledger/spenders.ts'
import { toSpenders, WAITING_MAX } from '../ledger/standing.ts'
import { daysAround } from '../limits/days.ts'
import { approvalReasons, manageUrl } from '../limits/judge.ts'
import { type Approved, requireApproval } from './approval.ts'
import type { SendingDeps } from './deps.ts'
import type { Entrance, Entry } from './entry.ts'
import { giveBackLater } from './hand-over.ts'
import { checkCeilings, judgeAll, judgeEach, judgePrice, refusalOf, watch } from './judgements.ts'
import { pause } from './pause.ts'
import { noPlace } from './places.ts'
import { type Priced, sum } from './price.ts'
import { findReplayed, lookForRepeat, repeatOf } from './replayed.ts'
import type { MessageRow } from './rows.ts'

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
  let maxMicros: bigint | null = null
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
      maxMicros = checkCeilings(deps, entry, standings, priced, generation)
    } else {
      priced = await entry.byRates(open)
    }
    await deps.at('priced')
    const sendId = randomUUID()
    // Messages are handed over, told and listed by their ids: random as they are, those of a list grow in its order.
    const ids = priced.map(() => entry.newId()).sort((one, other) => (one < other ? -1 : 1))
    const inOrder = [...priced].sort((one, other) => one.position - other.position)
    const messages = inOrder.map((one, at) => ({
      id: ids[at] ?? entry.newId(),
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
        sealedText: entry.sealed(sendId, maxMicros),
        messages,
      },
    })
    switch (outcome.kind) {
      case 'admitted':
        // What goes out is looked at when it has; what waits is counted by its limits from here on.
        if (entry.how === 'scheduled') watch(deps, sender)
        return { ...entered, sendId, messages, sinceMs }
      case 'unanswered':
        giveBackLater(
          deps,
          sender,
          messages.map(({ id }) => id),
        )
        throw unavailable()
      case 'ended':
        throw new ApiError('TOKEN_INVALID')
      case 'ends_before':
        throw new ApiError('INVALID_INPUT', { reason: 'scheduled_after_end' })
      case 'busy':
        // As the upstream lets a surplus wait, for a moment.
        if (performance.now() < busyUntilMs) {
          round--
          await pause(PLACE_LOOK_MS * (1 + Math.random()))
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
          scheduledAt: entry.columns.scheduledAt,
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

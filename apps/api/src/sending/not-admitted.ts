// What becomes of a request whose messages were not admitted: its refusal, what it repeats, or another round.
import { setTimeout as delay } from 'node:timers/promises'
import { tooManyOwed } from '../callback-lane.ts'
import { ApiError } from '../http/api-error.ts'
import { unavailable } from '../http/error-answers.ts'
import type { Admitted, AdmittedOrOpen } from '../ledger/admit.ts'
import { toSpenders, WAITING_MAX } from '../ledger/standing.ts'
import { approvalReasons, manageUrl } from '../limits/judge.ts'
import { requireApproval } from './approval.ts'
import type { SendingDeps } from './deps.ts'
import type { Entered, Entry, Next, Progress } from './entry.ts'
import { giveBackLater } from './give-back.ts'
import { judgeAll, judgeEach, judgePrice, refusalOf } from './judgements.ts'
import { noPlace } from './places.ts'
import { type Priced, sum } from './price.ts'
import { findReplayed, lookForRepeat, repeatOf } from './replayed.ts'
import type { Recipient } from './request.ts'

type NotAdmitted = Exclude<AdmittedOrOpen, { kind: 'admitted' }>
type Of<Kind extends NotAdmitted['kind']> = Extract<Admitted, { kind: Kind }>

/** What a round tried. */
interface Tried {
  /** Those who were neither refused nor sent to when it began. */
  readonly open: readonly Recipient[]
  /** Those who were to be sent to. */
  readonly priced: readonly Priced[]
  readonly messages: readonly Entered[]
}

/** Between two looks for a place with the upstream. */
const PLACE_LOOK_MS = 40

/** Throws the refusal of all of it; else what it repeats, or what the next round is to take up. */
export async function whenNotAdmitted(
  deps: SendingDeps,
  entry: Entry,
  progress: Progress,
  outcome: NotAdmitted,
  tried: Tried,
): Promise<Next> {
  const { sender } = entry
  if (outcome.isOpen) {
    giveBackLater(deps, sender, {
      messageIds: tried.messages.map(({ id }) => id),
      isFoundAgain: entry.key !== null || tried.messages.some(({ fingerprint }) => fingerprint !== null),
    })
  }
  switch (outcome.kind) {
    case 'unanswered':
      throw unavailable()
    case 'ended':
      throw new ApiError('TOKEN_INVALID')
    case 'ends_before':
      throw new ApiError('INVALID_INPUT', { reason: 'scheduled_after_end' })
    case 'busy':
      // As the upstream lets a surplus wait, for a moment.
      if (performance.now() >= progress.busyUntilMs) throw noPlace()
      await delay(PLACE_LOOK_MS * (1 + Math.random()))
      return 'busy'
    case 'owes':
      throw tooManyOwed()
    case 'too_many_waiting': {
      const { spenders } = toSpenders(outcome.stands, sender.connectionId)
      const [own] = spenders
      throw refusalOf(deps, entry, {
        code: 'TOO_MANY_WAITING',
        details: { max: WAITING_MAX, manageUrl: own ? manageUrl(deps.issuer, own.limits) : deps.issuer },
      })
    }
    case 'repeat':
      return repeated(deps, entry, progress, tried)
    case 'asks':
      return askOwner(deps, entry, progress, outcome, tried)
    case 'refused':
      return judgeAgain(deps, entry, progress, outcome, tried)
  }
}

async function repeated(deps: SendingDeps, entry: Entry, { replayed }: Progress, { open }: Tried): Promise<Next> {
  const { key } = entry
  const rows = key === null ? null : await repeatOf(deps, entry, key)
  if (rows !== null) return { kind: 'replay', rows }
  await findReplayed(deps, entry, new Set(open.map(({ position }) => position)), replayed)
  return 'again'
}

/** Notes the owner's approval of it. Throws what {@link requireApproval} does where there is none. */
async function askOwner(
  deps: SendingDeps,
  entry: Entry,
  progress: Progress,
  { stands, newCountries }: Of<'asks'>,
  { priced }: Tried,
): Promise<Next> {
  const { sender } = entry
  if (!progress.remote) {
    // The owner is told the very price, and so is the limit above which he wants to be asked.
    progress.remote = true
    return 'again'
  }
  // What went out under the approval that it used up is not asked about once more.
  const found = await lookForRepeat(deps, entry, progress.replayed)
  if (found === 'some') return 'again'
  if (found !== 'none') return found
  const { spenders } = toSpenders(stands, sender.connectionId)
  const priceMicros = sum(priced)
  progress.approval = await requireApproval(deps, {
    kind: entry.kind,
    sender,
    generation: progress.generation,
    digest: entry.digest(),
    priceMicros,
    reasons: approvalReasons(
      spenders.map(({ limits }) => limits),
      { priceMicros, newCountries },
    ),
    manageUrl: spenders[0] ? manageUrl(deps.issuer, spenders[0].limits) : deps.issuer,
    to: priced.map(({ msisdn }) => msisdn),
    countries: [...new Set(priced.map(({ country }) => country))],
    from: entry.shown.from,
    text: entry.shown.text,
    scheduledAt: entry.columns.scheduledAt,
  })
  return 'again'
}

/** Throws what the rows refuse it for; notes which recipients they refuse. */
function judgeAgain(
  deps: SendingDeps,
  entry: Entry,
  { refused }: Progress,
  { stands }: Of<'refused'>,
  { priced }: Tried,
): Next {
  const { spenders, today } = toSpenders(stands, entry.sender.connectionId)
  if (today === null) return 'again'
  const now = { spenders, today }
  judgeAll(deps, entry, now)
  const before = refused.size
  judgeEach(deps, entry, now, priced, refused)
  // Where none of them is, what refused it was changed in the meantime.
  if (refused.size === before) judgePrice(deps, entry, now, priced)
  return 'again'
}

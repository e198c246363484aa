// Which of a request's messages earlier calls have sent already: under its key, or the same to the same person.
import { setTimeout as delay } from 'node:timers/promises'
import { ApiError } from '../http/api-error.ts'
import type { KeyScope } from '../ledger/key.ts'
import type { SendingDeps } from './deps.ts'
import type { Entrance, Entry } from './entry.ts'
import { beingGivenBack } from './give-back.ts'
import type { Key } from './repeat.ts'
import { type MessageRow, messagesOfFingerprints, messagesOfKey } from './rows.ts'

/** The rows that stand under the key of a request, once they are not under way any more; null where it is free. */
export async function repeatOf(deps: SendingDeps, entry: Entry, key: Key): Promise<readonly MessageRow[] | null> {
  const scope: KeyScope = { spenderId: entry.sender.spenderId, upstream: deps.operator.name, route: entry.route }
  const until = performance.now() + deps.times.repeatMs
  for (;;) {
    const givenBack = beingGivenBack(deps)
    const rows = await messagesOfKey(deps.db, scope, key.hash)
    const [first] = rows
    if (first === undefined) return null
    if (!isOfRequest(first, key)) throw new ApiError('IDEMPOTENCY_KEY_REUSED')
    const isGivenBack = rows.some(({ id }) => givenBack.has(id))
    const runs = isGivenBack || rows.some(isUnderWay)
    // Past the time in which it was answered, the first one has told what it could, and so may its repeat.
    if (!runs || (!isGivenBack && rows.length > 1 && first.ageMs > deps.times.answerMs)) return rows
    if (performance.now() >= until) throw new ApiError('SEND_IN_PROGRESS', { headers: { 'retry-after': '2' } })
    await delay(REPEAT_LOOK_MS)
  }
}

function isUnderWay({ state, scheduledAt }: MessageRow): boolean {
  return scheduledAt === null && (state === 'held' || state === 'handed_over')
}

function isOfRequest({ payloadDigest }: MessageRow, { digest, formerDigest }: Key): boolean {
  const kept = Buffer.from(payloadDigest ?? [])
  return kept.equals(digest) || (formerDigest !== undefined && kept.equals(formerDigest()))
}

const REPEAT_LOOK_MS = 100

/** What stands of a request: all of it under its key, or of some recipients what an earlier call sent. */
export async function lookForRepeat(
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
export async function findReplayed(
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
    const givenBack = beingGivenBack(deps)
    const rows = await messagesOfFingerprints(
      deps.db,
      wanted.map(({ bytes }) => bytes),
    )
    const runs = rows.some((row) => givenBack.has(row.id) || isUnderWay(row))
    if (runs && performance.now() < until) {
      await delay(REPEAT_LOOK_MS)
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

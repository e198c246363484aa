// Gives back what a statement that was never answered may have let in, or may still let in.
import { ADMITTED_WITHIN_MS } from '../ledger/admit.ts'
import { settle } from '../ledger/settle.ts'
import type { SendingDeps, Whose } from './deps.ts'
import { inBackground, notHandedOver, untilTrue } from './hand-over.ts'

/** A statement whose connection broke is over after this, with all that it waited for: no server lets one run so long. */
const STATEMENT_OVER_MS = ADMITTED_WITHIN_MS + 30_000
const GIVE_BACK_PAUSE_MS = 1_000

/** Processes that stop: they look once more, and leave the rest to the sweep. */
const stopping = new WeakSet<SendingDeps>()

/** What a process is giving back. */
const givingBack = new WeakMap<SendingDeps, Set<bigint>>()

/** The messages that this process is giving back at the moment: they stand as they were let in, and will not. */
export function beingGivenBack(deps: SendingDeps): ReadonlySet<bigint> {
  return new Set(givingBack.get(deps))
}

/** What waits for statements that may still run is ended soon. */
export function stopGivingBack(deps: SendingDeps): void {
  stopping.add(deps)
}

/**
 * Gives back what a statement that was never answered may have let in, or may still let in: it waits for its locks at the
 * server, whoever has gone. The caller was told that nothing was sent, and no id; where it `isFoundAgain` a repeat may have
 * been told the id meanwhile, and the caller's URL is owed what became of it.
 */
export function giveBackLater(
  deps: SendingDeps,
  sender: Whose,
  { messageIds, isFoundAgain }: { readonly messageIds: readonly bigint[]; readonly isFoundAgain: boolean },
): void {
  const open = new Set(messageIds)
  const all = givingBack.get(deps) ?? new Set()
  givingBack.set(deps, all)
  for (const id of open) all.add(id)
  const isDone = (id: bigint) => {
    open.delete(id)
    all.delete(id)
  }
  const given = async () => {
    const settlements = [...open].map((messageId) => ({
      ...notHandedOver(messageId),
      ...(isFoundAgain ? {} : { post: 'never' as const }),
    }))
    for (const { id } of await settle(deps.db, settlements)) isDone(id)
    return open.size === 0
  }
  const looking = async () => (await given().catch(() => false)) || stopping.has(deps)
  const over = untilTrue(looking, { withinMs: STATEMENT_OVER_MS, pauseMaxMs: GIVE_BACK_PAUSE_MS })
  inBackground(
    deps,
    sender,
    over.finally(() => open.forEach(isDone)),
  )
}

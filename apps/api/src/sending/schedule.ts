// Scheduled sends, whose time has come: judged and admitted to the day at that day's price, then run as a list is.
import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import { EXPIRE_IN_SECONDS } from '@vertexsms/contract/rest'
import { Prisma } from '@vertexsms/db/client'
import { open } from '@vertexsms/secrets/seal'
import type { Job } from '@vertexsms/service/jobs'
import { within } from '@vertexsms/service/within'
import { ApiError } from '../http/api-error.ts'
import { IS_LATE } from '../ledger/claim.ts'
import { settleWhere } from '../ledger/release.ts'
import { EXPIRED } from '../ledger/unsent.ts'
import { LIMITS } from '../service-limits.ts'
import { type AtItsTime, admitAtItsTime, type Due } from './admit-due.ts'
import { byAccount } from './by-account.ts'
import { cancelEndedOf } from './cancel.ts'
import { type SendingDeps, whose } from './deps.ts'
import { beginLease, type DueSend, takeDue, type WaitingRecipient, waitingOf } from './due-sends.ts'
import { inBackground } from './hand-over.ts'
import { createCrowd } from './places.ts'
import type { Content } from './request.ts'
import type { RunMessage } from './run-messages.ts'
import type { Sending } from './send.ts'
import { readWaiting, sealedContext } from './waiting.ts'

/** The job that hands over what is due. */
export const SCHEDULE = 'schedule'

/** Hands over what is due; several nodes share it. */
export function createScheduleJob(deps: SendingDeps, sending: Sending, everyMs: number): Job {
  const { db, operator } = deps
  const underWay = createCrowd(LIMITS.lists.duePerAccount)
  /** Accounts of which something that a turn took is judged yet. */
  const judged = new Set<string>()

  return {
    name: SCHEDULE,
    everyMs,
    async run() {
      if (sending.stopping()) return 0
      const late = Prisma.sql`m.state IN ('scheduled', 'held') AND s.sealed_text IS NOT NULL
        AND s.scheduled_at <= database_now() AND ${IS_LATE} AND (s.runner_until IS NULL OR s.runner_until <= database_now())`
      const expired = await settleWhere(db, late, { outcome: 'released', failure: null, reason: EXPIRED })
      const due = await takeDue(db, operator.name, [...underWay.full(), ...judged])
      // Accounts side by side: what is slow or goes wrong for one is nothing to the others. Those of one keep their order.
      await within(Promise.all([...byAccount(due)].map(beginInTurn)), deps.times.turnMs)
      return expired.length + due.length
    },
  }

  /**
   * A token that is gone or refused is only its owner's to mend, and ends what waits for it, as it ends what is sent at once.
   * What fails otherwise is tried again when the lease of its turn is over, until it is late.
   */
  async function beginInTurn([accountId, sends]: readonly [string, readonly DueSend[]]): Promise<void> {
    judged.add(accountId)
    for (const send of sends) {
      if (sending.stopping()) break
      await begin(send)
        .catch((error: unknown) => {
          if (!(error instanceof ApiError)) throw error
          if (error.code === 'UPSTREAM_ACCOUNT_MISSING') return giveUp(send, null, 'account_changed')
          if (error.code === 'UPSTREAM_ACCOUNT_REFUSED') return giveUp(send, error.code, null)
          throw error
        })
        .catch((error: Error) => deps.log.warn({ ...whose(send), err: error }, 'scheduled send not begun'))
    }
    judged.delete(accountId)
  }

  async function begin(send: DueSend): Promise<void> {
    const waits = read(send)
    if (waits === null) return giveUp(send, null, 'cancelled')
    if (send.generation !== (await operator.generation(send.accountId))) return giveUp(send, null, 'account_changed')
    const content = { ...waits.content, expireInSeconds: validityLeft(waits.content, send) }
    const recipients = await waitingOf(db, send.id)
    const due = { send, content, recipients, maxMicros: waits.maxMicros }
    const outcome = send.held ? await goOn(due) : await admitAtItsTime(deps, sending.prices, due)
    switch (outcome.kind) {
      case 'admitted':
        return hand(send, content, recipients, outcome.priced)
      case 'refused':
        return giveUp(send, outcome.code, outcome.cap)
      case 'ended':
        await cancelEndedOf(db, [send.id])
        return giveUp(send, null, 'cancelled')
      case 'later':
    }
  }

  /** What a runner had that is gone was admitted by that one, at the price that is held for it. */
  async function goOn({ send, recipients }: Pick<Due, 'send' | 'recipients'>): Promise<AtItsTime> {
    const priced = recipients.map(({ parts, holdMicros, holdTold }) => ({
      told: holdTold ? { micros: holdMicros, parts } : null,
      heldMicros: holdMicros,
    }))
    return (await beginLease(db, send, deps.times.runnerMs)) ? { kind: 'admitted', priced } : { kind: 'later' }
  }

  function hand(
    send: DueSend,
    content: Content,
    recipients: readonly WaitingRecipient[],
    priced: readonly Pick<RunMessage, 'told' | 'heldMicros'>[],
  ): void {
    const messages = recipients.map(({ id, msisdn }, at) => ({
      id,
      recipient: msisdn,
      ...(priced[at] ?? { told: null, heldMicros: 0n }),
    }))
    const done = underWay.join(send.accountId) ?? (() => {})
    const { id: sendId, runnerId, generation } = send
    const running = sending.run({ sendId, runnerId, sender: send, generation, content, messages })
    inBackground(deps, send, running.finally(done))
  }

  function read({ id, accountId, sealedText }: DueSend): ReturnType<typeof readWaiting> | null {
    if (sealedText === null) return null
    try {
      return readWaiting(open(deps.keys['send-text'], sealedText, sealedContext(accountId, id)))
    } catch {
      // Under a key that is gone, or not ours.
      return null
    }
  }

  /** Releases what waits of it as it was taken; what another node took meanwhile, or admitted, is that one's to judge. */
  async function giveUp(
    { id, runnerId, held }: DueSend,
    failure: ApiErrorCode | null,
    reason: string | null,
  ): Promise<void> {
    const waiting = Prisma.sql`s.id = ${id}::uuid AND s.runner_id = ${runnerId}::uuid
      AND m.state = ${held ? 'held' : 'scheduled'}::send_state`
    await settleWhere(db, waiting, { outcome: 'released', failure, reason })
  }
}

/** Of a validity that counts from the scheduled time; never less than the operator takes. */
function validityLeft(
  { expireInSeconds }: Pick<Content, 'expireInSeconds'>,
  { scheduledAt, takenAt }: Pick<DueSend, 'scheduledAt' | 'takenAt'>,
): number | null {
  if (expireInSeconds === null) return null
  const lateSeconds = Math.floor((takenAt.getTime() - scheduledAt.getTime()) / 1000)
  return Math.max(expireInSeconds - lateSeconds, EXPIRE_IN_SECONDS.min)
}

// Scheduled sends, whose time has come: judged and admitted to the day at that day's price, then run as a list is.
// In one file, for every step asks whether the send is still this turn's.
import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import type { Cap } from '@vertexsms/contract/limits'
import { EXPIRE_IN_SECONDS } from '@vertexsms/contract/rest'
import { type Database, Prisma } from '@vertexsms/db/client'
import { open } from '@vertexsms/secrets/seal'
import type { Job } from '@vertexsms/service/jobs'
import { within } from '@vertexsms/service/within'
import { ApiError } from '../http/api-error.ts'
import { IS_LATE } from '../ledger/claim.ts'
import { admitDue, type DueAdmitted } from '../ledger/due.ts'
import { settleWhere } from '../ledger/release.ts'
import { toSpenders } from '../ledger/standing.ts'
import { EXPIRED } from '../ledger/unsent.ts'
import { daysAround } from '../limits/days.ts'
import {
  capOf,
  judgeCaps,
  judgeCountry,
  judgePause,
  judgeSender,
  judgeUnknownPrice,
  type Refusal,
} from '../limits/judge.ts'
import { LIMITS } from '../service-limits.ts'
import { cancelEndedOf } from './cancel.ts'
import { type SendingDeps, whose } from './deps.ts'
import { inBackground } from './hand-over.ts'
import { createCrowd } from './places.ts'
import { COST_MAX, type Priced, sum } from './price.ts'
import type { Content } from './request.ts'
import type { RunnerOf } from './run-messages.ts'
import type { Sending } from './send.ts'
import { readWaiting, sealedContext } from './waiting.ts'

/** The job that hands over what is due. */
export const SCHEDULE = 'schedule'

/** What refuses a send for its price: by its very price it may go. */
const OF_PRICE: ReadonlySet<ApiErrorCode> = new Set(['PRICE_CHANGED', 'PRICE_UNKNOWN', 'SPEND_CAP_REACHED'])

/** Sends of one turn, and of one account in it. */
const BATCH = 20
const BATCH_OF_ACCOUNT = 8

interface DueSend extends RunnerOf {
  readonly id: string
  readonly generation: number
  readonly sealedText: Uint8Array | null
  readonly timeZone: string | null
  readonly scheduledAt: Date
  readonly takenAt: Date
  /** Of the turn for which it is ours; another where somebody took it after that. */
  readonly runnerId: string
  /** True where a runner had it, and is gone. */
  readonly held: boolean
}

interface Waiting {
  readonly id: bigint
  readonly position: number
  readonly recipient: string
  readonly country: string
}

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
    const { maxMicros } = waits
    const content = { ...waits.content, expireInSeconds: validityLeft(waits.content, send) }
    const waiting = await db.$queryRaw<Waiting[]>`
      SELECT id, position, recipient, country FROM send_message
      WHERE send_id = ${send.id}::uuid AND state IN ('scheduled', 'held') ORDER BY position`
    const recipients = waiting.map(({ id, position, recipient, country }) => ({
      id,
      position,
      msisdn: recipient,
      country,
    }))
    let priced = await sending.prices.byRates(send.accountId, content, recipients)
    if (!send.held) {
      const { accountId, spenderId } = send
      const days = daysAround(send.takenAt, send.timeZone)
      const admitAt = (prices: readonly Priced[]) =>
        admitDue(db, {
          grant: send,
          ledger: { accountId, spenderId, upstream: operator.name, days },
          sendId: send.id,
          generation: send.generation,
          runnerId: send.runnerId,
          limitedSender: content.sender,
          unpriced: prices.some(({ micros }) => micros === null),
          maxMicros,
          holds: prices.map(({ micros }, at) => ({ id: recipients[at]?.id ?? 0n, holdMicros: micros ?? 0n })),
          runnerSeconds: Math.ceil(deps.times.runnerMs / 1000),
        })
      let outcome = await admitAt(priced)
      let refused = refusedBy(send, content, priced, outcome)
      const isAllowedByPrice = maxMicros !== null || outcome.kind === 'dearer' || recipients.length <= COST_MAX
      if (refused !== null && OF_PRICE.has(refused.code) && isAllowedByPrice) {
        // It may have been allowed by its very price, and is judged by that again.
        priced = await sending.prices.byCost(send, content, recipients)
        refused = refusedBy(send, content, priced, outcome)
        if (refused === null || OF_PRICE.has(refused.code)) {
          outcome = await admitAt(priced)
          refused = refusedBy(send, content, priced, outcome)
        }
        // The next turn asks anew.
        if (refused?.code === 'PRICE_CHANGED' && priced.some(({ told }) => told === null)) return
      }
      if (refused !== null) return giveUp(send, refused.code, refused.cap)
      if (outcome.kind === 'ended') {
        await cancelEndedOf(db, [send.id])
        return giveUp(send, null, 'cancelled')
      }
      // It, or what refused it, was changed meanwhile: the next turn asks anew.
      if (outcome.kind !== 'admitted') return
    } else if (!(await beginLease(send))) return
    const messages = recipients.map(({ id, msisdn }, at) => ({
      id,
      recipient: msisdn,
      told: priced[at]?.told ?? null,
      heldMicros: priced[at]?.micros ?? 0n,
    }))
    const done = underWay.join(send.accountId) ?? (() => {})
    const running = sending.run({
      sendId: send.id,
      runnerId: send.runnerId,
      sender: send,
      generation: send.generation,
      content,
      messages,
    })
    inBackground(deps, send, running.finally(done))
  }

  /** Why it may not go at these prices, by the rows that are told with the outcome; null for what does not refuse it. */
  function refusedBy(
    send: DueSend,
    content: Content,
    priced: readonly Priced[],
    outcome: DueAdmitted,
  ): { readonly code: ApiErrorCode; readonly cap: Cap | null } | null {
    if (outcome.kind !== 'dearer' && outcome.kind !== 'refused') return null
    const { spenders, today } = toSpenders(outcome.stands, send.connectionId)
    const limits = spenders.map((spender) => spender.limits)
    const unknown = priced.find(({ micros }) => micros === null)
    const asked = { priceMicros: sum(priced), recipients: priced.length, scheduled: false }
    const refusal: Refusal | null =
      judgePause(limits, deps.issuer) ??
      judgeSender(limits, content.sender, deps.issuer) ??
      priced
        .map(({ country, told }) => judgeCountry(limits, country, deps.issuer, told?.country ?? country))
        .find((one) => one !== null) ??
      (unknown ? judgeUnknownPrice(limits, unknown.country, deps.issuer) : null) ??
      (today === null ? null : judgeCaps(spenders, asked, today, deps.issuer))
    if (refusal) return { code: refusal.code, cap: capOf(refusal) }
    return outcome.kind === 'dearer' ? { code: 'PRICE_CHANGED', cap: null } : null
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

  /** Of its runner; false where another node took it meanwhile. */
  async function beginLease({ id, runnerId }: DueSend): Promise<boolean> {
    const begun = await db.$executeRaw`
      UPDATE send SET runner_until = database_now() + ${Math.ceil(deps.times.runnerMs / 1000)}::int * interval '1 second'
      WHERE id = ${id}::uuid AND runner_id = ${runnerId}::uuid`
    return begun > 0
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

/** Of each account, in their order. */
function byAccount(due: readonly DueSend[]): Map<string, DueSend[]> {
  const accounts = new Map<string, DueSend[]>()
  for (const send of due) accounts.set(send.accountId, [...(accounts.get(send.accountId) ?? []), send])
  return accounts
}

/**
 * Takes sends that are due, for the time of a turn, and those whose runner is gone: a few of each account, and none of
 * those that are `full`, so that one with many does not hold up the others; nor what is late, of which there may be more
 * than one turn lets expire. The first of every account comes before the second of any, and the rest of what has begun
 * before what has not: it was let in, and ends. What had a turn and was not comes after what had none, and after what
 * waits longer for its next: those whose price cannot be had do not hold up the others. Those of one account are told in
 * that order.
 */
function takeDue(db: Database, upstream: string, full: readonly string[]): Promise<DueSend[]> {
  const isDue = Prisma.sql`s.scheduled_at <= database_now() AND s.upstream = ${upstream} AND s.sealed_text IS NOT NULL
    AND (s.runner_until IS NULL OR s.runner_until <= database_now()) AND NOT ${IS_LATE}`
  const hasBegun = Prisma.sql`s.runner_until IS NOT NULL
    AND EXISTS (SELECT FROM send_message m WHERE m.send_id = s.id AND m.state = 'held')`
  const order = Prisma.sql`s.runner_until NULLS FIRST, s.priority, s.scheduled_at`
  return db.$queryRaw<DueSend[]>`
    WITH waiting AS MATERIALIZED (
      SELECT s.id, ${hasBegun} AS begun,
             row_number() OVER (PARTITION BY s.account_id ORDER BY (${hasBegun}) DESC, ${order}) AS turn
      FROM send s WHERE ${isDue} AND s.account_id <> ALL (${[...full]}::uuid[])
        AND EXISTS (SELECT FROM send_message m WHERE m.send_id = s.id AND m.state IN ('scheduled', 'held'))
    ), due AS MATERIALIZED (
      SELECT s.id FROM waiting w JOIN send s ON s.id = w.id
      WHERE ${isDue} AND w.turn <= ${BATCH_OF_ACCOUNT}::int
      ORDER BY w.turn, w.begun DESC, ${order} LIMIT ${BATCH}::int FOR NO KEY UPDATE OF s SKIP LOCKED
    ), taken AS (
      UPDATE send s SET runner_until = database_now() + interval '30 seconds', runner_id = gen_random_uuid()
      FROM due WHERE s.id = due.id
      RETURNING s.*
    )
    SELECT t.id::text AS id, t.account_id::text AS "accountId", t.spender_id::text AS "spenderId",
           t.connection_id::text AS "connectionId", t.token_id::text AS "tokenId", t.generation,
           t.sealed_text AS "sealedText", a.time_zone AS "timeZone", t.scheduled_at AS "scheduledAt",
           database_now() AS "takenAt", t.runner_id::text AS "runnerId",
           EXISTS (SELECT FROM send_message m WHERE m.send_id = t.id AND m.state = 'held') AS held
    FROM taken t JOIN waiting w ON w.id = t.id JOIN account a ON a.id = t.account_id
    ORDER BY w.turn`
}

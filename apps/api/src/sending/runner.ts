// Runs the held messages of a list: settles one chunk and claims the next in one statement, until none is left.
import { setTimeout as delay } from 'node:timers/promises'
import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import { type Database, Prisma } from '@vertexsms/db/client'
import { spenderGoes } from '@vertexsms/db/paused'
import { within } from '@vertexsms/service/within'
import { CHUNK, type Claim, IS_LATE } from '../ledger/claim.ts'
import { isCurrent } from '../ledger/current.ts'
import { settleWhere } from '../ledger/release.ts'
import { type Settlement, settle, settleAndClaim } from '../ledger/settle.ts'
import { EXPIRED, NOT_SENT } from '../ledger/unsent.ts'
import { connectionOnlyReads, openLive } from '../live.ts'
import { type SendingDeps, type Whose, whose } from './deps.ts'
import { handOver, notHandedOver, settleLater, type ToHandOver } from './hand-over.ts'
import { watch } from './judgements.ts'

/** One message of a list and how it is handed over. */
export type Item = Pick<ToHandOver, 'told' | 'heldMicros' | 'call'>

/** A list, under the lease of this process. */
export interface List {
  readonly sender: Whose
  readonly claim: Omit<Claim, 'leaseSeconds' | 'runnerSeconds'>
  /** By the id of the message. */
  readonly items: ReadonlyMap<bigint, Item>
  /** True once the process is to stop: nothing more is claimed. */
  readonly stopping: () => boolean
}

/** Between two looks for a place with the upstream. */
const PLACE_LOOK_MS = 100

/** After a statement that failed. */
const RETRY_MS = 250

/**
 * Hands over what is held, each message once, and settles it, when the turn of the list comes. What may not go any more is
 * released. Never throws.
 */
export async function runList(deps: SendingDeps, list: List): Promise<void> {
  const giveBack = await turnOf(deps, list)
  if (giveBack === null) return
  try {
    await runInTurn(deps, list)
  } finally {
    giveBack()
  }
}

/** Between two looks of a list that waits for its turn. */
const TURN_LOOK_MS = 200

/** Times in one lease that it is renewed while the turn is waited for. */
const RENEWALS = 3

/**
 * Waits for as many places as a chunk needs, asking the database for nothing but to keep the lease of the runner. Null
 * where the list is over before its turn: given back, or left to another node.
 */
async function turnOf(deps: SendingDeps, { sender, claim, items, stopping }: List): Promise<(() => void) | null> {
  const { runnerMs } = deps.times
  const taking = deps.turns.take(claim.grant.accountId, null, Math.min(Math.max(items.size, 1), CHUNK))
  const taken: { turn?: () => void } = {}
  taking.then((giveBack) => {
    if (giveBack !== null) taken.turn = giveBack
  })
  const giveUp = () => taking.then((giveBack) => giveBack?.())
  for (let renewedMs = performance.now(); ; ) {
    await within(taking, TURN_LOOK_MS)
    if (taken.turn !== undefined) return taken.turn
    if (stopping()) {
      giveUp()
      // The lease ends by itself where the database does not answer.
      await leave(deps.db, claim, []).catch((error: Error) =>
        deps.log.warn({ ...whose(sender), err: error }, 'list not left'),
      )
      return null
    }
    const now = performance.now()
    if (now - renewedMs < runnerMs / RENEWALS) continue
    const kept = await keepLease(deps.db, claim, Math.ceil(runnerMs / 1000)).catch(() => null)
    if (kept === true) renewedMs = now
    if (kept === false) {
      giveUp()
      return null
    }
  }
}

/** A condition: this process has the send `s`, which no other took up meanwhile. */
function isOurs({ sendId, runnerId }: Pick<Claim, 'sendId' | 'runnerId'>): Prisma.Sql {
  return Prisma.sql`(s.id = ${sendId}::uuid AND s.runner_id IS NOT DISTINCT FROM ${runnerId}::uuid)`
}

/** False for a list whose lease was over, or of which nothing waits any more. */
async function keepLease(db: Database, claim: List['claim'], seconds: number): Promise<boolean> {
  const kept = await db.$executeRaw`
    UPDATE send s SET runner_until = database_now() + ${seconds}::int * interval '1 second'
    WHERE ${isOurs(claim)} AND s.runner_until > database_now()
      AND EXISTS (SELECT FROM send_message m WHERE m.send_id = s.id AND m.state = 'held')`
  return kept > 0
}

async function runInTurn(deps: SendingDeps, { sender, claim, items, stopping }: List): Promise<void> {
  const { times } = deps
  const handed = new Set<bigint>()
  let settlements: Settlement[] = []
  // For good: a statement without an answer may wait for its locks yet, and claim behind those that follow it.
  let lost = false
  let failingSinceMs: number | null = null
  const leases = {
    leaseSeconds: Math.ceil((times.handOverMs + times.leaseSlackMs) / 1000),
    runnerSeconds: Math.ceil(times.runnerMs / 1000),
  }
  // Also in the middle: what a list does may be what its connection is paused for.
  const look = () => watch(deps, { ...claim.grant, spenderId: claim.spenderId })
  const unheardLost = (claimed: readonly bigint[] = []) =>
    claimedBefore(
      deps.db,
      claim,
      [...items.keys()].filter((id) => !handed.has(id) && !claimed.includes(id)),
    )
  for (;;) {
    const sinceMs = performance.now()
    let claimed: readonly Claimed[]
    try {
      if (stopping()) {
        const unheard = lost ? await unheardLost() : []
        await leave(deps.db, claim, [...settlements, ...unheard.map(({ id }) => notHandedOver(id))])
        return look()
      }
      const next = await settleAndClaim(deps.db, settlements, { ...claim, ...leases })
      if (settlements.length > 0) look()
      settlements = []
      const unheard = lost ? await unheardLost(next.claimed) : []
      failingSinceMs = null
      claimed = [
        // One whose lease is over is known not to have gone out all the same.
        ...unheard.map(({ id, ageMs }) => ({ id, sinceMs: ageMs === null ? -Infinity : sinceMs - ageMs })),
        ...next.claimed.map((id) => ({ id, sinceMs })),
      ]
      if (claimed.length === 0) {
        if (next.held === 0) return
        if (!next.live) return await release(deps.db, claim, [], await whyStopped(deps.db, claim))
        await delay(PLACE_LOOK_MS)
        continue
      }
    } catch (error) {
      deps.log.warn({ ...whose(sender), err: error as Error }, 'list waits for the database')
      failingSinceMs ??= sinceMs
      // The sweep has released what is held by then.
      if (performance.now() - failingSinceMs > times.runnerMs) {
        const kept = async () => [...settlements, ...(await unheardLost()).map(({ id }) => notHandedOver(id))]
        return settleLater(deps, sender, kept, look)
      }
      lost = true
      await delay(RETRY_MS)
      continue
    }
    for (const { id } of claimed) handed.add(id)
    settlements = await handOverAll(deps, { sender, items }, claimed)
  }
}

/** A message that this process may hand over, and since when by `performance.now()`. */
interface Claimed {
  readonly id: bigint
  readonly sinceMs: number
}

/** Hands over what was claimed, all of it at once; gives how each is to be settled. */
async function handOverAll(
  deps: SendingDeps,
  { sender, items }: Pick<List, 'sender' | 'items'>,
  claimed: readonly Claimed[],
): Promise<Settlement[]> {
  await deps.at('claimed')
  const settlements = await Promise.all(
    claimed.map(async ({ id, sinceMs }) => {
      const item = items.get(id)
      if (item === undefined) return []
      const { settlement } = await handOver(deps, { messageId: id, sender, sinceMs, ...item })
      return [settlement]
    }),
  )
  await deps.at('handed')
  return settlements.flat()
}

/**
 * Those of the messages that a statement claimed whose answer was lost: handed over to nobody, by this process or another.
 * None once another has the list, for they may be its own. With the time since then; null where it was called unknown since.
 */
function claimedBefore(
  db: Database,
  claim: List['claim'],
  unheard: readonly bigint[],
): Promise<{ readonly id: bigint; readonly ageMs: number | null }[]> {
  return db.$queryRaw`
    SELECT m.id, CASE m.state WHEN 'handed_over'
             THEN greatest(extract(epoch FROM database_now() - m.handed_at) * 1000, 0)::float8 END AS "ageMs"
    FROM send s JOIN send_message m ON m.send_id = s.id
    WHERE ${isOurs(claim)} AND m.id = ANY (${[...unheard]}::bigint[]) AND m.state IN ('handed_over', 'unknown')`
}

/** What a stopping process leaves: a list that nobody takes up again is given back, a scheduled one is another node's at once. */
async function leave(db: Database, claim: List['claim'], settlements: readonly Settlement[]): Promise<void> {
  if (claim.runnerId === null) return release(db, claim, settlements, 'UNAVAILABLE')
  if (settlements.length > 0) await settle(db, settlements)
  await db.$executeRaw`UPDATE send s SET runner_until = database_now() WHERE ${isOurs(claim)}`
}

/**
 * Null where its time passed. TOKEN_INVALID only of what has ended: it tells a client to connect again, which gives a
 * connection that may not send any more no other scopes.
 */
async function whyStopped(
  db: Database,
  { sendId, spenderId, grant, upstream }: List['claim'],
): Promise<ApiErrorCode | null> {
  const [row] = await db.$queryRaw<
    { late: boolean; paused: boolean; current: boolean; ended: boolean; only_reads: boolean }[]
  >`
    ${openLive(grant)}
    SELECT bool_or(NOT ${spenderGoes('p')}) AS paused,
           bool_or(ended_at IS NOT NULL) OR NOT EXISTS (SELECT FROM live) AS ended,
           NOT bool_or(ended_at IS NOT NULL) AND ${grant.tokenId}::uuid IS NULL AND EXISTS (
             SELECT FROM connection c WHERE c.id = ${grant.connectionId}::uuid AND ${connectionOnlyReads('c')}) AS only_reads,
           EXISTS (SELECT FROM send s WHERE s.id = ${sendId}::uuid AND ${IS_LATE}) AS late,
           EXISTS (SELECT FROM send s WHERE s.id = ${sendId}::uuid AND ${isCurrent(upstream, Prisma.sql`s`)}) AS current
    FROM spender p WHERE id IN (${spenderId}::uuid, ${grant.accountId}::uuid)`
  if (row?.late) return null
  if (row?.only_reads) return 'PERMISSION_MISSING'
  // An end is for good, and no owner who resumes brings it back.
  if (row?.ended !== false) return 'TOKEN_INVALID'
  if (!row.paused && !row.current) return 'UPSTREAM_CHANGED'
  // Of what stops a list nothing passes by itself but a pause, which may be over by now.
  return 'CONNECTION_PAUSED'
}

/** Gives back what is held of a list, as long as no other has taken it up. */
async function release(
  db: Database,
  claim: List['claim'],
  settlements: readonly Settlement[],
  failure: ApiErrorCode | null,
): Promise<void> {
  if (settlements.length > 0) await settle(db, settlements)
  const held = Prisma.sql`${isOurs(claim)} AND m.state = 'held'`
  const reason = failure === null ? EXPIRED : NOT_SENT
  while ((await settleWhere(db, held, { outcome: 'released', failure, reason })).length > 0);
}

// Runs the held messages of a list: settles one chunk and claims the next in one statement, until none is left.
import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import { type Database, Prisma } from '@vertexsms/db/client'
import type { Claim } from '../ledger/claim.ts'
import { isCurrent } from '../ledger/current.ts'
import { settleWhere } from '../ledger/release.ts'
import { type Settlement, settle, settleAndClaim } from '../ledger/settle.ts'
import type { HandOver } from '../upstream/upstream.ts'
import type { SendingDeps } from './deps.ts'
import { handOver, settleLater } from './hand-over.ts'

/** One message of a list and how it is handed over. */
export interface Item {
  readonly id: bigint
  readonly toldMicros: bigint | null
  readonly call: () => Promise<HandOver>
}

/** A list, under the lease of this process. */
export interface List {
  readonly claim: Omit<Claim, 'leaseSeconds' | 'runnerSeconds'>
  readonly items: ReadonlyMap<bigint, Item>
  /** True once the process is to stop: nothing more is claimed. */
  readonly stopping: () => boolean
}

/** Between two looks for a place with the upstream. */
const PLACE_LOOK_MS = 100

/** After a statement that failed. */
const RETRY_MS = 250

/** Hands over what is held, each message once, and settles it. What may not go any more is released. Never throws. */
export async function runList(deps: SendingDeps, { claim, items, stopping }: List): Promise<void> {
  const { times } = deps
  const handed = new Set<bigint>()
  let settlements: Settlement[] = []
  let lost = false
  let failingSinceMs: number | null = null
  const leases = {
    leaseSeconds: Math.ceil((times.handOverMs + times.leaseSlackMs) / 1000),
    runnerSeconds: Math.ceil(times.runnerMs / 1000),
  }
  for (;;) {
    const sinceMs = performance.now()
    let claimed: readonly bigint[]
    try {
      if (stopping()) return await leave(deps.db, claim.sendId, settlements)
      const next = await settleAndClaim(deps.db, settlements, { ...claim, ...leases })
      settlements = []
      // What a statement claimed whose answer was lost belongs to nobody else.
      const orphans = lost ? await claimedBefore(deps.db, claim.sendId, handed, next.claimed) : []
      lost = false
      failingSinceMs = null
      claimed = [...orphans, ...next.claimed]
      if (claimed.length === 0) {
        if (next.held === 0) return
        if (!next.live) return await release(deps.db, claim.sendId, [], await whyStopped(deps.db, claim))
        await pause(PLACE_LOOK_MS)
        continue
      }
    } catch (error) {
      deps.log.warn({ err: error as Error }, 'list waits for the database')
      failingSinceMs ??= sinceMs
      // The sweep has released what is held by then.
      if (performance.now() - failingSinceMs > times.runnerMs) return settleLater(deps, settlements)
      lost = true
      await pause(RETRY_MS)
      continue
    }
    await deps.at('claimed')
    for (const id of claimed) handed.add(id)
    const results = await Promise.all(
      claimed.map(async (id) => {
        const item = items.get(id)
        if (item === undefined) return null
        return handOver(deps, id, sinceMs, item.toldMicros, item.call)
      }),
    )
    await deps.at('handed')
    settlements = results.flatMap((result) => (result === null ? [] : [result.settlement]))
  }
}

/** Messages of the list that are handed over, by whose lease, and that this process has not handed over. */
async function claimedBefore(
  db: Database,
  sendId: string,
  handed: ReadonlySet<bigint>,
  now: readonly bigint[],
): Promise<bigint[]> {
  const rows = await db.$queryRaw<{ id: bigint }[]>`
    SELECT id FROM send_message WHERE send_id = ${sendId}::uuid AND state = 'handed_over' AND lease_until > database_now()`
  return rows.map(({ id }) => id).filter((id) => !handed.has(id) && !now.includes(id))
}

/** What a stopping process leaves: a list that nobody takes up again is given back, a scheduled one is another node's at once. */
async function leave(db: Database, sendId: string, settlements: readonly Settlement[]): Promise<void> {
  if (settlements.length > 0) await settle(db, settlements)
  const passedOn = await db.$executeRaw`
    UPDATE send SET runner_until = database_now() WHERE id = ${sendId}::uuid AND scheduled_at IS NOT NULL`
  if (passedOn === 0) await release(db, sendId, [], 'UNAVAILABLE')
}

async function whyStopped(db: Database, { sendId, spenderId, grant, upstream }: List['claim']): Promise<ApiErrorCode> {
  const [row] = await db.$queryRaw<{ paused: boolean; current: boolean }[]>`
    SELECT bool_or(paused_at IS NOT NULL OR NOT coalesce(auto_paused_at <= resumed_at, auto_paused_at IS NULL)) AS paused,
           EXISTS (SELECT FROM send s WHERE s.id = ${sendId}::uuid AND ${isCurrent(upstream, Prisma.sql`s`)}) AS current
    FROM spender WHERE id IN (${spenderId}::uuid, ${grant.accountId}::uuid)`
  if (row?.paused) return 'CONNECTION_PAUSED'
  return row?.current === false ? 'UPSTREAM_CHANGED' : 'TOKEN_INVALID'
}

async function release(
  db: Database,
  sendId: string,
  settlements: readonly Settlement[],
  failure: ApiErrorCode,
): Promise<void> {
  if (settlements.length > 0) await settle(db, settlements)
  const held = Prisma.sql`s.id = ${sendId}::uuid AND m.state = 'held'`
  while ((await settleWhere(db, held, { outcome: 'released', failure, reason: 'not_sent' })).length > 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

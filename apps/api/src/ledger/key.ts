// What a caller's idempotency key stands for, and how long.
import { type Database, Prisma } from '@vertexsms/db/client'
import { sqlStateOf } from '@vertexsms/db/sql-state'
import { type Grant, openLive } from '../live.ts'
import type { UpstreamName } from '../upstream/upstream.ts'
import type { NewSend } from './admit.ts'
import { retried } from './retry.ts'

/** How long a key is kept at least. */
export const KEY_SECONDS = 86_400

/** Where a key counts: the same key of another spender, upstream or route is another one. */
export interface KeyScope {
  readonly spenderId: string
  readonly upstream: UpstreamName
  readonly route: string
}

/** A condition: what the key of send `s` stands for has message `m` in it, its own or one that an earlier call sent. */
export const UNDER_KEY = Prisma.sql`(m.send_id = s.id OR m.id = ANY (s.repeats))`

/** A condition over send `s`: its key may be used again. It lives its time, and as long as a message is not final. */
export const KEY_IS_FREE = Prisma.sql`(
  NOT EXISTS (SELECT FROM send_message m WHERE ${UNDER_KEY} AND m.state <> 'released')
  OR s.key_until <= database_now() AND NOT EXISTS (SELECT FROM send_message m WHERE ${UNDER_KEY} AND m.final_at IS NULL)
)`

/** The CTE `freed` behind that of {@link openLive}: takes a key that may be used again from the send that has it. */
export function freeKey({ spenderId, upstream, route }: KeyScope, keyHash: Uint8Array | null): Prisma.Sql {
  return Prisma.sql`freed AS (
    UPDATE send s SET key_hash = NULL FROM live
    WHERE s.spender_id = ${spenderId}::uuid AND s.upstream = ${upstream} AND s.route = ${route}
      AND s.key_hash = ${keyHash}::bytea AND ${KEY_IS_FREE}
    RETURNING s.id
  )`
}

/** A call of which nothing was sent, for earlier ones had sent it. */
export interface ToldAgain {
  readonly grant: Grant
  readonly scope: KeyScope
  readonly send: Pick<
    NewSend,
    'id' | 'kind' | 'generation' | 'keyHash' | 'payloadDigest' | 'repeats' | 'sender' | 'coding' | 'scheduledAt'
  >
}

/**
 * Keeps the key of such a call for what it was told of, as a send without messages: a repeat sends nothing either, however
 * late it comes. `taken` where the key stands already.
 */
export async function keepKey(db: Database, { grant, scope, send }: ToldAgain): Promise<'kept' | 'taken' | 'ended'> {
  try {
    const written = await retried(
      () => db.$executeRaw`
        ${openLive(grant)}, ${freeKey(scope, send.keyHash)}
        INSERT INTO send (id, account_id, spender_id, connection_id, token_id, kind, upstream, generation, route, key_hash,
                          payload_digest, key_until, repeats, sender, coding, priority, scheduled_at, created_at)
        SELECT ${send.id}::uuid, live.account_id, ${scope.spenderId}::uuid, ${grant.connectionId}::uuid,
               ${grant.connectionId === null ? grant.tokenId : null}::uuid, ${send.kind}::send_kind, ${scope.upstream},
               ${send.generation}::int, ${scope.route}, ${send.keyHash}::bytea, ${send.payloadDigest}::bytea,
               database_now() + ${KEY_SECONDS}::int * interval '1 second', ${[...send.repeats]}::bigint[], ${send.sender},
               ${send.coding}::int, 1, ${send.scheduledAt}::timestamptz, database_now()
        FROM live CROSS JOIN (SELECT count(*) FROM freed) f`,
    )
    return written === 0 ? 'ended' : 'kept'
  } catch (error) {
    if (sqlStateOf(error) === '23505') return 'taken'
    throw error
  }
}

// Sends and messages as they stand: what repeats, lists and questions after them are answered from.
import { hlrResultSchema } from '@vertexsms/contract/rest'
import { type Database, Prisma } from '@vertexsms/db/client'
import { noSuch } from '../http/api-error.ts'
import { KEY_IS_FREE, type KeyScope, UNDER_KEY } from '../ledger/key.ts'
import { FORGOTTEN_RESULT } from '../ledger/settle.ts'
import { STATE_NOW } from '../ledger/state-now.ts'
import type { HlrProgress } from '../upstream/upstream.ts'

/** Where a message stands; past its lease one that was handed over reads unknown to everybody. */
export type MessageState = 'scheduled' | 'held' | 'handed_over' | 'unknown' | 'accepted' | 'released'

/** One message as answers need it. */
export interface MessageRow {
  readonly id: bigint
  readonly sendId: string
  /** Found under a key whose own call was told of it instead of sending it again. */
  readonly isEarlier: boolean
  readonly kind: 'sms' | 'hlr' | 'msisdn'
  readonly recipient: string
  readonly parts: number
  readonly state: MessageState
  readonly holdMicros: bigint
  readonly chargedMicros: bigint
  readonly reference: string | null
  readonly failure: string | null
  readonly failureNumber: number | null
  readonly failureReason: string | null
  readonly delivery: number | null
  readonly deliveryError: number | null
  readonly scheduledAt: Date | null
  readonly payloadDigest: Uint8Array | null
  readonly fingerprint: Uint8Array | null
  readonly ageMs: number
}

const COLUMNS = Prisma.sql`
  m.id, m.send_id::text AS "sendId", m.send_id <> s.id AS "isEarlier", s.kind::text AS kind, m.recipient, m.parts,
  ${STATE_NOW} AS state,
  m.hold_micros AS "holdMicros", m.charged_micros AS "chargedMicros", m.reference, m.failure,
  m.failure_number AS "failureNumber", m.failure_reason AS "failureReason", m.delivery,
  m.delivery_error AS "deliveryError", s.scheduled_at AS "scheduledAt", s.payload_digest AS "payloadDigest",
  m.fingerprint, (extract(epoch FROM database_now() - s.created_at) * 1000)::float8 AS "ageMs"`

/** The messages that stand under a key, in the order of its request and then those of earlier calls; none where it is free. */
export function messagesOfKey(
  db: Database,
  { spenderId, upstream, route }: KeyScope,
  keyHash: Uint8Array,
): Promise<MessageRow[]> {
  return db.$queryRaw<MessageRow[]>`
    SELECT ${COLUMNS} FROM send s JOIN send_message m ON ${UNDER_KEY}
    WHERE s.spender_id = ${spenderId}::uuid AND s.upstream = ${upstream} AND s.route = ${route}
      AND s.key_hash = ${keyHash}::bytea AND NOT ${KEY_IS_FREE}
    ORDER BY m.send_id <> s.id, m.position`
}

/** The messages that stand under fingerprints: those that still count as the same, or the latest at whatever age. */
export function messagesOfFingerprints(
  db: Database,
  fingerprints: readonly Uint8Array[],
  age: 'same' | 'any' = 'same',
): Promise<MessageRow[]> {
  const hex = fingerprints.map((one) => Buffer.from(one).toString('hex'))
  return db.$queryRaw<MessageRow[]>`
    SELECT ${COLUMNS} FROM unnest(${hex}::text[]) AS wanted(fingerprint)
    JOIN send_message m ON m.fingerprint = decode(wanted.fingerprint, 'hex') JOIN send s ON s.id = m.send_id
    WHERE ${age === 'any'} OR m.fingerprint_until IS NULL OR m.fingerprint_until > database_now()`
}

/** All messages of a send, in the order of its request. */
export function messagesOfSend(db: Database, sendId: string): Promise<MessageRow[]> {
  return db.$queryRaw<MessageRow[]>`
    SELECT ${COLUMNS} FROM send s JOIN send_message m ON m.send_id = s.id WHERE s.id = ${sendId}::uuid ORDER BY m.position`
}

/** One message of a spender; undefined for another's, of the same account too. */
export async function messageOf(db: Database, spenderId: string, id: bigint): Promise<MessageRow | undefined> {
  const [row] = await db.$queryRaw<MessageRow[]>`
    SELECT ${COLUMNS} FROM send_message m JOIN send s ON s.id = m.send_id
    WHERE m.id = ${id}::bigint AND m.spender_id = ${spenderId}::uuid`
  return row
}

/** A result is written right behind what it changes about money: a lookup that has ended for so long will have none. */
const RESULT_SECONDS = 30

/**
 * A lookup of ours and what the network said; undefined for an id that is none of ours. Throws NOT_FOUND for another
 * spender's, of the same account too, and for one that ended without a result or whose result was kept long enough.
 */
export async function readLookup(
  db: Database,
  { spenderId }: { readonly spenderId: string },
  id: bigint,
): Promise<HlrProgress | undefined> {
  const [row] = await db.$queryRaw<
    { spenderId: string; kind: string; recipient: string; result: unknown; over: boolean }[]
  >`
    SELECT m.spender_id::text AS "spenderId", s.kind::text AS kind, m.recipient, nullif(m.result, ${FORGOTTEN_RESULT}) AS result,
           nullif(m.result, ${FORGOTTEN_RESULT}) IS NULL AND coalesce(m.final_at <= database_now() - ${RESULT_SECONDS}::int * interval '1 second', FALSE)
             AS over
    FROM send_message m JOIN send s ON s.id = m.send_id WHERE m.id = ${id}::bigint`
  if (row === undefined) return undefined
  if (row.spenderId !== spenderId || row.kind !== 'hlr' || row.over) throw noSuch('lookup')
  const told = row.result === null ? null : hlrResultSchema.parse({ ...(row.result as object), id: String(id) })
  const status = told === null ? 'pending' : 'done'
  return { status: { id: String(id), status, msisdn: row.recipient, result: told }, lookAgainInMs: null }
}

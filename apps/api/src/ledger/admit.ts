// The one statement that lets a send in: locks, judges, moves account and spender or neither, and writes the send.
// Twins: standing.ts (what it judges by), limits/judge.ts (says why not), due.ts (the day of a scheduled send),
// settle.ts and release.ts (undo what is counted here).
import { type Database, Prisma } from '@vertexsms/db/client'
import { sqlStateOf } from '@vertexsms/db/sql-state'
import { mayHaveRun } from '@vertexsms/db/unreachable'
import { hasRoomFor } from '../callback-lane.ts'
import { endsBefore, type Grant, openLive } from '../live.ts'
import { freeKey, KEY_SECONDS } from './key.ts'
import { retried } from './retry.ts'
import { ensureSpenders } from './spenders.ts'
import { type Ledger, move, type Request, type SendKind, STAND_COLUMNS, type Stand, standing } from './standing.ts'

/** One recipient that is to be admitted. */
export interface NewMessage {
  readonly id: bigint
  readonly position: number
  readonly recipient: string
  readonly country: string
  readonly parts: number
  readonly holdMicros: bigint
  /** The hold is the price that the upstream told for so many parts. */
  readonly holdTold: boolean
  readonly fingerprint: Uint8Array | null
}

/** A send that is to be admitted. */
export interface NewSend {
  readonly id: string
  readonly kind: SendKind
  readonly generation: number
  readonly route: string
  readonly keyHash: Uint8Array | null
  readonly payloadDigest: Uint8Array | null
  /** Messages of earlier calls that its answer tells of. */
  readonly repeats: readonly bigint[]
  readonly sender: string
  readonly coding: number
  readonly sealedText: Uint8Array | null
  readonly priority: number
  readonly testMode: number | null
  readonly dlrUrl: string | null
  readonly scheduledAt: Date | null
  readonly expireInSeconds: number | null
  readonly messages: readonly NewMessage[]
}

/**
 * A statement that admits begins this long after it was asked for, or admits nothing: what a server that stood still comes to
 * later, nobody waits for any more, and nobody would give back.
 */
export const ADMITTED_WITHIN_MS = 30_000

/** What stands around it. */
export interface Admission {
  readonly grant: Grant
  readonly ledger: Ledger
  readonly send: NewSend
  /** When it is asked for, by the database's clock. */
  readonly askedAt: Date
  /** As limits name it; null for a lookup or a PIN. */
  readonly limitedSender: string | null
  readonly unpriced: boolean
  /** `at_once` is handed over from then on, `held` waits for a runner, `scheduled` for its time. */
  readonly how: 'at_once' | 'held' | 'scheduled'
  /** Of a message that is handed over, and of the runner of a held one. */
  readonly leaseSeconds: number
  /**
   * The approval that is used up where the limits ask for one: an UPDATE that reads FROM fitting and returns a row for
   * success. Null where there is none.
   */
  readonly approval: { readonly id: string; readonly use: Prisma.Sql } | null
}

/** What came of it. */
export type Admitted =
  | { readonly kind: 'admitted'; readonly day: string }
  /** The caller has ended. */
  | { readonly kind: 'ended' }
  /** The caller will have ended when it is due. */
  | { readonly kind: 'ends_before' }
  /** Its key, or a recipient's fingerprint, stands already. */
  | { readonly kind: 'repeat' }
  /** Eight messages of the account are with the upstream. */
  | { readonly kind: 'busy' }
  /** Too many callbacks wait for servers of the account. */
  | { readonly kind: 'owes' }
  | { readonly kind: 'too_many_waiting'; readonly stands: readonly Stand[] }
  /** The owner must be asked, and there is no approval that holds. */
  | { readonly kind: 'asks'; readonly stands: readonly Stand[]; readonly newCountries: readonly string[] }
  /** A limit, a pause or an unknown price stands in the way: the rows say which. */
  | { readonly kind: 'refused'; readonly stands: readonly Stand[] }
  /** No statement was answered. */
  | { readonly kind: 'unanswered' }

interface Row extends Stand {
  readonly live: boolean
  readonly complete: boolean
  readonly unended: boolean
  readonly fits: boolean
  readonly room: boolean
  readonly waitingRoom: boolean
  readonly callbackRoom: boolean | null
  readonly endsBefore: boolean | null
  readonly asks: boolean
  readonly newCountries: string[]
  readonly admittedOn: string | null
}

/** What came of it, and whether a statement was never answered: where it is not admitted, that one may still admit it. */
export type AdmittedOrOpen = Admitted & { readonly isOpen: boolean }

/** Tries of a statement whose connection broke: with the same ids it admits once. */
const LOST_TRIES = 3

/**
 * Admits a send, in full or not at all. A statement whose connection broke is run again under the same ids, so that
 * it admits once; throws what the database threw where it is certain that nothing was admitted.
 */
export async function admit(db: Database, admission: Admission): Promise<AdmittedOrOpen> {
  let isOpen = false
  for (let tried = 1; ; tried++) {
    try {
      const rows = await retried(() => admitOnce(db, admission)).catch(noneWhereTaken)
      const [row] = rows ?? []
      if (row?.live && !row.complete && tried < LOST_TRIES) {
        if (!(await ensureSpenders(db, admission.grant, admission.ledger))) return { kind: 'ended', isOpen }
        continue
      }
      const outcome = rows === null ? ({ kind: 'repeat' } as const) : outcomeOf(rows)
      if (!isOpen || outcome.kind === 'admitted') return { ...outcome, isOpen }
      // What stands in its way may be its own first try, which took the last room, or its id. One that did not is not surely
      // over: what a network holds back comes to the server behind this one.
      return { ...((await ownOf(db, admission.send.id)) ?? outcome), isOpen }
    } catch (error) {
      isOpen ||= mayHaveRun(error)
      if (!isOpen) throw error
      if (!mayHaveRun(error) || tried === LOST_TRIES) return { kind: 'unanswered', isOpen }
    }
  }
}

/** Null of a statement that met what stands already: its id, its key or a fingerprint. */
function noneWhereTaken(error: unknown): null {
  if (sqlStateOf(error) === '23505') return null
  throw error
}

function outcomeOf(rows: readonly Row[]): Admitted {
  const [row] = rows
  if (!row?.live || !row.unended) return { kind: 'ended' }
  if (row.admittedOn !== null) return { kind: 'admitted', day: row.admittedOn }
  if (row.endsBefore) return { kind: 'ends_before' }
  if (!row.fits) return { kind: 'refused', stands: rows }
  if (!row.waitingRoom) return { kind: 'too_many_waiting', stands: rows }
  if (row.callbackRoom === false) return { kind: 'owes' }
  if (!row.room) return { kind: 'busy' }
  if (row.asks) return { kind: 'asks', stands: rows, newCountries: row.newCountries }
  return { kind: 'refused', stands: rows }
}

/** The send of this id as it was admitted; undefined where it is not there. */
async function ownOf(db: Database, sendId: string): Promise<Extract<Admitted, { kind: 'admitted' }> | undefined> {
  const [row] = await db.$queryRaw<{ day: string }[]>`
    SELECT coalesce(m.day, m.created_at::date)::text AS day FROM send_message m WHERE m.send_id = ${sendId}::uuid LIMIT 1`
  return row && { kind: 'admitted', day: row.day }
}

function admitOnce(db: Database, admission: Admission): Promise<Row[]> {
  const { grant, ledger, send, how, leaseSeconds, approval } = admission
  const request: Request = {
    kind: send.kind,
    sender: admission.limitedSender,
    countsDay: how !== 'scheduled',
    unpriced: admission.unpriced,
    slots: how === 'at_once' ? send.messages.length : 0,
    waits: how === 'scheduled' ? send.messages.length : 0,
  }
  const beginsBefore = new Date(admission.askedAt.getTime() + ADMITTED_WITHIN_MS)
  const state = { at_once: 'handed_over', held: 'held', scheduled: 'scheduled' }[how]
  const { accountId, spenderId, upstream } = ledger
  const manualTokenId = grant.connectionId === null ? grant.tokenId : null
  return db.$queryRaw<Row[]>`
    ${openLive(grant)}, asked AS MATERIALIZED (
      SELECT a.*, 0::bigint AS already FROM jsonb_to_recordset(${messagesJson(send.messages)}::jsonb)
        AS a(id bigint, position int, recipient text, country text, parts int, hold bigint, told boolean, fingerprint text)
    ), ${freeKey({ spenderId, upstream, route: send.route }, send.keyHash)}, cleared AS (
      UPDATE send_message m SET fingerprint = NULL FROM live CROSS JOIN asked a
      WHERE m.fingerprint = decode(a.fingerprint, 'hex') AND m.fingerprint_until <= database_now()
      RETURNING m.id
    ), open AS MATERIALIZED (
      SELECT live.account_id, ${hasRoomFor(send.dlrUrl ?? undefined, Prisma.sql`live.account_id`)} AS callback_room,
             ${endsBefore(send.scheduledAt)} AS ends_before
      FROM live CROSS JOIN (SELECT count(*) FROM freed) f CROSS JOIN (SELECT count(*) FROM cleared) c
    ), ${standing(ledger, request)}, fitting AS MATERIALIZED (
      SELECT sums.hold FROM judged CROSS JOIN sums CROSS JOIN open
      WHERE complete AND unended AND fits AND room AND waiting_room AND callback_room AND NOT ends_before
        AND database_now() < ${beginsBefore}::timestamptz
    ), approved AS (${approval?.use ?? Prisma.sql`SELECT NULL::uuid AS id WHERE FALSE`}
    ), go AS MATERIALIZED (
      SELECT t.day FROM fitting CROSS JOIN judged CROSS JOIN today t WHERE NOT judged.asks OR EXISTS (SELECT FROM approved)
    ), ${move(ledger, request)}, sent AS (
      INSERT INTO send (id, account_id, spender_id, connection_id, token_id, kind, upstream, generation, route, key_hash,
                        payload_digest, key_until, repeats, approval_id, sender, coding, sealed_text, priority, test_mode,
                        dlr_url, scheduled_at, expire_in_seconds, created_at, runner_until)
      SELECT ${send.id}::uuid, ${accountId}::uuid, ${spenderId}::uuid, ${grant.connectionId}::uuid, ${manualTokenId}::uuid,
             ${send.kind}::send_kind, ${upstream}, ${send.generation}::int, ${send.route}, ${send.keyHash}::bytea,
             ${send.payloadDigest}::bytea,
             CASE WHEN ${send.keyHash}::bytea IS NULL THEN NULL
                  ELSE database_now() + ${KEY_SECONDS}::int * interval '1 second' END, ${[...send.repeats]}::bigint[],
             (SELECT id FROM approved LIMIT 1), ${send.sender}, ${send.coding}::int, ${send.sealedText}::bytea,
             ${send.priority}::int, ${send.testMode}::int, ${send.dlrUrl}::text, ${send.scheduledAt}::timestamptz,
             ${send.expireInSeconds}::int, database_now(),
             CASE WHEN ${how} = 'held' THEN database_now() + ${leaseSeconds}::int * interval '1 second' END
      FROM go RETURNING id
    ), written AS (
      INSERT INTO send_message (id, send_id, account_id, spender_id, upstream, position, recipient, country, parts, state,
                                hold_micros, hold_told, charged_micros, day, lease_until, fingerprint, created_at, handed_at)
      SELECT a.id, sent.id, ${accountId}::uuid, ${spenderId}::uuid, ${upstream}, a.position, a.recipient, a.country, a.parts,
             ${state}::send_state, a.hold,
             -- At its time it is priced anew.
             a.told AND ${how} <> 'scheduled', 0, CASE WHEN ${how} = 'scheduled' THEN NULL ELSE go.day END,
             CASE WHEN ${how} = 'at_once' THEN database_now() + ${leaseSeconds}::int * interval '1 second' END,
             decode(a.fingerprint, 'hex'), database_now(), CASE WHEN ${how} = 'at_once' THEN database_now() END
      FROM sent CROSS JOIN go CROSS JOIN asked a
      RETURNING id
    )
    SELECT EXISTS (SELECT FROM live) AS live, j.complete, j.unended, j.fits, j.room, j.waiting_room AS "waitingRoom", j.asks,
           (SELECT callback_room FROM open) AS "callbackRoom", (SELECT ends_before FROM open) AS "endsBefore",
           ARRAY(SELECT DISTINCT country FROM unknown_countries) AS "newCountries",
           (SELECT go.day::text FROM go WHERE EXISTS (SELECT FROM written)) AS "admittedOn",
           ${STAND_COLUMNS}
    FROM judged j LEFT JOIN stand s ON TRUE`
}

function messagesJson(messages: readonly NewMessage[]): string {
  return JSON.stringify(
    messages.map(({ id, position, recipient, country, parts, holdMicros, holdTold, fingerprint }) => ({
      id: String(id),
      position,
      recipient,
      country,
      parts,
      hold: String(holdMicros),
      told: holdTold,
      fingerprint: fingerprint === null ? null : Buffer.from(fingerprint).toString('hex'),
    })),
  )
}

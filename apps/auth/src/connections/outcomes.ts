import { type Database, Prisma } from '@vertexsms/db/client'

/** What an owner can find out of a message whose outcome is unknown. */
export type OwnersWord = 'sent' | 'not_sent'

/** One message of unknown outcome that its owner said nothing of. */
export interface UnknownMessage {
  readonly id: bigint
  readonly spenderId: string
  readonly kind: 'sms' | 'hlr' | 'msisdn'
  readonly handedAt: Date
  readonly country: string
  readonly lastDigits: string
  /** Held or charged for it now. */
  readonly micros: bigint
  readonly upstream: string
}

/** A condition over `send_message m`: handed over, and nobody knows. Past its lease that is so before a job notes it. */
export const IS_UNKNOWN = Prisma.sql`(
  m.final_at IS NULL AND m.not_sent_at IS NULL AND m.was_sent_at IS NULL
  AND (m.state = 'unknown' OR m.state = 'handed_over' AND m.lease_until < database_now()))`

/**
 * The owner's word on a message whose outcome is unknown, once; on a message of one account where it is given. `not_sent`
 * gives its money back and frees its number and key, `sent` closes it as charged; the API does either soon after. False
 * for any other message, and where a word was said before.
 */
export async function sayOutcome(
  db: Pick<Database, '$executeRaw'>,
  of: { readonly id: bigint; readonly accountId?: string },
  word: OwnersWord,
): Promise<boolean> {
  const column = word === 'sent' ? Prisma.sql`was_sent_at` : Prisma.sql`not_sent_at`
  const owned = of.accountId === undefined ? Prisma.empty : Prisma.sql`AND m.account_id = ${of.accountId}::uuid`
  const said = await db.$executeRaw`
    UPDATE send_message m SET ${column} = database_now() WHERE m.id = ${of.id}::bigint ${owned} AND ${IS_UNKNOWN}`
  return said === 1
}

/** Messages of unknown outcome of an account, or of one spender of it, the oldest first. */
export function unknownMessages(
  db: Database,
  of: { readonly accountId: string; readonly spenderId?: string },
  take: number,
): Promise<UnknownMessage[]> {
  const under = of.spenderId === undefined ? Prisma.empty : Prisma.sql`AND m.spender_id = ${of.spenderId}::uuid`
  return db.$queryRaw<UnknownMessage[]>`
    SELECT m.id, m.spender_id::text AS "spenderId", s.kind::text AS kind, coalesce(m.handed_at, m.created_at) AS "handedAt",
           m.country, right(m.recipient, 3) AS "lastDigits", m.hold_micros + m.charged_micros AS micros, m.upstream
    FROM send_message m JOIN send s ON s.id = m.send_id
    WHERE m.account_id = ${of.accountId}::uuid ${under} AND ${IS_UNKNOWN}
    ORDER BY m.created_at, m.id LIMIT ${take}::int`
}

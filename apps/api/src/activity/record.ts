// Writes what was done and what was refused, in the statement that does it. No column takes free text.
import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import { type Database, Prisma } from '@vertexsms/db/client'
import type { UpstreamName } from '../upstream/upstream.ts'

/** What an entry tells of; a closed list, so that no text of a caller stands here. */
export const ACTIVITY_KINDS = ['sms', 'hlr', 'msisdn', 'settle', 'cancel', 'pause'] as const
export type ActivityKind = (typeof ACTIVITY_KINDS)[number]

/** Digits of a recipient that are told. */
const LAST_DIGITS = 3

/** An expression: the last digits of a number, and no more of it. */
function lastDigitsOf(recipient: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`right(${recipient}, ${LAST_DIGITS}::int)`
}

/**
 * An INSERT for a WITH clause: one entry for each row of `source`, a SELECT or the name of a CTE, whose columns are
 * `account_id, spender_id, what, outcome, country, parts, amount_micros, recipient, send_id, message_id, upstream`.
 * Amounts are signed: what is given back is negative. The recipient stays behind but for {@link lastDigitsOf}.
 */
export function activityFrom(source: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO activity (account_id, spender_id, at, what, outcome, country, parts, amount_micros, last_digits, send_id,
                          message_id, upstream)
    SELECT account_id, spender_id, database_now(), what, outcome, country, parts, amount_micros,
           ${lastDigitsOf(Prisma.sql`recipient`)}, send_id, message_id, upstream
    FROM ${source} AS told`
}

/** A call that was refused before anything was done. */
export interface RefusedCall {
  readonly accountId: string
  readonly spenderId: string
  readonly what: ActivityKind
  readonly outcome: ApiErrorCode
  readonly country: string | null
  readonly upstream: UpstreamName
}

/** Notes a refusal. Equal ones within one minute of the database's clock are one entry with a count, on all nodes. */
export async function recordRefusal(db: Database, refused: RefusedCall): Promise<void> {
  const { accountId, spenderId, what, outcome, country, upstream } = refused
  const equal = [spenderId, upstream, what, outcome, country ?? ''].join(' ')
  await db.$executeRaw`
    INSERT INTO activity (account_id, spender_id, at, what, outcome, country, upstream, equal_key)
    VALUES (${accountId}::uuid, ${spenderId}::uuid, database_now(), ${what}, ${outcome}, ${country}, ${upstream},
            ${equal} || ' ' || floor(extract(epoch FROM database_now()) / 60)::bigint)
    ON CONFLICT (equal_key) DO UPDATE SET count = activity.count + 1`
}

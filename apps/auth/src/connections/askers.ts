// Whether what asked for an approval could still use it, once, for whoever decides and whoever is shown it.
import { OTHER_ASKED } from '@vertexsms/contract/approval'
import type { Scope } from '@vertexsms/contract/scopes'
import { connectionLives, tokenLives } from '@vertexsms/db/alive'
import { type Database, Prisma } from '@vertexsms/db/client'

const SEND_SCOPE: Scope = 'sms:send'

/** What a connection must hold to use the approval `a`, by what that is about. */
const NEEDED_SCOPE = Prisma.sql`CASE ${Prisma.join(
  Object.entries(OTHER_ASKED).map(
    ([kind, scope]) => Prisma.sql`WHEN ${kind}::text = ANY (string_to_array(a.reason, ' ')) THEN ${scope}::text`,
  ),
  ' ',
)} ELSE ${SEND_SCOPE}::text END`

/** The connection may be another one than asked: whatever goes on with its spender uses what was approved for that. */
const asker = (connection: Prisma.Sql) => Prisma.sql`(
  NOT EXISTS (SELECT FROM spender s WHERE s.id = a.spender_id AND s.ended_at IS NOT NULL)
  AND (EXISTS (
    SELECT FROM connection c
    WHERE c.account_id = a.account_id AND coalesce(c.spender_id, c.id) = a.spender_id AND ${connection}
  ) OR EXISTS (
    SELECT FROM api_token t
    WHERE t.account_id = a.account_id AND coalesce(t.spender_id, t.id) = a.spender_id AND t.kind = 'manual' AND t.replaced_by IS NULL
      AND ${tokenLives('t')}
  )))`

const ASKER_LIVES = asker(connectionLives('c'))

/** A condition: what asked for the approval `a` lives, and may do what it is about. */
export const ASKER_SENDS = asker(Prisma.sql`${connectionLives('c')} AND ${NEEDED_SCOPE} = ANY (c.scopes)`)

/** Where what asked for an approval stands: `reads` for an app that lives and may not do that any more. */
export type AskerStanding = 'sends' | 'reads' | 'gone'

/** Where what asked for some approvals stands, by the ids of the approvals. */
export async function askerStandings(
  db: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, AskerStanding>> {
  const rows = await db.$queryRaw<{ id: string; standing: AskerStanding }[]>`
    SELECT a.id::text AS id, CASE WHEN ${ASKER_SENDS} THEN 'sends' WHEN ${ASKER_LIVES} THEN 'reads' ELSE 'gone' END AS standing
    FROM approval a WHERE a.id = ANY (${[...ids]}::uuid[])`
  return new Map(rows.map(({ id, standing }) => [id, standing]))
}

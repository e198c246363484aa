import { tokenLives } from '@vertexsms/db/alive'
import { type Database, Prisma as Sql } from '@vertexsms/db/client'

/** How long a browser may take to fetch the code of an approval; nothing is said of its connection meanwhile. */
const FETCH_SECONDS = 60

/**
 * Which of some connections hold no token now and have no code left to exchange for one: a client that never came, or one
 * that gets no refresh token, later. Rows of tokens that ran out are deleted, so the two are not told apart.
 */
export async function withoutKeys(
  db: Database,
  connectionIds: readonly string[],
  now: Date,
): Promise<ReadonlySet<string>> {
  const at = Sql.sql`${now}::timestamptz`
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT c.id::text AS id FROM connection c
    WHERE c.id = ANY(${[...connectionIds]}::uuid[])
      AND c.approved_at < ${at} - ${FETCH_SECONDS}::int * interval '1 second'
      AND NOT EXISTS (SELECT FROM api_token t WHERE t.connection_id = c.id AND ${tokenLives('t', at)})
      AND NOT EXISTS (
        SELECT FROM oidc_artifact a
        WHERE a.grant_id = c.grant_id AND a.kind = 'AuthorizationCode' AND a.consumed_at IS NULL AND a.expires_at > ${at}
      )`
  return new Set(rows.map(({ id }) => id))
}

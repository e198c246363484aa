import { Prisma } from '@vertexsms/db/client'
import { LIMITS } from './service-limits.ts'

/**
 * The lane of a callback URL: its host and port, lower case, without the dot that may end a name. An expression over a
 * text column or parameter; the empty lane stands for what is no URL.
 */
export function laneOf(url: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`coalesce(lower(regexp_replace(substring(${url} from '^[a-z]+://([^/?#]*)'), '[.](:[0-9]+)?$', '\\1')), '')`
}

/** An INSERT of what is owed to callers' URLs, from rows of `account_id`, `url`, `body` and the `test_mode` of its send. */
export function owePosts(rows: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO callback (account_id, url, host, body, attempts, attempts_max, created_at, next_at)
    SELECT o.account_id, o.url, ${laneOf(Prisma.sql`o.url`)}, o.body, 0,
           CASE WHEN o.test_mode IS NULL THEN ${LIMITS.tries.usual}::int ELSE ${LIMITS.tries.free}::int END,
           database_now(), database_now()
    FROM (${rows}) o`
}

/** A condition: the account owes less than it may, in all and to the host of this URL. Without a URL nothing is owed. */
export function hasRoomFor(url: string | undefined, accountId: Prisma.Sql): Prisma.Sql {
  if (url === undefined) return Prisma.sql`TRUE`
  const { perAccount, perAccountAndHost } = LIMITS.owed
  return Prisma.sql`(
    SELECT count(*) < ${perAccount}::int AND count(*) FILTER (WHERE here) < ${perAccountAndHost}::int
    FROM (
      SELECT host = (SELECT ${laneOf(Prisma.sql`${url}::text`)}) AS here FROM callback
      WHERE delivered_at IS NULL AND abandoned_at IS NULL AND account_id = ${accountId} LIMIT ${perAccount}::int
    ) owed
  )`
}

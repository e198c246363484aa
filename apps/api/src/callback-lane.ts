import { Prisma } from '@vertexsms/db/client'
import { ApiError } from './http/api-error.ts'
import { LIMITS } from './service-limits.ts'

/**
 * The lane of a callback URL: its host and port, lower case, without the dot that may end a name. An expression over a
 * text column or parameter; the empty lane stands for what is no URL.
 */
function laneOf(url: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`coalesce(lower(regexp_replace(substring(${url} from '^[a-z]+://([^/?#]*)'), '[.](:[0-9]+)?$', '\\1')), '')`
}

/**
 * An INSERT of what is owed to callers' URLs, from rows of `account_id`, `url`, `body` and the `test_mode` of its send, null
 * where that has none.
 */
export function owePosts(rows: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO callback (account_id, url, host, body, attempts, attempts_max, created_at, next_at)
    SELECT o.account_id, o.url, ${laneOf(Prisma.sql`o.url`)}, o.body, 0,
           CASE WHEN o.test_mode IS NULL THEN ${LIMITS.tries.usual}::int ELSE ${LIMITS.tries.free}::int END,
           database_now(), database_now()
    FROM (${rows}) o`
}

/** The same of names whose review has ended, from the CTE of this name: `id, account_id, name, status, notification_url`. */
export function oweReviews(reviewed: Prisma.Sql): Prisma.Sql {
  return owePosts(Prisma.sql`
    SELECT account_id, notification_url AS url, NULL::int AS test_mode,
           jsonb_build_object('id', id::text, 'name', name, 'status', status) AS body
    FROM ${reviewed} WHERE notification_url IS NOT NULL`)
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

const OWED_RETRY_SECONDS = 60

/** The refusal of a request that names a URL and has no room, by {@link hasRoomFor}. */
export function tooManyOwed(): ApiError {
  return new ApiError('RATE_LIMITED', {
    message: 'Too many callbacks wait for servers of this account. Let them answer, or leave the URL out.',
    headers: { 'retry-after': String(OWED_RETRY_SECONDS) },
  })
}

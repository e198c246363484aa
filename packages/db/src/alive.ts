// What is alive, once: an account while it is active; a connection while it has neither ended nor run out; a token while
// it has not run out, and with it its connection, where it has one, and its account. As SQL over the alias of a row, as a
// `where` and as a function of a row: the three say the same of every row. The clock is the database's.
import { aliasOf } from './alias.ts'
import { Prisma } from './client.ts'

type AccountStatus = Prisma.AccountGetPayload<object>['status']

const NOW = Prisma.sql`database_now()`

/** A condition: the account `alias` is not disabled. Whoever disables one ends its connections with it. */
export function accountLives(alias: string): Prisma.Sql {
  return Prisma.sql`${aliasOf(alias)}.status = 'active'`
}

/**
 * A condition: the connection `alias` has not been ended, by its owner, its client (RFC 7009 §2.1) or a token that came
 * twice (RFC 9700 §4.14.2), and the time it was approved for is not over.
 */
export function connectionLives(alias: string, now = NOW): Prisma.Sql {
  return Prisma.sql`(${connectionUnended(alias)} AND ${aliasOf(alias)}.expires_at > ${now})`
}

/** A condition: nobody ended the connection `alias`, or there is none; it may have run out, which {@link tokenEnds} tells. */
export function connectionUnended(alias: string): Prisma.Sql {
  return Prisma.sql`${aliasOf(alias)}.ended_at IS NULL`
}

/** A condition on the row `alias` of a token alone: its time is not over. Its connection and account are joined beside it. */
export function tokenLives(alias: string, now = NOW): Prisma.Sql {
  return Prisma.sql`(${aliasOf(alias)}.expires_at IS NULL OR ${aliasOf(alias)}.expires_at > ${now})`
}

/** When the token `token` runs out: with its own time or with that of `connection`, null where it has none. Null is never. */
export function tokenEnds(token: string, connection: string): Prisma.Sql {
  return Prisma.sql`least(${aliasOf(token)}.expires_at, ${aliasOf(connection)}.expires_at)`
}

/** Accounts that are alive: what {@link accountLives} says. */
export const LIVE_ACCOUNT = { status: 'active' } as const satisfies Prisma.AccountWhereInput

/** Connections that are alive at `now`: what {@link connectionLives} says. */
export function liveConnection(now: Date) {
  return { endedAt: null, expiresAt: { gt: now } } satisfies Prisma.ConnectionWhereInput
}

/** Tokens that are alive at `now`, with their connection where they have one: what {@link tokenLives} says of either kind. */
export function liveToken(now: Date) {
  return {
    AND: [
      { OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
      { OR: [{ connectionId: null }, { connection: liveConnection(now) }] },
    ],
  } satisfies Prisma.ApiTokenWhereInput
}

/** Signing keys that are published at `now`: those that no rotation has retired, or that leave the key set later. */
export function publishedKey(now: Date) {
  return { OR: [{ retiresAt: null }, { retiresAt: { gt: now } }] } satisfies Prisma.SigningKeyWhereInput
}

/** True for an account that is alive: what {@link accountLives} says. */
export function isAccountAlive({ status }: { readonly status: AccountStatus }): boolean {
  return status === LIVE_ACCOUNT.status
}

/** True for a connection that is alive at `now`: what {@link connectionLives} says. */
export function isConnectionAlive(
  { endedAt, expiresAt }: { readonly endedAt: Date | null; readonly expiresAt: Date },
  now: Date,
): boolean {
  return endedAt === null && expiresAt > now
}

/** True while the time of a token is not over at `now`: what {@link tokenLives} says. */
export function isTokenAlive({ expiresAt }: { readonly expiresAt: Date | null }, now: Date): boolean {
  return expiresAt === null || expiresAt > now
}

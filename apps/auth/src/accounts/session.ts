import { randomUUID } from 'node:crypto'
import { fastifyCookie } from '@fastify/cookie'
import { accountLives } from '@vertexsms/db/alive'
import type { Database, Prisma } from '@vertexsms/db/client'
import { databaseNow, runningFrom } from '@vertexsms/db/clock'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { cookieName } from '../cookie-name.ts'
import { SIZES } from '../service-limits.ts'

/** What the session functions need: the database, the public URL (it decides the cookie's name) and the lifetime. */
export interface SessionDeps {
  readonly db: Database
  readonly issuerUrl: string
  readonly sessionSeconds: number
}

/** A browser that is signed in, and as whom. */
export interface SignedIn {
  readonly sessionId: string
  readonly account: { readonly id: string; readonly email: string }
  /** What time it is by the database's clock, which told it when it found the session. */
  readonly now: () => Date
}

const LAST_SEEN_EVERY_MS = 60_000
const MAX_USER_AGENT_CHARS = 300

function sessionCookieName(issuerUrl: string): string {
  return cookieName(issuerUrl, '__Host-', 'session')
}

function sessionCookie(issuerUrl: string, value: string, maxAgeSeconds: number): string {
  return fastifyCookie.serialize(sessionCookieName(issuerUrl), value, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: issuerUrl.startsWith('https:'),
    maxAge: maxAgeSeconds,
  })
}

/**
 * Who sends this `Cookie` header: the session and its account, or null when there is no live session or the account
 * is disabled. Notes the visit, at most once a minute.
 */
export async function readSession(deps: SessionDeps, cookieHeader: string | undefined): Promise<SignedIn | null> {
  const secret = fastifyCookie.parse(cookieHeader ?? '')[sessionCookieName(deps.issuerUrl)]
  if (!secret) return null
  const [session] = await deps.db.$queryRaw<
    { id: string; accountId: string; email: string; lastSeenAt: Date; now: Date }[]
  >`
    SELECT s.id::text, a.id::text AS "accountId", a.email, s.last_seen_at AS "lastSeenAt", database_now() AS now
    FROM session s JOIN account a ON a.id = s.account_id AND ${accountLives('a')}
    WHERE s.secret_hash = ${hashToken(secret)} AND s.expires_at > database_now()`
  if (!session) return null
  const { now } = session
  const clock = runningFrom(now)
  if (now.getTime() - session.lastSeenAt.getTime() >= LAST_SEEN_EVERY_MS) {
    await deps.db.session.updateMany({ where: { id: session.id }, data: { lastSeenAt: now } })
  }
  return { sessionId: session.id, account: { id: session.accountId, email: session.email }, now: clock }
}

/** What stands for the session cookie that a browser sends, of a session that may have ended; null where it sends none. */
export function sessionMark(deps: Pick<SessionDeps, 'issuerUrl'>, cookieHeader: string | undefined): string | null {
  const secret = fastifyCookie.parse(cookieHeader ?? '')[sessionCookieName(deps.issuerUrl)]
  return secret ? Buffer.from(hashToken(secret)).toString('base64url').slice(0, 16) : null
}

/** The `Set-Cookie` value that clears the session cookie. */
function noSessionCookie({ issuerUrl }: Pick<SessionDeps, 'issuerUrl'>): string {
  return sessionCookie(issuerUrl, '', 0)
}

/**
 * Signs a browser in; returns the new session's id and the `Set-Cookie` value that carries its secret. Call it in the
 * transaction that holds the account and has seen that what the person proved still counts. An account has a bounded
 * number of sessions: the one not seen for longest goes.
 */
export async function createSession(
  deps: Omit<SessionDeps, 'db'> & { readonly db: Prisma.TransactionClient },
  browser: { readonly accountId: string; readonly userAgent: string | undefined; readonly address: string },
): Promise<{ sessionId: string; setCookie: string }> {
  const secret = newSecret()
  const now = await databaseNow(deps.db)
  const { id } = await deps.db.session.create({
    data: {
      id: randomUUID(),
      accountId: browser.accountId,
      secretHash: hashToken(secret),
      createdAt: now,
      lastSeenAt: now,
      expiresAt: new Date(now.getTime() + deps.sessionSeconds * 1000),
      userAgent: (browser.userAgent ?? '').slice(0, MAX_USER_AGENT_CHARS),
      address: browser.address,
    },
    select: { id: true },
  })
  // The account is held, so the count holds too.
  await deps.db.$executeRaw`
    DELETE FROM session WHERE id IN (
      SELECT id FROM session WHERE account_id = ${browser.accountId}::uuid
      ORDER BY last_seen_at DESC, created_at DESC, id OFFSET ${SIZES.sessionsOfAccount}
    ) AND id <> ${id}::uuid`
  return { sessionId: id, setCookie: sessionCookie(deps.issuerUrl, secret, deps.sessionSeconds) }
}

/** Ends one session of an account; another account's session is left alone. Returns the `Set-Cookie` value that clears the cookie. */
export async function endSession(
  deps: Omit<SessionDeps, 'db'> & { readonly db: Prisma.TransactionClient },
  session: { accountId: string; sessionId: string },
): Promise<string> {
  await deps.db.session.deleteMany({ where: { id: session.sessionId, accountId: session.accountId } })
  return noSessionCookie(deps)
}

import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { Database, Prisma } from '@vertexsms/db/client'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { lastUsedOf } from '../connections/last-used.ts'
import { type NamedSpender, spenderNamed } from '../connections/names.ts'
import { scheduledUnder } from '../connections/scheduled.ts'
import { spenderIdOf } from '../connections/spenders.ts'
import { spentOf } from '../connections/spent.ts'
import { inOneLine, type Naming, ownersNaming, whoOf } from '../connections/who.ts'
import type { EndingConnectionView } from '../views/tokens.ts'
import { wordsFor } from '../web/language.ts'
import { type OnceDeps, showOnce } from '../web/once.ts'
import { nowOf, signedInOf } from '../web/require-session.ts'
import { timeView } from '../web/times.ts'
import type { Words } from '../words/words.ts'

interface Gone {
  readonly which: string
  readonly cancelled: number
}

/** What the list says once of a token or app that is gone: which it was, and what was cancelled with it. */
export function goneNotice(text: string, done: 'token' | 'connection', { access, format }: Words): string {
  const { which, cancelled }: Gone = JSON.parse(text)
  const also = cancelled > 0 ? ` ${access.cancelled(cancelled, format.number(cancelled))}` : ''
  return `${access.doneNamed[done](which)}${also}`
}

/** How the list says which token or app is gone, asked before it goes: its row may be gone as well, and its number is. */
export async function whichGoes(
  deps: Parameters<typeof ownersNaming>[0],
  request: FastifyRequest,
  { named, lastFour }: { readonly named: NamedSpender; readonly lastFour: string | null },
): Promise<string> {
  const of = { accountId: signedInOf(request).account.id, now: nowOf(request) }
  if (named.app) return inOneLine(whoOf(named, await ownersNaming(deps, of, wordsFor(request))))
  return lastFour === null ? named.name : `${named.name} (…${lastFour}…)`
}

/** Lets the list say which is gone, and how many of its messages with it. */
export function tellWhich(
  deps: OnceDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  which: string,
  cancelled: number,
): void {
  const gone: Gone = { which, cancelled }
  showOnce(deps, reply, noticePlace(request), JSON.stringify(gone))
}

/** A connection that is about to end, as the page that asks shows it. */
export async function endingView(
  db: Database,
  row: Prisma.ConnectionGetPayload<object>,
  now: Date,
  naming: Naming,
): Promise<EndingConnectionView> {
  const lastUsed = (await lastUsedOf(db, [row])).get(row.id)
  return {
    who: whoOf(spenderNamed(row), naming),
    approved: timeView(row.approvedAt, now),
    lastUsed: lastUsed ? timeView(lastUsed, now) : null,
    spent: await spentOf(db, spenderIdOf(row), now),
    scheduledMessages: await scheduledUnder(db, row.id),
  }
}

/** Where it says so. */
export function noticePlace(request: FastifyRequest) {
  return { path: PAGE_PATHS.tokens, sessionId: signedInOf(request).sessionId, about: 'deleted' }
}

import type { Database } from '@vertexsms/db/client'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type OnceDeps, showOnce } from '../web/once.ts'
import { signedInOf } from '../web/require-session.ts'

/** Settings -> API. */
export const TOKENS_PATH = '/settings/api'

/** Lets the list say which token or app is gone, whose row may be gone as well. */
export function tellWhich(
  deps: OnceDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  row: {
    readonly name: string
    readonly lastFour: string | null
    readonly client: { readonly name: string; readonly redirectHost: string } | null
  },
): void {
  const own = row.lastFour === null ? row.name : `${row.name} (…${row.lastFour})`
  const which = row.client ? `${row.client.redirectHost} (${row.client.name})` : own
  showOnce(deps, reply, noticePlace(request), which)
}

/** Messages that wait for their time under a connection; the simulated operator has some from before sends had tables. */
export async function scheduledUnder(db: Database, connectionId: string): Promise<number> {
  const waiting = await db.sendMessage.count({ where: { state: 'scheduled', send: { connectionId } } })
  return waiting + (await db.message.count({ where: { connectionId, status: 'scheduled' } }))
}

/** Where it says so. */
export function noticePlace(request: FastifyRequest) {
  return { path: TOKENS_PATH, sessionId: signedInOf(request).sessionId, about: 'deleted' }
}

import type { Database } from '@vertexsms/db/client'
import { endConnection } from './connection-end.ts'
import { findUsedToken, openResponse } from './token-store.ts'
import type { UnitOfWork } from './unit-of-work.ts'

/** A code or refresh token that came a second time when it should not have. */
export type ReplayEvent = 'refresh_reuse' | 'code_replay'

/**
 * A refresh token that is not live may be one that was rotated away. Within the overlap the same client gets the same
 * answer again, left in `work.replay`: two tabs that refresh at once must not log the person out. Later, or from
 * another client, it is taken for stolen and the connection ends (OAuth 2.1 §4.3.1, RFC 9700 §4.14.2).
 */
export async function judgeUsedToken(
  deps: { readonly db: Database; readonly onReplay: (event: ReplayEvent, connectionId: string) => void },
  work: UnitOfWork,
  presented: { readonly value: string; readonly clientId: string | undefined },
): Promise<void> {
  const used = await findUsedToken(deps.db, presented.value)
  if (!used) return
  const now = new Date()
  if (used.sealedResponse && used.overlapEndsAt > now && used.clientId === presented.clientId) {
    work.replay = openResponse(presented.value, used.sealedResponse)
    return
  }
  if (await endConnection(deps.db, used.connectionId, 'refresh_reuse', now)) {
    deps.onReplay('refresh_reuse', used.connectionId)
  }
}

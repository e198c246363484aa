import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { accountTransaction, lockSession } from '../accounts/account-lock.ts'
import { openInteraction, sealInteraction } from '../authorization/adapters/interaction-seal.ts'
import { artifactId } from '../authorization/tokens/token-store.ts'
import { type Approval, connect, findPlace, isFull, type Place } from './connect.ts'

/** What a person decided about one authorization request. */
export type Decision = { readonly kind: 'denied' } | Approval

/** What became of a decision; nothing changed unless it is `decided`. */
export type DecisionOutcome =
  | { readonly kind: 'answered_before' | 'signed_out' }
  /** The connection that the page told of is not the one that it would go on with, which promises less. */
  | { readonly kind: 'stale' }
  /** As many connections as an account may have, and this would be one more. */
  | { readonly kind: 'full' }
  /** `denied` too where it was allowed and no limits fit both sides. */
  | { readonly kind: 'decided'; readonly answer: 'allowed' | 'denied' }
  /** Wider than what a connection has, which the person has not confirmed. */
  | { readonly kind: 'wider'; readonly before: SpenderLimits; readonly after: SpenderLimits }

/**
 * Answers an authorization request, once: in one transaction the answer is stored where the library resumes from, and
 * an approval makes or continues the connection. `answered_before` after a double click or from another tab;
 * `signed_out` when the session that approves has ended, as a reset of the account ends it; `wider` when the connection
 * that goes on would be allowed more than the person has seen it be; `stale` when it is another than the person was told
 * of, with wider limits or counters that begin anew; `full` when the account has no room for another.
 */
export function decide(
  deps: { readonly db: Database; readonly operatorKey: Uint8Array },
  uid: string,
  decision: Decision,
): Promise<DecisionOutcome> {
  return accountTransaction(deps.db, async (tx) => {
    if (decision.kind === 'approved' && !(await lockSession(tx, decision))) return { kind: 'signed_out' }
    const now = await databaseNow(tx)
    // First of all: what a second press would be asked about, the first one has changed.
    const key = { kind: 'Interaction', id: artifactId(uid) }
    const stored = await tx.oidcArtifact.findUnique({
      where: { kind_id: key },
      select: { payload: true, consumedAt: true },
    })
    if (!stored || stored.consumedAt) return { kind: 'answered_before' }
    const grantId = newSecret()
    const place = decision.kind === 'approved' ? await findPlace(tx, decision, now) : null
    if (place?.isStale) return { kind: 'stale' }
    if (place?.widening) return { kind: 'wider', ...place.widening }
    const result = resultOf(decision, place, grantId)
    if (decision.kind === 'approved' && !place?.earlier && (await isFull(tx, decision.accountId, now)))
      return { kind: 'full' }
    const payload = { ...openInteraction(deps.operatorKey, uid, stored.payload), result }
    const { count } = await tx.oidcArtifact.updateMany({
      where: { ...key, consumedAt: null, expiresAt: { gt: now } },
      data: {
        consumedAt: now,
        accountId: decision.kind === 'approved' ? decision.accountId : null,
        payload: { sealed: sealInteraction(deps.operatorKey, uid, payload) },
      },
    })
    if (count === 0) return { kind: 'answered_before' }
    if (decision.kind === 'approved' && place?.limits)
      await connect(tx, decision, { ...place, limits: place.limits, grantId, now })
    return { kind: 'decided', answer: 'error' in result ? 'denied' : 'allowed' }
  })
}

/** What the library resumes with: a grant, or the error that the client is told (RFC 6749 §4.1.2.1, RFC 9396 §5). */
function resultOf(decision: Decision, place: Place | null, grantId: string) {
  if (decision.kind === 'denied') return { error: 'access_denied', error_description: 'the person did not approve' }
  if (place?.limits) return { login: { accountId: decision.accountId, remember: false }, consent: { grantId } }
  return {
    error: 'invalid_authorization_details',
    error_description: 'the limits asked for have nothing in common with those of the connection',
  }
}

import { randomUUID } from 'node:crypto'
import type { Scope } from '@vertexsms/contract/scopes'
import type { Database, Prisma } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { accountTransaction, lockSession } from '../accounts/account-lock.ts'
import { openInteraction, sealInteraction } from '../authorization/adapters/interaction-seal.ts'
import { artifactId } from '../authorization/tokens/token-store.ts'

/** What a person decided about one authorization request. */
export type Decision =
  | { readonly kind: 'denied' }
  | {
      readonly kind: 'approved'
      readonly accountId: string
      /** The browser that approves; it must still be signed in when the approval is written. */
      readonly sessionId: string
      readonly client: {
        readonly id: string
        readonly name: string
        /** True for a client known by a metadata document: many installs share it, so each approval is a new connection. */
        readonly shared: boolean
      }
      readonly redirectHost: string
      readonly scopes: readonly Scope[]
      readonly lifetimeSeconds: number
    }

/** What became of a decision; nothing changed unless it is `decided`. */
export type DecisionOutcome = 'decided' | 'answered_before' | 'signed_out'

/**
 * Answers an authorization request, once: in one transaction the answer is stored where the library resumes from, and
 * an approval makes or continues the connection. `answered_before` after a double click or from another tab;
 * `signed_out` when the session that approves has ended, as a reset of the account ends it.
 */
export function decide(
  deps: { readonly db: Database; readonly operatorKey: Uint8Array },
  uid: string,
  decision: Decision,
): Promise<DecisionOutcome> {
  return accountTransaction(deps.db, async (tx) => {
    if (decision.kind === 'approved' && !(await lockSession(tx, decision))) return 'signed_out'
    const now = await databaseNow(tx)
    const grantId = newSecret()
    const result =
      decision.kind === 'denied'
        ? { error: 'access_denied', error_description: 'the person did not approve' }
        : { login: { accountId: decision.accountId, remember: false }, consent: { grantId } }
    const key = { kind: 'Interaction', id: artifactId(uid) }
    const stored = await tx.oidcArtifact.findUnique({ where: { kind_id: key }, select: { payload: true } })
    if (!stored) return 'answered_before'
    const payload = { ...openInteraction(deps.operatorKey, uid, stored.payload), result }
    const { count } = await tx.oidcArtifact.updateMany({
      where: { ...key, consumedAt: null, expiresAt: { gt: now } },
      data: {
        consumedAt: now,
        accountId: decision.kind === 'approved' ? decision.accountId : null,
        payload: { sealed: sealInteraction(deps.operatorKey, uid, payload) },
      },
    })
    if (count === 0) return 'answered_before'
    if (decision.kind === 'approved') await connect(tx, decision, grantId, now)
    return 'decided'
  })
}

type Approval = Extract<Decision, { kind: 'approved' }>

async function connect(tx: Prisma.TransactionClient, approval: Approval, grantId: string, now: Date): Promise<void> {
  const { accountId, client, scopes, redirectHost, lifetimeSeconds } = approval
  const fields = {
    grantId,
    clientName: client.name,
    redirectHost,
    scopes: [...scopes],
    approvedAt: now,
    expiresAt: new Date(now.getTime() + lifetimeSeconds * 1000),
  }
  const continued = client.shared ? null : await lockLatest(tx, accountId, client.id, now)
  if (continued) {
    // Same connection, same limits and counters; what was issued before this approval ends with it.
    await tx.apiToken.deleteMany({ where: { connectionId: continued.id } })
    await tx.oidcArtifact.deleteMany({ where: { grantId: continued.grantId } })
    await tx.usedRefreshToken.deleteMany({ where: { connectionId: continued.id } })
    await tx.connection.update({ where: { id: continued.id }, data: fields })
  } else {
    await tx.connection.create({
      data: { id: randomUUID(), accountId, clientId: client.id, createdAt: now, ...fields },
    })
  }
  await tx.oidcClient.updateMany({ where: { id: client.id }, data: { lastUsedAt: now } })
}

/**
 * The live connection of a client that registered itself: one install stands behind it, so there is at most one. The
 * account's lock makes two approvals at once agree on that; the row lock keeps token requests out meanwhile.
 */
async function lockLatest(
  tx: Prisma.TransactionClient,
  accountId: string,
  clientId: string,
  now: Date,
): Promise<{ id: string; grantId: string } | null> {
  const [row] = await tx.$queryRaw<{ id: string; grantId: string }[]>`
    SELECT id::text, grant_id AS "grantId" FROM connection
    WHERE account_id = ${accountId}::uuid AND client_id = ${clientId} AND ended_at IS NULL
      AND expires_at > ${now}::timestamptz
    ORDER BY approved_at DESC LIMIT 1 FOR NO KEY UPDATE`
  return row ?? null
}

// The account's own token at the operator, opened for the call that needs it and kept by nobody.
import { upstreamTokenContext } from '@vertexsms/contract/upstream-account'
import type { Database } from '@vertexsms/db/client'
import { open } from '@vertexsms/secrets/seal'

/** What stands in Settings -> Sending account. */
export interface UpstreamToken {
  /** Opens somebody's money: into the header of a call, and nowhere else. */
  readonly token: string
  /** Of this very token, from 1. What was accepted under another generation must not be handed over with it. */
  readonly generation: number
  /** What a lookup costs by the owner's word; null where he did not say. */
  readonly hlrPriceMicros: bigint | null
}

/** The stored token does not open: another operator key, or a row that is not as it was sealed. Says no more than that. */
export class UpstreamTokenBroken extends Error {
  override name = 'UpstreamTokenBroken'
  readonly code = 'UPSTREAM_TOKEN_BROKEN'
}

/**
 * The token of an account, with its generation from the same read; null where none is set. `key` is the derived key
 * `upstream-token`. Throws UpstreamTokenBroken for one that does not open, and never gives another account's or an
 * earlier one; throws what the database threw where it cannot be reached.
 */
export async function readUpstreamToken(
  db: Database,
  key: Uint8Array,
  accountId: string,
): Promise<UpstreamToken | null> {
  const row = await db.upstreamAccount.findUnique({
    where: { accountId },
    select: { id: true, sealedToken: true, generation: true, hlrPriceMicros: true },
  })
  if (!row?.sealedToken) return null
  const { generation, hlrPriceMicros } = row
  const context = upstreamTokenContext({ id: row.id, accountId, generation })
  return { token: opened(key, row.sealedToken, context), generation, hlrPriceMicros }
}

function opened(key: Uint8Array, sealed: Uint8Array, context: string): string {
  try {
    return open(key, sealed, context)
  } catch {
    // Whatever it was: nothing of a key or a sealed value belongs into an error.
    throw new UpstreamTokenBroken('the stored token of the account does not open')
  }
}

import type { Database } from '@vertexsms/db/client'
import { decodeJwt } from 'jose'
import { endConnectionOfGrant } from '../../connections/end.ts'
import { artifactId, findUsedToken, secondsLeft, type UsedToken, writeAccessBeside } from './token-store.ts'
import type { UnitOfWork } from './unit-of-work.ts'

/** A code or refresh token that came a second time when it should not have: for all we know it was stolen. */
export interface Reuse {
  readonly reason: 'refresh_reuse' | 'code_replay'
  /** The connection that ends of it. */
  readonly connectionId: string
  readonly clientId: string
}

/**
 * A refresh token that is not live may be one that was rotated away. Within the overlap the same client gets what it
 * got before, left in `work.earlier`: two tabs that refresh at once must not log the person out. The payload that is
 * returned lets the library judge the request as it judges every refresh. Later, or from another client, the token is
 * taken for stolen and the connection ends (OAuth 2.1 §4.3.1, RFC 9700 §4.14.2).
 */
export async function judgeUsedToken(
  deps: { readonly db: Database; readonly onReuse: (reuse: Reuse) => void },
  work: UnitOfWork,
  presented: { readonly value: string; readonly clientId: string | undefined },
): Promise<Record<string, unknown> | undefined> {
  const { value, clientId } = presented
  const used = await findUsedToken(deps.db, value)
  if (!used) return undefined
  if (used.overlap && used.clientId === clientId) {
    const latest = await followRotations(deps.db, used)
    if (!latest?.overlap) return undefined
    work.grant = latest.grant
    work.presented = { kind: 'RefreshToken', id: artifactId(value), value }
    work.earlier = latest.overlap.answer
    return latest.overlap.payload
  }
  const { connectionId, grantId, clientId: owner } = used.grant
  if (await endConnectionOfGrant(deps.db, grantId, 'refresh_reuse')) {
    deps.onReuse({ reason: 'refresh_reuse', connectionId, clientId: owner })
  }
  return undefined
}

/** Rotations of one connection that are followed within an overlap; a client that makes more is not helped. */
const ROTATIONS_MAX = 32

/**
 * The last of the rotations that began with `used`: where the client refreshed twice within the overlap, the first answer
 * holds a refresh token that is itself used, and giving it out would end the connection at its next use. Null when the
 * chain is broken.
 */
async function followRotations(db: Database, used: UsedToken): Promise<UsedToken | null> {
  let latest: UsedToken | null = used
  for (let hop = 0; hop < ROTATIONS_MAX && latest?.overlap; hop += 1) {
    if (latest.overlap.isLatest) return latest
    latest = await findUsedToken(db, latest.overlap.answer.refresh_token)
  }
  return null
}

/**
 * The answer to a refresh token that was used a moment ago: the same tokens, with what is left of the access token's
 * time. Where another scope is asked for now, or the access token is gone, a fresh access token stands beside it; the
 * refresh token is the same in every case. Null when the connection has ended meanwhile.
 */
export async function answerAgain(
  db: Database,
  work: UnitOfWork,
  fresh: Record<string, unknown>,
): Promise<Record<string, unknown> | null> {
  const { earlier, access } = work
  if (!earlier || !access) throw new Error('no earlier answer')
  if (sameScopes(earlier.scope, access.scope)) {
    const { jti } = decodeJwt(earlier.access_token)
    const seconds = await secondsLeft(db, String(jti))
    if (seconds > 0) return { ...earlier, expires_in: seconds }
  }
  if (!(await writeAccessBeside(db, work))) return null
  return { ...fresh, refresh_token: earlier.refresh_token }
}

function sameScopes(one: string, other: string): boolean {
  return one.split(' ').sort().join(' ') === other.split(' ').sort().join(' ')
}

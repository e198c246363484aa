import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { Prisma } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { mac } from '@vertexsms/secrets/mac'
import { subkey } from '@vertexsms/secrets/subkey'

// A challenge (WebAuthn §13.4.3) carries its own proof: random bytes, the second it expires, and an HMAC over both and
// what it is bound to. So showing a page writes nothing; only using a challenge leaves a row, and a second use finds it.

const RANDOM_BYTES = 16
const EXPIRY_BYTES = 6
const LIFETIME_MS = 30 * 60_000

interface ChallengeDeps {
  readonly db: Database
  readonly operatorKey: Uint8Array
}

function proof(deps: ChallengeDeps, head: Uint8Array, binding: string): Buffer {
  return mac(subkey(deps.operatorKey, 'passkey-challenge'), head, binding)
}

/** A new challenge for one ceremony at `now`, the database's, by which {@link takeChallenge} judges it; `binding` names the ceremony and the browser, such as `register:session:...`. */
export function newChallenge(deps: ChallengeDeps, binding: string, now: Date): Uint8Array<ArrayBuffer> {
  const head = Buffer.alloc(RANDOM_BYTES + EXPIRY_BYTES)
  randomBytes(RANDOM_BYTES).copy(head)
  head.writeUIntBE(now.getTime() + LIFETIME_MS, RANDOM_BYTES, EXPIRY_BYTES)
  return new Uint8Array(Buffer.concat([head, proof(deps, head, binding)]))
}

/**
 * True exactly once for a challenge of ours with this binding that has not expired by the database's clock, which also
 * decides when its row goes; it is spent whatever follows.
 */
export async function takeChallenge(deps: ChallengeDeps, challenge: string, binding: string): Promise<boolean> {
  const bytes = Buffer.from(challenge, 'base64url')
  const head = bytes.subarray(0, RANDOM_BYTES + EXPIRY_BYTES)
  const expected = proof(deps, head, binding)
  const given = bytes.subarray(RANDOM_BYTES + EXPIRY_BYTES)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false
  const expiresAt = new Date(head.readUIntBE(RANDOM_BYTES, EXPIRY_BYTES))
  if (expiresAt <= (await databaseNow(deps.db))) return false
  try {
    // As its bytes are spelled by us: base64url is read with padding, too, and with the letters of base64.
    const id = hashToken(bytes.toString('base64url'))
    await deps.db.passkeyChallenge.create({ data: { id, expiresAt } })
    return true
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') return false
    throw error
  }
}

import { randomBytes } from 'node:crypto'
import { ACCESS_TOKEN_ALG } from '@vertexsms/contract/api-token'
import { publishedKey } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { open, seal } from '@vertexsms/secrets/seal'
import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWK } from 'jose'

/** How long a key stands in the key set before it signs, so that every verifier has fetched it. */
const PUBLISH_BEFORE_USE_SECONDS = 600
/** How often a node looks for new keys. */
export const KEY_POLL_SECONDS = 30
/** How long a key stays published after the last token it signed has expired. */
const KEEP_AFTER_USE_SECONDS = 600

/** Serializes the making of keys by several processes. */
const KEYS_LOCK = 72707371

/** One published key of ours with its private half. */
export interface SigningKey {
  readonly kid: string
  readonly privateJwk: JWK
  readonly publicJwk: JSONWebKeySet['keys'][number]
  readonly signsFrom: Date
}

/** A rotation was asked for while the last one is not yet in use. */
export class RotationUnderWay extends Error {
  override readonly name = 'RotationUnderWay'
  readonly signsFrom: Date

  constructor(signsFrom: Date) {
    super(`A new key is already published and signs from ${signsFrom.toISOString()}.`)
    this.signsFrom = signsFrom
  }
}

interface KeyDeps {
  readonly db: Database
  readonly operatorKey: Uint8Array
}

/**
 * Every key that is published at `now`, oldest first; makes the very first one, which several nodes starting at once
 * do exactly once. Throws SealError when the operator key is not the one the keys were sealed under.
 */
export async function loadSigningKeys({ db, operatorKey }: KeyDeps, now: Date): Promise<SigningKey[]> {
  const rows = await readPublished(db, now)
  if (rows.length === 0) {
    const key = await makeKey(operatorKey)
    await db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT pg_advisory_xact_lock(${KEYS_LOCK})::text`
      // Another node may have made it meanwhile.
      if ((await readPublished(tx, now)).length > 0) return
      await tx.$executeRaw`
        INSERT INTO signing_key (kid, alg, public_jwk, sealed_jwk, created_at, signs_from)
        VALUES (${key.kid}, ${key.alg}, ${JSON.stringify(key.publicJwk)}::jsonb, ${key.sealedJwk}, ${now}::timestamptz, ${now}::timestamptz)`
    })
    rows.push(...(await readPublished(db, now)))
  }
  return rows.map((row) => ({
    kid: row.kid,
    privateJwk: JSON.parse(open(operatorKey, row.sealedJwk, sealContext(row.kid))) as JWK,
    publicJwk: row.publicJwk as SigningKey['publicJwk'],
    signsFrom: row.signsFrom,
  }))
}

/**
 * Throws SealError when the operator key is not the one that the signing keys are sealed under. Without any it may be: the
 * first start makes them. Whoever seals anew asks first, for what is sealed under another key no node ever opens.
 */
export async function expectOperatorKey({ db, operatorKey }: KeyDeps): Promise<void> {
  for (const { kid, sealedJwk } of await db.signingKey.findMany()) open(operatorKey, sealedJwk, sealContext(kid))
}

/** The key that signs at `now`: the youngest whose time has come. */
export function signingKeyAt(keys: readonly SigningKey[], now: Date): SigningKey {
  const [first, ...others] = keys
  if (!first) throw new Error('there is no signing key')
  return others.reduce((best, key) => (key.signsFrom <= now && key.signsFrom >= best.signsFrom ? key : best), first)
}

/**
 * Publishes a new key that will sign once every node and verifier has seen it, and sets the day on which the old ones
 * leave the key set: when the last token they signed has expired. Throws {@link RotationUnderWay} when the last
 * rotation has not come into use yet, and SealError when the operator key is another: every node would fail over the new key.
 */
export async function rotateSigningKey(
  { db, operatorKey }: KeyDeps,
  { now, accessTokenSeconds }: { readonly now: Date; readonly accessTokenSeconds: number },
): Promise<{ kid: string; signsFrom: Date; oldRetiresAt: Date }> {
  await expectOperatorKey({ db, operatorKey })
  const key = await makeKey(operatorKey)
  // One poll more than the promise: a node may learn of the key that much later.
  const signsFrom = new Date(now.getTime() + (PUBLISH_BEFORE_USE_SECONDS + KEY_POLL_SECONDS) * 1000)
  const oldRetiresAt = new Date(signsFrom.getTime() + (accessTokenSeconds + KEEP_AFTER_USE_SECONDS) * 1000)
  const [, inserted] = await db.$transaction([
    db.$queryRaw`SELECT pg_advisory_xact_lock(${KEYS_LOCK})::text`,
    db.$executeRaw`
      INSERT INTO signing_key (kid, alg, public_jwk, sealed_jwk, created_at, signs_from)
      SELECT ${key.kid}, ${key.alg}, ${JSON.stringify(key.publicJwk)}::jsonb, ${key.sealedJwk}, ${now}::timestamptz, ${signsFrom}::timestamptz
      WHERE NOT EXISTS (SELECT 1 FROM signing_key WHERE signs_from > ${now}::timestamptz)`,
    db.$executeRaw`
      UPDATE signing_key SET retires_at = ${oldRetiresAt}::timestamptz
      WHERE kid <> ${key.kid} AND retires_at IS NULL AND EXISTS (SELECT 1 FROM signing_key WHERE kid = ${key.kid})`,
  ])
  if (inserted === 0) {
    const pending = await db.signingKey.findFirst({ where: { signsFrom: { gt: now } } })
    throw new RotationUnderWay(pending?.signsFrom ?? now)
  }
  return { kid: key.kid, signsFrom, oldRetiresAt }
}

/** What stands at `jwks_uri` (RFC 7517 §5): the public halves, for signatures only. */
export function publishedSet(keys: readonly SigningKey[]): JSONWebKeySet {
  return { keys: keys.map(({ kid, publicJwk }) => ({ ...publicJwk, kid, alg: ACCESS_TOKEN_ALG, use: 'sig' })) }
}

async function readPublished(db: Pick<Database, 'signingKey'>, now: Date) {
  return db.signingKey.findMany({
    where: publishedKey(now),
    orderBy: [{ signsFrom: 'asc' }, { kid: 'asc' }],
  })
}

async function makeKey(operatorKey: Uint8Array) {
  const pair = await generateKeyPair(ACCESS_TOKEN_ALG, { extractable: true })
  const kid = randomBytes(12).toString('base64url')
  const privateJwk = await exportJWK(pair.privateKey)
  const publicJwk = await exportJWK(pair.publicKey)
  const sealedJwk = seal(operatorKey, JSON.stringify(privateJwk), sealContext(kid))
  return { kid, alg: ACCESS_TOKEN_ALG, publicJwk, sealedJwk }
}

function sealContext(kid: string): string {
  return `signing-key:${kid}`
}

import {
  type AuthenticationResponseJSON,
  type AuthenticatorTransport,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { decodeAttestationObject, isoBase64URL } from '@simplewebauthn/server/helpers'
import { isAccountAlive } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { isUnreachable } from '@vertexsms/db/unreachable'
import { JsonRefused, readJson } from '@vertexsms/service/json'
import * as z from 'zod'
import { accountTransaction, lockSession } from './account-lock.ts'
import { newChallenge, takeChallenge } from './passkey-challenge.ts'
import type { Proof } from './proof.ts'
import { tellOfWayIn } from './way-in-notice.ts'

interface PasskeyDeps {
  readonly db: Database
  readonly operatorKey: Uint8Array
  readonly issuerUrl: string
}

/** Passkeys that one account may have. */
export const MAX_PASSKEYS = 20

/** Far more than any authenticator answers, attestations included. */
const MAX_ANSWER_CHARS = 16_384

/** The shape every answer of a browser has, and of what we read ourselves; the library judges the rest. */
const answerSchema = z.looseObject({
  id: z.string().regex(/^[\w-]{1,1400}$/),
  response: z.looseObject({ transports: z.array(z.string()).nullish(), userHandle: z.string().nullish() }),
})

function parseAnswer(json: string) {
  if (json.length > MAX_ANSWER_CHARS) return undefined
  try {
    return answerSchema.safeParse(readJson(json)).data
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error
    return undefined
  }
}

function relyingParty(deps: PasskeyDeps) {
  const { origin, hostname } = new URL(deps.issuerUrl)
  return { expectedOrigin: origin, expectedRPID: hostname }
}

/** What the browser needs to make a passkey of this account (WebAuthn §5.4), as JSON. */
export async function registrationOptions(
  deps: PasskeyDeps,
  account: { readonly id: string; readonly email: string },
  binding: string,
): Promise<string> {
  const known = await deps.db.passkey.findMany({
    where: { accountId: account.id },
    select: { id: true, transports: true },
  })
  const options = await generateRegistrationOptions({
    rpName: 'VertexSMS',
    rpID: relyingParty(deps).expectedRPID,
    userName: account.email,
    userDisplayName: account.email,
    userID: new TextEncoder().encode(account.id),
    challenge: newChallenge(deps, binding, await databaseNow(deps.db)),
    attestationType: 'none',
    excludeCredentials: known,
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
  return JSON.stringify(options)
}

/** What became of a passkey that a browser has made. */
export type Addition = 'added' | 'refused' | 'too_many'

/**
 * Stores the passkey that a browser has made under the password that fits `passwordHash`, and notes that its owner is
 * told. `refused` when its answer does not hold, or the session or the password has ended since; `too_many` when the
 * account has {@link MAX_PASSKEYS}.
 */
export async function addPasskey(
  deps: PasskeyDeps,
  added: {
    readonly accountId: string
    readonly sessionId: string
    readonly passwordHash: string
    readonly name: string
    readonly answer: string
    readonly binding: string
  },
): Promise<Addition> {
  const answer = parseAnswer(added.answer)
  if (!answer) return 'refused'
  const now = await databaseNow(deps.db)
  const verified = await verifyRegistration(deps, answer as unknown as RegistrationResponseJSON, added.binding).catch(
    notHeld,
  )
  if (!verified?.verified) return 'refused'
  const { id, publicKey, counter, transports } = verified.registrationInfo.credential
  const { accountId, name } = added
  const data = {
    id,
    accountId,
    name,
    publicKey,
    counter: BigInt(counter),
    transports: transports ?? [],
    createdAt: now,
  }
  return accountTransaction(deps.db, async (tx) => {
    const account = await lockSession(tx, added)
    if (account?.passwordHash !== added.passwordHash) return 'refused'
    if ((await tx.passkey.count({ where: { accountId } })) >= MAX_PASSKEYS) return 'too_many'
    // The id is another account's, or this one's already: the row that stands is not touched.
    const { count } = await tx.passkey.createMany({ data, skipDuplicates: true })
    if (count !== 1) return 'refused'
    await tellOfWayIn(tx, 'passkey_added', accountId, await databaseNow(tx))
    return 'added'
  })
}

async function verifyRegistration(deps: PasskeyDeps, response: RegistrationResponseJSON, binding: string) {
  if (!attestsNothing(response)) return null
  return verifyRegistrationResponse({
    response,
    expectedChallenge: (challenge) => takeChallenge(deps, challenge, binding),
    ...relyingParty(deps),
    requireUserVerification: true,
  })
}

/**
 * True where an answer names no maker of its authenticator, which we do not ask for and browsers take out (WebAuthn §5.4.7);
 * its own key may speak for it (§8.2). Throws for what is no attestation object. Of a maker the library fetches what its
 * certificates name before it knows whose they are: every account could send it anywhere, past the guard of outbound requests.
 */
function attestsNothing({ response }: RegistrationResponseJSON): boolean {
  const attestation = decodeAttestationObject(isoBase64URL.toBuffer(response.attestationObject))
  const format = attestation.get('fmt')
  return format === 'none' || (format === 'packed' && attestation.get('attStmt').get('x5c') === undefined)
}

/** What the browser needs to offer the passkeys of this site (WebAuthn §5.5), as JSON; it names no account. */
export async function signInOptions(deps: PasskeyDeps, binding: string): Promise<string> {
  const options = await generateAuthenticationOptions({
    rpID: relyingParty(deps).expectedRPID,
    challenge: newChallenge(deps, binding, await databaseNow(deps.db)),
    userVerification: 'required',
  })
  return JSON.stringify(options)
}

/**
 * Proves whose passkey signed the challenge; null when the answer does not hold or the account is disabled. `count` is asked
 * before the work on an answer that names a passkey there is, with whose it is, and throws where there were too many.
 */
export async function checkPasskey(
  deps: PasskeyDeps,
  json: string,
  { binding, count }: { readonly binding: string; readonly count: (accountId: string) => Promise<void> },
): Promise<Proof | null> {
  const answer = parseAnswer(json)
  const passkey = answer && (await deps.db.passkey.findUnique({ where: { id: answer.id }, include: { account: true } }))
  if (!passkey || !isAccountAlive(passkey.account)) return null
  await count(passkey.accountId)
  const now = await databaseNow(deps.db)
  const response = answer as unknown as AuthenticationResponseJSON
  const verified = await verifyAuthenticationResponse({
    response,
    expectedChallenge: (challenge) => takeChallenge(deps, challenge, binding),
    ...relyingParty(deps),
    credential: {
      id: passkey.id,
      publicKey: passkey.publicKey,
      counter: Number(passkey.counter),
      transports: passkey.transports as AuthenticatorTransport[],
    },
    requireUserVerification: true,
  }).catch(notHeld)
  if (!verified?.verified || !belongsTo(response, passkey.accountId)) return null
  const counter = BigInt(verified.authenticationInfo.newCounter)
  const data = { counter, lastUsedAt: now }
  // It counts as long as it is there, for a reset takes it away, and as no use since was counted as high: of a passkey and a
  // copy of it at once one is refused (WebAuthn §7.2). What counts nothing says 0.
  const uncounted = counter > 0n ? { lt: counter } : 0n
  const where = { id: passkey.id, accountId: passkey.accountId, counter: uncounted }
  const stillHolds: Proof['stillHolds'] = async (tx) => (await tx.passkey.updateMany({ where, data })).count === 1
  return { accountId: passkey.accountId, stillHolds }
}

/** What the library throws is about the answer; what the database throws is not, and goes on. */
function notHeld(error: unknown): null {
  if (isUnreachable(error)) throw error
  return null
}

/**
 * A discoverable credential says whose it is (WebAuthn §7.2 step 6); it must be the account it is stored under. What says
 * nothing says so by null as well (§5.2.2).
 */
function belongsTo(response: AuthenticationResponseJSON, accountId: string): boolean {
  const { userHandle } = response.response
  return userHandle == null || Buffer.from(userHandle, 'base64url').toString() === accountId
}

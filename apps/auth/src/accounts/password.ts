import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { SIZES } from '../service-limits.ts'
import { createHashingQueue, type Whose } from './hashing-queue.ts'

/** argon2id, 19 MiB, two passes, one lane: the OWASP minimum, about 20 ms here. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Whose turn it is where nobody else asks, as in a command. */
const OURS: Whose = { name: 'ours', isStranger: false }

/** Of all work on passwords in this process: how much of it runs at once, and how much may wait. */
export const passwordTurns = createHashingQueue({ atOnce: SIZES.passwordsAtOnce, waitingMax: SIZES.waitingPasswords })

/**
 * The argon2id hash of a password as a PHC string, in the turn of who asks. Rejects under a flood, with what is answered
 * with 503.
 */
export function hashPassword(password: string, whose: Whose = OURS): Promise<string> {
  return passwordTurns.run(whose, () => hash(password, COST))
}

let decoy: Promise<string> | undefined

/**
 * True when the password fits the hash; in the turn of who asks, as {@link hashPassword}. Without a hash (no such account)
 * it does the same work and answers false, so that the time says nothing about the account.
 */
export async function verifyPassword(
  passwordHash: string | undefined,
  password: string,
  whose: Whose = OURS,
): Promise<boolean> {
  decoy ??= hash(randomBytes(32), COST)
  const against = passwordHash ?? (await decoy)
  const fits = await passwordTurns.run(whose, () => verify(against, password))
  return fits && passwordHash !== undefined
}

import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'

/** argon2id, 19 MiB, two passes, one lane: the OWASP minimum, about 20 ms here. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Hashes that run at once, and that may wait; more would let a flood of sign-ins take all memory and threads. */
const MAX_RUNNING = 4
const MAX_WAITING = 64

/** Too many passwords are being checked at once. Answered with 503. */
class PasswordsBusy extends Error {
  override readonly name = 'PasswordsBusy'
  readonly statusCode = 503
}

let running = 0
const waiting: (() => void)[] = []

async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (running >= MAX_RUNNING) {
    if (waiting.length >= MAX_WAITING) throw new PasswordsBusy('Too many sign-ins at once.')
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else {
    running += 1
  }
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running -= 1
  }
}

/** The argon2id hash of a password as a PHC string. Throws {@link PasswordsBusy} under a flood. */
export function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(password, COST))
}

let decoy: Promise<string> | undefined

/**
 * True when the password fits the hash. Without a hash (no such account) it does the same work and answers false, so
 * that the time says nothing about the account. Throws {@link PasswordsBusy} under a flood.
 */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  decoy ??= hash(randomBytes(32), COST)
  const against = passwordHash ?? (await decoy)
  const fits = await inTurn(() => verify(against, password))
  return fits && passwordHash !== undefined
}

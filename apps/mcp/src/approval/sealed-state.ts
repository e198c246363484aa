import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** What a person is asked to approve: who calls, what exactly, and what it may cost. */
export interface ApprovalSubject {
  /** Names the connection or token, and with it the account. */
  readonly caller: string
  readonly tool: string
  /** The arguments as they were read. */
  readonly args: unknown
  /** The most it may cost, in micro-EUR. */
  readonly priceMicros: bigint
}

/** What a state says about a call: still good, good no more, or not ours. */
export type StateVerdict = 'matches' | 'changed' | 'invalid'

/** Makes and checks the state that travels through the client between the question and the answer. */
export interface SealedStates {
  seal(subject: ApprovalSubject): string
  /** Reads without using up: a client may come back several times before the person has answered. */
  check(state: string, subject: ApprovalSubject): StateVerdict
  /** Uses the state up; false when it was used before. */
  redeem(state: string): boolean
}

interface Content {
  readonly id: string
  readonly caller: string
  readonly digest: string
  /** Decimal digits, because JSON has no big integers. */
  readonly priceMicros: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

const STATE_SECONDS = 900
const USED_MAX = 100_000
const NONCE_BYTES = 12
const TAG_BYTES = 16
const STATE_MAX_CHARACTERS = 2048

/**
 * States sealed with AES-256-GCM under a key that this process alone holds. A state is bound to its caller, tool,
 * arguments and price, ends after 15 minutes and works once. Another process cannot open it and asks again, so that
 * one use holds across nodes without a shared memory.
 */
export function createSealedStates(): SealedStates {
  const key = randomBytes(32)
  const used = new LRUCache<string, true>({ max: USED_MAX })

  function open(state: string): Content | null {
    if (state.length > STATE_MAX_CHARACTERS) return null
    const bytes = Buffer.from(state, 'base64url')
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) return null
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
    try {
      const plain = [decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES)), decipher.final()]
      return JSON.parse(Buffer.concat(plain).toString()) as Content
    } catch {
      return null
    }
  }

  return {
    seal({ caller, tool, args, priceMicros }) {
      const content: Content = {
        id: randomUUID(),
        caller,
        digest: digestOf(tool, args),
        priceMicros: String(priceMicros),
        expiresAt: Date.now() + STATE_SECONDS * 1000,
      }
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const sealed = [cipher.update(JSON.stringify(content)), cipher.final()]
      return Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]).toString('base64url')
    },
    check(state, { caller, tool, args, priceMicros }) {
      const content = open(state)
      if (content === null || content.caller !== caller || used.has(content.id)) return 'invalid'
      const isSame = content.digest === digestOf(tool, args) && priceMicros <= BigInt(content.priceMicros)
      return isSame && Date.now() < content.expiresAt ? 'matches' : 'changed'
    },
    redeem(state) {
      const content = open(state)
      if (content === null || used.has(content.id)) return false
      used.set(content.id, true)
      return true
    },
  }
}

// Arguments are read field by field in the order of the definition, so equal calls have equal JSON.
function digestOf(tool: string, args: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([tool, args]))
    .digest('base64url')
}

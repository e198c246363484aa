import { addressGroups } from './address.ts'
import { Buckets, perMinute } from './buckets.ts'
import { createMemory } from './memory.ts'

/** One look-up of an opaque token. Exactly one of the three ends is reported; nothing reported counts as refused. */
export interface TokenLookup {
  /** Whole seconds to wait; the token is looked up only when this is 0. */
  readonly waitSeconds: number
  /** True for a token that was accepted lately; it may be gone since. */
  readonly isKnown: boolean
  /** The token stands: nothing is counted, and for a day it is looked up whatever others do. */
  accepted(): void
  /** There is no such token: the failure stays counted, and the token is a stranger from now on. */
  refused(): void
  /** Nobody could say, or the token exists and was refused for another reason: nothing is counted. */
  undecided(): void
}

/** Counts the failed look-ups of opaque tokens, so that they cannot be guessed. */
export interface TokenLookups {
  /** Asks for one look-up of the token with this hash, on behalf of an address; see {@link addressGroups}. */
  begin(address: string, tokenHash: string): TokenLookup
}

/** A /48 may hold a campus, or 65 536 lines of one attacker: it gets as much as eight busy lines. */
const WIDE_FACTOR = 8
/** A client that repeats one dead token must not use up what the others behind its address have. */
const PER_HASH_MAX = 20
const ACCEPTED_MAX = 50_000
const ACCEPTED_FOR_MS = 86_400_000

/**
 * Limits of failed look-ups in one process: `failuresPerMinute` for an IPv4 address or IPv6 /64, eight times that for a /48,
 * at most 20 a minute for one token. A look-up is counted when it begins and given back when it does not fail, so
 * that many at once count like many in a row. With null nothing is limited, and tokens are still known.
 */
export function createTokenLookups(failuresPerMinute: number | null): TokenLookups {
  const acceptedLately = createMemory<true>(ACCEPTED_MAX, ACCEPTED_FOR_MS)
  const buckets = failuresPerMinute === null ? null : bucketsOf(failuresPerMinute)

  return {
    begin(address, hash) {
      const accepted = () => void acceptedLately.set(hash, true)
      const refused = () => void acceptedLately.delete(hash)
      const isKnown = acceptedLately.has(hash)
      if (isKnown || buckets === null) return { waitSeconds: 0, isKnown, accepted, refused, undecided() {} }

      const { hashes, narrow, wide } = buckets
      const groups = addressGroups(address)
      const counted: [Buckets, string][] = [
        [hashes, hash],
        [narrow, groups.narrow],
      ]
      if (groups.wide !== null) counted.push([wide, groups.wide])
      const waitSeconds = Math.max(...counted.map(([bucket, key]) => bucket.peek(key)))
      if (waitSeconds > 0) return { ...NOTHING, waitSeconds }

      for (const [bucket, key] of counted) bucket.take(key)
      const giveBack = () => {
        for (const [bucket, key] of counted.splice(0)) bucket.give(key)
      }
      return {
        waitSeconds: 0,
        isKnown,
        accepted() {
          giveBack()
          accepted()
        },
        refused,
        undecided: giveBack,
      }
    },
  }
}

function bucketsOf(failures: number) {
  return {
    narrow: new Buckets(perMinute(failures)),
    wide: new Buckets(perMinute(failures * WIDE_FACTOR)),
    hashes: new Buckets(perMinute(Math.min(failures, PER_HASH_MAX))),
  }
}

const NOTHING: TokenLookup = { waitSeconds: 0, isKnown: false, accepted() {}, refused() {}, undecided() {} }

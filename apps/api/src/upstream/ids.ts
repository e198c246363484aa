import { randomBytes } from 'node:crypto'
import { sqlStateOf } from '@vertexsms/db/sql-state'
import { mayHaveRun } from '@vertexsms/db/unreachable'
import { ApiError } from '../http/api-error.ts'

/** Ids of SMS: 18 digits, as a string on the wire. */
const SMS_ID = { from: 10n ** 17n, to: 10n ** 18n } as const

/** Ids that are JSON numbers on the wire: 16 digits, exact in every client. */
const NUMBER_ID = { from: 10n ** 15n, to: 2n ** 53n } as const

/** Tries of one insert; two of the same id are already as good as impossible. */
const TRIES = 5

/** SQLSTATE of a unique violation, a deadlock and a serialization failure: nothing was written. */
const TRY_AGAIN = new Set(['23505', '40P01', '40001'])

/** A number that tells nothing of the ones before it. */
export type NewId = () => bigint

/** Evenly spread over the range: 64 random bits are drawn again where they would favour its beginning. */
function randomId({ from, to }: { readonly from: bigint; readonly to: bigint }): bigint {
  const span = to - from
  const fair = 2n ** 64n - (2n ** 64n % span)
  for (;;) {
    const drawn = randomBytes(8).readBigUInt64BE()
    if (drawn < fair) return from + (drawn % span)
  }
}

/** A fresh id of a message. */
export const newSmsId: NewId = () => randomId(SMS_ID)
/** A fresh id of a lookup or a sender. */
export const newNumberId: NewId = () => randomId(NUMBER_ID)

/**
 * Runs a statement that inserts under a new id, again with another one where it was taken, and again after a
 * deadlock: such a statement left nothing behind. Throws what the last try threw, and OUTCOME_UNKNOWN (504) where the
 * connection broke while the server had the statement: it may have charged and sent, and a repetition would do so again.
 */
export async function underNewId<Result>(newId: NewId, insert: (id: bigint) => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await insert(newId())
    } catch (error) {
      if (mayHaveRun(error)) throw new ApiError('OUTCOME_UNKNOWN')
      if (attempt === TRIES || !TRY_AGAIN.has(sqlStateOf(error) ?? '')) throw error
    }
  }
}

import { sqlStateOf } from '@vertexsms/db/sql-state'

const TRIES = 3

/** SQLSTATE of a deadlock and of a serialization failure: the server undid the whole statement. */
const UNDONE: ReadonlySet<string> = new Set(['40P01', '40001'])

/**
 * Runs a statement, again where the server undid it for another's sake, three times at most. Never around a hand-over.
 * Throws what the last try threw.
 */
export async function retried<Result>(statement: () => Promise<Result>): Promise<Result> {
  for (let tried = 1; ; tried++) {
    try {
      return await statement()
    } catch (error) {
      if (tried === TRIES || !UNDONE.has(sqlStateOf(error) ?? '')) throw error
    }
  }
}

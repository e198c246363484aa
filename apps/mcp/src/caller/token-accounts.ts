import { createMemory } from '@vertexsms/service/memory'

const TOKENS_MAX = 50_000

/**
 * Whose each token made by hand is, by its key, as the API named it. That never changes, and says nothing of whether the
 * token still stands.
 */
export type TokenAccounts = ReturnType<typeof createTokenAccounts>

/** The one memory of a process; of more than 50 000 tokens the longest unused is forgotten. */
export function createTokenAccounts() {
  return createMemory<string>(TOKENS_MAX)
}

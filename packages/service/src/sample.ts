// Development only: which of many alike cases the tests take.

/**
 * Of cases that go the same way and differ in one part, as many as the tests have time for, spread evenly from the
 * first to the last and the same in each run; all of them with TEST_FULL, which `npx -y pnpm test:full` sets. `count` is
 * one at least.
 */
export function sampleOf<Case>(
  cases: readonly Case[],
  count: number,
  env: Readonly<Record<string, string | undefined>>,
): Case[] {
  if (env.TEST_FULL || count >= cases.length) return [...cases]
  const step = count > 1 ? (cases.length - 1) / (count - 1) : 0
  return Array.from({ length: count }, (_, at) => cases[Math.round(at * step)] as Case)
}

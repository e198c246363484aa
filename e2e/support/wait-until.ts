const POLL_MS = 50

/**
 * Resolves with the first answer of `look` that is not undefined. For states of another process that announce
 * themselves no other way; throws an error that names `what` when `deadlineMs` have passed.
 */
export async function waitUntil<T>(
  what: string,
  deadlineMs: number,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const endsAt = performance.now() + deadlineMs
  for (;;) {
    const answer = await look()
    if (answer !== undefined) return answer
    if (performance.now() > endsAt) throw new Error(`Waited ${deadlineMs} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

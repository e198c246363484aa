/** Between two looks, at first and at most: what takes longer is looked at less often, for a look costs more than a wait. */
const PAUSE_MS = { first: 15, most: 120 }

/** Waits until `look` gives something; fails when it does not within the time. */
export async function eventually<Value>(
  look: () => Promise<Value | undefined | false | null>,
  withinMs = 20_000,
): Promise<Value> {
  const deadline = Date.now() + withinMs
  for (let pauseMs = PAUSE_MS.first; ; pauseMs = Math.min(pauseMs * 1.25, PAUSE_MS.most)) {
    const value = await look()
    if (value) return value
    if (Date.now() > deadline) throw new Error('it did not happen in time')
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

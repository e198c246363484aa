/** Waits until `look` gives something; fails with the last thing seen when it does not within the time. */
export async function eventually<Value>(
  look: () => Promise<Value | undefined | false | null>,
  withinMs = 20_000,
): Promise<Value> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const value = await look()
    if (value) return value
    if (Date.now() > deadline) throw new Error('it did not happen in time')
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
}

/**
 * Like `setTimeout`, but what has come in by then is read before `giveUp` is called. Where the process stood still until
 * after the time (a collection, SIGSTOP, a laptop asleep), timers come before what lies ready to be read, and an answer
 * that was there in time would be called late.
 */
export function setDeadline(giveUp: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(setImmediate, ms, giveUp)
}

/** Like `AbortSignal.timeout`, with {@link setDeadline}'s promise. Keeps no process alive. */
export function deadlineSignal(ms: number): AbortSignal {
  const late = new AbortController()
  setDeadline(() => late.abort(new DOMException('The time is over', 'TimeoutError')), ms).unref()
  return late.signal
}

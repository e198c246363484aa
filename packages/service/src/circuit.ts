const FAILURES_TO_OPEN = 3
const PROBE_AFTER_MS = 500

/**
 * Stops calls to a service that does not answer: after a few failures in a row it admits one call every half second as
 * a probe and refuses the others at once, so that nobody waits for a time limit; the first answer closes it again. Any
 * answer is one, whatever its status: only silence is a failure.
 */
export class Circuit {
  #failures = 0
  #probeAt = 0
  #probing = false

  /** True when a call may be made; the caller then reports how it ended. */
  admits(): boolean {
    if (this.#failures < FAILURES_TO_OPEN) return true
    if (this.#probing || performance.now() < this.#probeAt) return false
    this.#probing = true
    return true
  }

  succeeded(): void {
    this.#failures = 0
    this.#probing = false
  }

  failed(): void {
    this.#failures += 1
    this.#probing = false
    this.#probeAt = performance.now() + PROBE_AFTER_MS
  }

  /** The call was ended by us: it says nothing of the service. */
  cancelled(): void {
    this.#probing = false
  }
}

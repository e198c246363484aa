const FAILURES_TO_OPEN = 3
const PROBE_AFTER_MS = 500

/**
 * Stops one caller's calls to a service that does not answer: after a few failures in a row it admits one call every half
 * second as a probe and refuses the others at once, so that nobody waits for a time limit; the first answer closes it again. Any
 * answer is one, whatever its status: only silence is a failure.
 */
export class Circuit {
  #failures = 0
  #probeAt = 0
  #probing = false

  /** True while calls are refused, but for a probe now and then: none is worth waiting to be made. */
  get isOpen(): boolean {
    return this.#failures >= FAILURES_TO_OPEN
  }

  /**
   * True when a call may be made; the caller then reports how it ended. One whose answer is held back (`waits`) may be the
   * first again, but the others do not wait for it: whether it is answered is not known for long.
   */
  admits({ waits = false }: { readonly waits?: boolean } = {}): boolean {
    if (!this.isOpen) return true
    if (this.#probing || performance.now() < this.#probeAt) return false
    if (waits) this.#probeAt = performance.now() + PROBE_AFTER_MS
    else this.#probing = true
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

/**
 * Stops the calls of all who share a service, once calls of three of them in a row came to nothing: it then admits one
 * call every half second. However long that one takes, it holds up nobody else's, and one caller alone stops none.
 */
export class SharedCircuit {
  readonly #failed = new Set<unknown>()
  #probeAt = 0

  /** As {@link Circuit}'s. */
  get isOpen(): boolean {
    return this.#failed.size >= FAILURES_TO_OPEN
  }

  /** True when a call may be made; whoever makes it then reports an answer, or that there was none. */
  admits(): boolean {
    if (!this.isOpen) return true
    if (performance.now() < this.#probeAt) return false
    this.#delay()
    return true
  }

  succeeded(): void {
    if (this.#failed.size > 0) this.#failed.clear()
  }

  /** `by` names whose call it was; where it was not answered whoever had called, each failure counts. */
  failed(by: unknown = {}): void {
    if (!this.isOpen) this.#failed.add(by)
    this.#delay()
  }

  #delay(): void {
    this.#probeAt = performance.now() + PROBE_AFTER_MS
  }
}

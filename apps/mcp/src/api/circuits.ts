import { Circuit, SharedCircuit } from '@vertexsms/service/circuit'
import { createMemory } from '@vertexsms/service/memory'

/** Accounts whose silence is remembered. */
const SILENT_MAX = 10_000

/**
 * Which calls to the API are worth making: none while it answers nobody, but for a probe now and then, and none of an
 * account whose own are not answered.
 */
export class Circuits {
  readonly #shared = new SharedCircuit()
  /** Of those alone whose last call was not answered. */
  readonly #silent = createMemory<Circuit>(SILENT_MAX)

  /** True when a call of this account may be made, or one whose answer is held back; how it ended is then reported. */
  admits(account: string, call: { readonly waits?: boolean }): boolean {
    const own = this.#silent.size > 0 ? this.#silent.get(account) : undefined
    if (own?.admits(call) === false) return false
    if (this.#shared.admits()) return true
    own?.cancelled()
    return false
  }

  /** True while calls of this account are refused, but for a probe now and then: none is worth waiting to be made. */
  isOpen(account: string): boolean {
    return this.#shared.isOpen || (this.#silent.size > 0 && this.#silent.get(account)?.isOpen === true)
  }

  answered(account: string): void {
    this.#shared.succeeded()
    if (this.#silent.size > 0) this.#silent.delete(account)
  }

  /** No connection could be made, whoever called. */
  unreachable(account: string): void {
    this.#silent.get(account)?.cancelled()
    this.#shared.failed()
  }

  /** The call was made, and no answer came. */
  unanswered(account: string): void {
    const own = this.#silent.get(account) ?? new Circuit()
    this.#silent.set(account, own)
    own.failed()
    this.#shared.failed(account)
  }

  /** The call says nothing of the API: its caller ended it, or had asked for an answer that is held back. */
  cancelled(account: string): void {
    this.#silent.get(account)?.cancelled()
  }
}

import type { IncomingHttpHeaders } from 'node:http'
import { setDeadline } from '@vertexsms/service/deadline'
import type { Dispatcher } from 'undici'

/** What the API answered. */
export interface ApiAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** The API gave no answer. */
export class NoAnswer extends Error {
  override name = 'NoAnswer'
  /** True when the request was written to a connection, so that it may have been carried out. */
  readonly handedOver: boolean
  readonly timedOut: boolean

  constructor(handedOver: boolean, timedOut: boolean, cause?: unknown) {
    super('The API gave no answer', { cause })
    this.handedOver = handedOver
    this.timedOut = timedOut
  }
}

/** Is told how one request ended, once. */
export interface Settle {
  answered(answer: ApiAnswer): void
  failed(failure: NoAnswer): void
}

/** Of a request: what ends it early. */
interface Request {
  readonly effect: boolean
  readonly signal?: AbortSignal
}

/** Collects one answer, within `timeoutMs` from where the request is written; the least that undici needs, because this is the hot path. */
export class Answering implements Dispatcher.DispatchHandler {
  readonly #request: Request
  readonly #settle: Settle
  readonly #timeoutMs: number
  #deadline: NodeJS.Timeout | undefined
  #isLate = false
  #handedOver = false
  #status = 0
  #headers: IncomingHttpHeaders = {}
  #first: Buffer | undefined
  #rest: Buffer[] | undefined
  #onAbort: (() => void) | undefined

  constructor(request: Request, timeoutMs: number, settle: Settle) {
    this.#request = request
    this.#timeoutMs = timeoutMs
    this.#settle = settle
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const { signal, effect } = this.#request
    if (signal?.aborted) {
      controller.abort(new Error('cancelled'))
      return
    }
    this.#handedOver = true
    clearTimeout(this.#deadline)
    const giveUp = () => {
      this.#isLate = true
      controller.abort(new Error('late'))
    }
    // An answer that has been read by then is not given up: undici aborts nothing that is over.
    this.#deadline = setDeadline(giveUp, this.#timeoutMs)
    if (signal === undefined || effect) return
    this.#onAbort = () => controller.abort(new Error('cancelled'))
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#first === undefined) this.#first = chunk
    else if (this.#rest === undefined) this.#rest = [this.#first, chunk]
    else this.#rest.push(chunk)
  }

  onResponseEnd(): void {
    this.#release()
    const body = this.#rest === undefined ? this.#first : Buffer.concat(this.#rest)
    const text = body === undefined ? '' : body.toString()
    this.#settle.answered({ status: this.#status, headers: this.#headers, body: text })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#release()
    this.#settle.failed(new NoAnswer(this.#handedOver, this.#isLate, error))
  }

  #release(): void {
    clearTimeout(this.#deadline)
    if (this.#onAbort !== undefined) this.#request.signal?.removeEventListener('abort', this.#onAbort)
  }
}

import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type InputRequest,
  type JSONRPCRequest,
  type Notification,
} from '@modelcontextprotocol/server'
import type { ApiSession } from '../api/session.ts'
import { type Era, isObject } from './classify.ts'

/** The way back to the client while its request is under way. */
export interface Channel {
  /** True once an event stream was opened, after which no HTTP status can be chosen. */
  readonly streaming: boolean
  /** Sends a notification that belongs to the request, opening an event stream if need be. */
  notify(notification: Notification): void
}

const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({})

/**
 * One request under way, as its handler sees it. Everything that belongs to the caller hangs on it, and nothing else
 * holds it: it ends with the answer, however that comes about.
 */
export class Exchange {
  readonly era: Era
  readonly message: JSONRPCRequest
  readonly session: ApiSession
  readonly #channel: Channel
  /** The tool that is called, by the name that we gave it; undefined before it was found. */
  tool: string | undefined
  #abort: AbortController | undefined
  #isCancelled = false
  #progress = Number.NEGATIVE_INFINITY

  constructor(era: Era, message: JSONRPCRequest, session: ApiSession, channel: Channel) {
    this.era = era
    this.message = message
    this.session = session
    this.#channel = channel
  }

  /** The params as they came; empty where the request has none. */
  get params(): Readonly<Record<string, unknown>> {
    return this.message.params ?? NOTHING
  }

  /** What the client said about this very request: the progress token, and in the modern era the envelope. */
  get meta(): Readonly<Record<string, unknown>> {
    return this.message.params?._meta ?? NOTHING
  }

  /** What the client's person answered to the questions of an earlier round, by their keys (2026-07-28, MRTR). */
  get inputResponses(): Record<string, unknown> | undefined {
    const { inputResponses } = this.params
    return isObject(inputResponses) ? inputResponses : undefined
  }

  /** Aborts once {@link cancel} is called; made only for a handler that looks at it. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#isCancelled) this.#abort.abort()
    }
    return this.#abort.signal
  }

  /** Nobody waits for the answer any more. */
  cancel(): void {
    this.#isCancelled = true
    this.#abort?.abort()
  }

  /** True once an event stream was opened, after which no HTTP status can be chosen. */
  get streaming(): boolean {
    return this.#channel.streaming
  }

  /** Sends a notification that belongs to this request. */
  notify(notification: Notification): void {
    this.#channel.notify(notification)
  }

  /**
   * Tells how far the call is, where the client asked to be told; what is no further than before, it is not told
   * (2025-11-25, basic/utilities/progress).
   */
  progress(progress: number, total: number, message?: string): void {
    const { progressToken } = this.meta
    if (progressToken === undefined || progress <= this.#progress) return
    this.#progress = progress
    const params = { progressToken, progress, total, ...(message === undefined ? {} : { message }) }
    this.notify({ method: 'notifications/progress', params })
  }

  /**
   * What the client would have had to declare for a question of this kind; undefined when it may be asked. A bare
   * `elicitation` means forms (2025-11-25 and before had nothing else).
   */
  missingFor({ method, params }: InputRequest): ClientCapabilities | undefined {
    const declared = this.meta[CLIENT_CAPABILITIES_META_KEY]
    const { elicitation, sampling, roots } = isObject(declared) ? declared : NOTHING
    switch (method) {
      case 'elicitation/create': {
        const { form, url } = isObject(elicitation) ? elicitation : NOTHING
        if ('mode' in params && params.mode === 'url')
          return url === undefined ? { elicitation: { url: {} } } : undefined
        const takesForms = form !== undefined || (elicitation !== undefined && url === undefined)
        return takesForms ? undefined : { elicitation: { form: {} } }
      }
      case 'sampling/createMessage': {
        if (params.tools === undefined && params.toolChoice === undefined) {
          return sampling === undefined ? { sampling: {} } : undefined
        }
        return isObject(sampling) && sampling.tools !== undefined ? undefined : { sampling: { tools: {} } }
      }
      case 'roots/list':
        return roots === undefined ? { roots: {} } : undefined
    }
  }
}

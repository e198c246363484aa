import type { IncomingHttpHeaders } from 'node:http'
import type { Notification } from '@modelcontextprotocol/server'
import { takesEventStream } from '@vertexsms/service/accepts'
import type { FastifyReply } from 'fastify'
import type { Encoded } from '../protocol/encode.ts'
import type { Channel } from '../protocol/exchange.ts'
import { writeJson } from './respond.ts'

const KEEP_ALIVE_MS = 15_000

/** The way back of a request that came alone: a JSON answer, or an event stream from the first notification on. */
export class HttpChannel implements Channel {
  readonly #reply: FastifyReply
  readonly #headers: IncomingHttpHeaders
  #isOver = false
  #keepAlive: NodeJS.Timeout | undefined

  /** `headers` are the client's; where it takes no event stream, notifications are dropped. */
  constructor(reply: FastifyReply, headers: IncomingHttpHeaders) {
    this.#reply = reply
    this.#headers = headers
    this.#isOver = reply.raw.destroyed
  }

  /** Calls back when the client has gone before its answer, which it may have done already. */
  onGone(leave: () => void): void {
    if (this.#isOver) leave()
    else {
      this.#reply.raw.on('close', () => {
        if (this.#isOver) return
        this.#end()
        leave()
      })
    }
  }

  get streaming(): boolean {
    return this.#keepAlive !== undefined
  }

  /** True once the answer is out or the client has gone, after which nothing may be written. */
  get isOver(): boolean {
    return this.#isOver
  }

  notify(notification: Notification): void {
    if (this.#isOver) return
    if (!this.streaming) {
      if (!takesEventStream(this.#headers)) return
      this.#openStream()
    }
    this.#write(JSON.stringify({ jsonrpc: '2.0', ...notification }))
  }

  /** Gives the answer; the status counts for nothing in a stream. */
  answer(status: number, answer: Encoded): void {
    if (this.#isOver) return
    if (!this.streaming) writeJson(this.#reply, status, answer)
    else {
      this.#write(answer.text)
      this.#reply.raw.end()
    }
    this.#end()
  }

  #end(): void {
    this.#isOver = true
    clearInterval(this.#keepAlive)
  }

  #openStream(): void {
    const reply = this.#reply.hijack()
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    this.#keepAlive = setInterval(() => reply.raw.write(': keep-alive\n\n'), KEEP_ALIVE_MS).unref()
  }

  #write(message: string): void {
    this.#reply.raw.write(`event: message\ndata: ${message}\n\n`)
  }
}

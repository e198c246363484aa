// MCP requests by plain HTTP, for what an SDK client would hide: when an answer came, or how it failed to.

import { Agent, request } from 'node:http'
import { modernRequest } from '../../e2e/support/clients/raw.ts'

/** One answer, as it came over the wire. */
export interface Answer {
  status: number
  body: string
}

/** Where to send: the published port, unless another address is given. */
export interface Target {
  host: string
  port: number
}

const PUBLISHED: Target = { host: '127.0.0.1', port: 4001 }
const single = new Agent({ keepAlive: false })

/** A request that got no answer, and how far it came. */
export class Unanswered extends Error {
  /** Whether a connection stood when it failed, and whether it had served a request before. */
  readonly reached: 'no connection' | 'new connection' | 'reused connection'
  readonly code: string

  constructor(reached: Unanswered['reached'], code: string) {
    super(`${code}, ${reached}`)
    this.reached = reached
    this.code = code
  }
}

/**
 * POSTs one modern MCP request with a bearer token. Rejects with Unanswered when no whole answer comes, and with the
 * plain error when an open connection stays silent for `timeoutMs`.
 */
export function post(
  token: string,
  method: string,
  params: Record<string, unknown>,
  {
    target = PUBLISHED,
    agent = single,
    timeoutMs = 30_000,
  }: { target?: Target; agent?: Agent; timeoutMs?: number } = {},
): Promise<Answer> {
  const { headers, body } = modernRequest(method, params)
  return new Promise((resolve, reject) => {
    let connected = false
    const sent = request({
      ...target,
      agent,
      method: 'POST',
      path: '/mcp',
      timeout: timeoutMs,
      headers: {
        ...headers,
        host: 'localhost:4001',
        authorization: `Bearer ${token}`,
        'content-length': Buffer.byteLength(body),
      },
    })
    const fail = (error: NodeJS.ErrnoException) => {
      if (error.code === 'TIMEOUT' && connected) return reject(error)
      const reached = !connected ? 'no connection' : sent.reusedSocket ? 'reused connection' : 'new connection'
      reject(new Unanswered(reached, error.code ?? error.message))
    }
    sent.once('socket', (socket) => {
      connected = !socket.connecting
      if (!connected) {
        socket.once('connect', () => {
          connected = true
        })
      }
    })
    sent.once('error', fail)
    sent.once('timeout', () => sent.destroy(Object.assign(new Error('timeout'), { code: 'TIMEOUT' })))
    sent.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.once('error', fail)
      response.once('end', () => {
        if (response.complete) resolve({ status: response.statusCode ?? 0, body: text })
        else fail(Object.assign(new Error('cut'), { code: 'CUT' }))
      })
    })
    sent.end(body)
  })
}

/** Calls one tool. */
export function callTool(token: string, name: string, args: Record<string, unknown>): Promise<Answer> {
  return post(token, 'tools/call', { name, arguments: args })
}

/** The tool result in an answer: its structured part, or the code of the failure it reports. */
export function resultOf({ body }: Answer): { data?: Record<string, unknown>; code?: string } {
  const text = body.startsWith('{')
    ? body
    : (/^data: (.*)$/m.exec(body.slice(body.lastIndexOf('\ndata: ') + 1))?.[1] ?? '{}')
  const { result, error } = JSON.parse(text)
  if (error) return { code: String(error.code) }
  if (result?.isError) return { code: JSON.parse(result.content[0].text).error.code }
  return { data: result?.structuredContent ?? result }
}

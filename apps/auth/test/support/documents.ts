import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Outbound, OutboundResponse } from '@vertexsms/service/outbound'

/** A document as its host answers with it. */
export interface Served {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body: unknown
}

/** The world outside, answering from a table by URL; counts what it was asked. */
export class Outside implements Outbound {
  readonly served = new Map<string, Served | Error>()
  readonly asked: string[] = []

  serve(url: string, body: unknown, extra: Omit<Served, 'body'> = {}): void {
    this.served.set(url, { body, ...extra })
  }

  checkUrl(): null {
    return null
  }

  async fetch(url: string): Promise<OutboundResponse> {
    this.asked.push(url)
    const answer = this.served.get(url)
    if (answer === undefined) throw new Error('unreachable')
    if (answer instanceof Error) throw answer
    const { body: served } = answer
    const isRaw = typeof served === 'string' || served instanceof Uint8Array
    return {
      status: answer.status ?? 200,
      headers: { 'content-type': 'application/json', ...answer.headers },
      body: Buffer.from(isRaw ? served : JSON.stringify(served)),
    }
  }

  async close(): Promise<void> {}
}

/** A host on this computer that answers as `handler` does, counting requests. */
export async function startHost(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ port: number; requests: string[]; close(): Promise<void> }> {
  const requests: string[] = []
  const server: Server = createServer((request, response) => {
    requests.push(request.url ?? '')
    handler(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

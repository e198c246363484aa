import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { rememberSecret } from './secrets.ts'

/** The loopback redirect URI of a native client (RFC 8252 §7.3). */
export interface Callback {
  readonly url: string
  /** Resolves with the next redirect that arrives, in the order of arrival. */
  next(): Promise<URL>
  close(): Promise<void>
}

/** Listens on 127.0.0.1 for authorization responses; answers the browser with a page of one line. */
export async function openCallback(): Promise<Callback> {
  const arrived: URL[] = []
  const waiting: ((url: URL) => void)[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Done</title><p>Back in the client.')
    if (url.pathname !== '/callback') return
    rememberSecret('authorization code', url.searchParams.get('code'))
    const taker = waiting.shift()
    if (taker === undefined) arrived.push(url)
    else taker(url)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/callback`,
    next: () => {
      const first = arrived.shift()
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

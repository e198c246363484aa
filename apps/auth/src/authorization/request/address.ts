import type { IncomingMessage } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import { Provider } from 'oidc-provider'
import { originOf } from '../../storage-quota.ts'

// The library hands its request on to the adapters, and would read an address from headers that anybody can write. So
// the address that Fastify settled, by TRUST_PROXY, travels beside the request, and with it the log that knows its id.

interface Noted {
  readonly address: string
  readonly log: FastifyBaseLogger
}

const requests = new WeakMap<IncomingMessage, Noted>()

/** Remembers where a request that is handed to the library came from, and where its log lines go. */
export function noteRequest(request: IncomingMessage, noted: Noted): void {
  requests.set(request, noted)
}

/** The log of the request that the library is handling, whose lines carry its id; undefined outside of one. */
export function currentLog(): Pick<FastifyBaseLogger, 'error'> | undefined {
  const { ctx } = Provider
  return ctx && requests.get(ctx.req)?.log
}

/** Where the request that the library is handling came from; null outside of one. */
export function currentAddress(ctx: { readonly req: IncomingMessage } | undefined = Provider.ctx): string | null {
  return (ctx && requests.get(ctx.req)?.address) ?? null
}

/** Who fills the room that the request the library is handling takes; see {@link originOf}. */
export function currentOrigin(operatorKey: Uint8Array): string {
  return originOf(operatorKey, currentAddress() ?? 'unknown')
}

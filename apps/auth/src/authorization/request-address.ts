import type { IncomingMessage } from 'node:http'
import { Provider } from 'oidc-provider'
import { originOf } from '../room.ts'

// The library hands its request on to the adapters, and would read an address from headers that anybody can write. So
// the address that Fastify settled, by TRUST_PROXY, travels beside the request.

const addresses = new WeakMap<IncomingMessage, string>()

/** Remembers where a request that is handed to the library came from. */
export function noteAddress(request: IncomingMessage, address: string): void {
  addresses.set(request, address)
}

/** Where the request that the library is handling came from. */
export function currentAddress(ctx: { readonly req: IncomingMessage } | undefined = Provider.ctx): string {
  return (ctx && addresses.get(ctx.req)) ?? 'unknown'
}

/** Who fills the room that the request the library is handling takes; see {@link originOf}. */
export function currentOrigin(operatorKey: Uint8Array): string {
  return originOf(operatorKey, currentAddress())
}

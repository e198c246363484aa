import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JSONWebKeySet } from 'jose'
import type { Provider } from 'oidc-provider'
import { publishedSet, type SigningKey } from './keys.ts'

/** The provider of this moment. Its key set is fixed, so a change of keys means a new instance. */
export interface LiveProvider {
  current(): Provider
  /** The request handler of the current instance. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** What stands at `jwks_uri` now. */
  keySet(): JSONWebKeySet
  /** Looks whether another process published or retired a key; rejects, and goes on with the known ones, when it cannot. */
  followKeys(): Promise<void>
}

/**
 * Loads the keys, builds the provider, and swaps it when the keys have changed. Requests that have begun keep the
 * instance they began with. Rejects when the keys cannot be read at the start.
 */
export async function createLiveProvider(deps: {
  readonly loadKeys: () => Promise<SigningKey[]>
  readonly build: (keys: readonly SigningKey[]) => Provider
}): Promise<LiveProvider> {
  let keys = await deps.loadKeys()
  let provider = deps.build(keys)
  let handler = provider.callback()

  return {
    current: () => provider,
    handle: (request, response) => handler(request, response),
    keySet: () => publishedSet(keys),
    async followKeys() {
      const latest = await deps.loadKeys()
      if (sameKeys(latest, keys)) return
      const next = deps.build(latest)
      keys = latest
      provider = next
      handler = next.callback()
    },
  }
}

function sameKeys(a: readonly SigningKey[], b: readonly SigningKey[]): boolean {
  return a.length === b.length && a.every((key, index) => key.kid === b[index]?.kid)
}

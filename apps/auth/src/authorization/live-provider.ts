import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JSONWebKeySet } from 'jose'
import type { Provider } from 'oidc-provider'
import { publishedJwk, type SigningKey } from './keys.ts'

/** The provider of this moment. Its key set is fixed, so a change of keys means a new instance. */
export interface LiveProvider {
  current(): Provider
  /** The request handler of the current instance. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** What stands at `jwks_uri` now. */
  keySet(): JSONWebKeySet
  close(): void
}

/**
 * Loads the keys, builds the provider, and swaps it when another process published or retired a key. Requests that
 * have begun keep the instance they began with. Rejects when the keys cannot be read at the start.
 */
export async function createLiveProvider(deps: {
  readonly loadKeys: () => Promise<SigningKey[]>
  readonly build: (keys: readonly SigningKey[]) => Provider
  readonly pollMs: number
  readonly onPollFailure: (error: unknown) => void
}): Promise<LiveProvider> {
  let keys = await deps.loadKeys()
  let provider = deps.build(keys)
  let handler = provider.callback()

  async function refresh(): Promise<void> {
    const latest = await deps.loadKeys()
    if (sameKeys(latest, keys)) return
    const next = deps.build(latest)
    keys = latest
    provider = next
    handler = next.callback()
  }

  const timer = setInterval(() => void refresh().catch(deps.onPollFailure), deps.pollMs)
  timer.unref()

  return {
    current: () => provider,
    handle: (request, response) => handler(request, response),
    keySet: () => ({ keys: keys.map(publishedJwk) as JSONWebKeySet['keys'] }),
    close: () => clearInterval(timer),
  }
}

function sameKeys(a: readonly SigningKey[], b: readonly SigningKey[]): boolean {
  return a.length === b.length && a.every((key, index) => key.kid === b[index]?.kid)
}

import type { Config } from '../env.ts'

const TIMEOUT_MS = 1_500
/** The keys are cached for longer than this in any case; asking at each check would only fill the other side's log. */
const KEYS_TRUSTED_MS = 60_000

/** Whether the server can do its work now: the API is ready and the signing keys can be read. */
export function createReadiness({ JWKS_URL, API_URL }: Config): () => Promise<boolean> {
  let keysReadAt = Number.NEGATIVE_INFINITY

  async function canReadKeys(): Promise<boolean> {
    if (performance.now() - keysReadAt < KEYS_TRUSTED_MS) return true
    const can = await answersWell(JWKS_URL)
    if (can) keysReadAt = performance.now()
    return can
  }

  return async () => (await Promise.all([canReadKeys(), answersWell(`${API_URL}/readyz`)])).every(Boolean)
}

async function answersWell(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

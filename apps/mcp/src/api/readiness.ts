import type { Config } from '../env.ts'

const TIMEOUT_MS = 1_500

/** Whether the server can do its work now: the signing keys can be read and the API is ready. */
export function createReadiness({ JWKS_URL, API_URL }: Config): () => Promise<boolean> {
  return async () => {
    const answers = await Promise.all([answersWell(JWKS_URL), answersWell(`${API_URL}/readyz`)])
    return answers.every(Boolean)
  }
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

// Asks the REST API on its internal listener. Whatever goes wrong there is one answer, "it cannot be had": a page of ours
// never fails for it, and nothing of what was asked is logged.
import {
  checkedTokenContext,
  INTERNAL_PATHS,
  type InternalAnswer,
  type InternalRequest,
  type InternalRoute,
  internalAnswers,
  type TokenVerdict,
} from '@vertexsms/contract/internal'
import { seal } from '@vertexsms/secrets/seal'
import { subkey } from '@vertexsms/secrets/subkey'
import { deadlineSignal } from '@vertexsms/service/deadline'
import { readUtf8 } from '@vertexsms/service/text'

/** Longer than the API gives its upstream for a free call. */
const TIMEOUT_MS = 12_000

/** Of an answer once it is unpacked: many times the prices of every network there is. */
const ANSWER_MAX_BYTES = 4 * 1024 * 1024

/** The API's internal routes. */
export interface InternalApi {
  /** Null where the API cannot be reached, or answers with anything but what was asked. */
  ask<Route extends InternalRoute>(
    route: Route,
    body: InternalRequest<Route>,
    /** For this answer; that of all of them when absent. */
    withinMs?: number,
  ): Promise<InternalAnswer<Route> | null>
  /** What the upstream says to a token of this account that is not stored; it crosses sealed. */
  checkToken(accountId: string, token: string): Promise<TokenVerdict>
}

/** The routes at this address, proved by a key derived for them; without an address nothing is asked. */
export function createInternalApi(options: {
  readonly url: string | undefined
  readonly operatorKey: Uint8Array
  /** For an answer; {@link TIMEOUT_MS} when absent. */
  readonly timeoutMs?: number
}): InternalApi {
  const { url, operatorKey, timeoutMs = TIMEOUT_MS } = options
  const proof = Buffer.from(subkey(operatorKey, 'internal')).toString('base64url')

  const ask: InternalApi['ask'] = async (route, body, withinMs = timeoutMs) => {
    if (url === undefined) return null
    try {
      const response = await fetch(url + INTERNAL_PATHS[route], {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${proof}` },
        body: JSON.stringify(body),
        redirect: 'error',
        signal: deadlineSignal(withinMs),
      })
      if (!response.ok) return null
      const answer: unknown = JSON.parse(await textOf(response))
      return (internalAnswers[route].safeParse(answer).data ?? null) as InternalAnswer<typeof route> | null
    } catch {
      return null
    }
  }

  return {
    ask,
    async checkToken(accountId, token) {
      const sealed = seal(subkey(operatorKey, 'upstream-token'), token, checkedTokenContext(accountId))
      const sealedToken = Buffer.from(sealed).toString('base64url')
      return (await ask('checkToken', { accountId, sealedToken }))?.verdict ?? 'not_asked'
    },
  }
}

/** The body of an answer; no more of it is read than {@link ANSWER_MAX_BYTES}, beyond which it throws. */
async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > ANSWER_MAX_BYTES) throw new RangeError('the answer is too long')
    chunks.push(chunk)
  }
  return readUtf8(Buffer.concat(chunks))
}

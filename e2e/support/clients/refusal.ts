import type { RecordingFetch } from '../recording-fetch.ts'
import type { CallOutcome } from './client.ts'

/**
 * The refusal behind an error that an SDK threw: the last 401 or 403 on the wire. The error itself is thrown again
 * when there was none, so that nothing else passes for a refusal.
 */
export function refusalFrom(wire: RecordingFetch, error: unknown, authorizeUrl: URL | null): CallOutcome {
  const last = wire.exchanges.findLast(({ status }) => status === 401 || status === 403)
  if (last === undefined || !wire.exchanges.slice(-4).includes(last)) throw error
  return {
    kind: 'refused',
    status: last.status,
    challenge: last.headers.get('www-authenticate'),
    body: last.body,
    authorizeUrl,
  }
}

import { isVertexErrorCode, VERTEX_ERROR_MEANINGS } from '@vertexsms/contract/api-errors'
import { type SmsStatus, smsStatusResponseSchema } from '@vertexsms/contract/sending'
import type { ApiRequest } from './client.ts'
import { parseJson, type RouteAnswer, RouteFailure } from './judge.ts'
import { READ_TIMEOUT_MS } from './timeouts.ts'

/** The URI under which a client reads the status of a message; `{id}` for the id makes it a template (RFC 6570 §3.2.2). */
export function smsUri(id: string): string {
  return `vertexsms://sms/${id}`
}

/** The request for the status of a message. */
export function statusRequest(id: string): ApiRequest {
  return { method: 'GET', path: `/sms/status/${id}`, timeoutMs: READ_TIMEOUT_MS, effect: false }
}

/** The status in an answer. Throws {@link RouteFailure} `INTERNAL` for what is none. */
export function readStatus({ body }: RouteAnswer): SmsStatus {
  const status = smsStatusResponseSchema.safeParse(parseJson(body))
  if (!status.success) throw new RouteFailure('INTERNAL')
  return status.data
}

/** What a numeric code of a report or a refusal says, in words of the catalogue; null where there is no such code. */
export function errorMeaning(code: number | null): string | null {
  return code !== null && isVertexErrorCode(code) ? VERTEX_ERROR_MEANINGS[code] : null
}

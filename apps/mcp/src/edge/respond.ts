import type { FastifyReply } from 'fastify'
import type { Refusal } from '../auth/refusal.ts'
import type { RequestId } from '../protocol/exchange.ts'

/** The media type of every JSON answer. */
export const JSON_TYPE = 'application/json; charset=utf-8'

/** Answers with the envelope of a refusal, its status and its headers. */
export function sendRefusal(reply: FastifyReply, refusal: Refusal): void {
  if (refusal.challenge !== undefined) reply.header('www-authenticate', refusal.challenge)
  if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', String(refusal.retryAfterSeconds))
  reply
    .code(refusal.status)
    .header('content-type', JSON_TYPE)
    .header('cache-control', 'no-store')
    .send(JSON.stringify(refusal.envelope))
}

/** Answers with a JSON-RPC error. The id is null where the request has none that could be read. */
export function sendRpcError(
  reply: FastifyReply,
  status: number,
  error: { readonly code: number; readonly message: string; readonly data?: unknown },
  id: RequestId | null = null,
): void {
  reply
    .code(status)
    .header('content-type', JSON_TYPE)
    .send(JSON.stringify({ jsonrpc: '2.0', error, id }))
}

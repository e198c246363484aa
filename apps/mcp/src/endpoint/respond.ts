import type { RequestId } from '@modelcontextprotocol/server'
import type { FastifyReply } from 'fastify'
import type { Refusal } from '../caller/refusal.ts'
import { encodeError, type RpcError } from '../protocol/encode.ts'

const JSON_TYPE = 'application/json; charset=utf-8'

/** Answers with JSON text. */
export function sendJson(reply: FastifyReply, status: number, text: string): void {
  reply.code(status).header('content-type', JSON_TYPE).send(text)
}

/** Answers with the envelope of a refusal, its status and its headers. */
export function sendRefusal(reply: FastifyReply, refusal: Refusal): void {
  if (refusal.challenge !== undefined) reply.header('www-authenticate', refusal.challenge)
  if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', String(refusal.retryAfterSeconds))
  reply.header('cache-control', 'no-store')
  sendJson(reply, refusal.status, JSON.stringify(refusal.envelope))
}

/** Answers with a JSON-RPC error, which has no id where the request has none that could be read. */
export function sendRpcError(reply: FastifyReply, status: number, error: RpcError, id?: RequestId): void {
  sendJson(reply, status, encodeError(error, id))
}

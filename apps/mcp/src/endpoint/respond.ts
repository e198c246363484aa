import type { RequestId } from '@modelcontextprotocol/server'
import type { FastifyReply } from 'fastify'
import type { Refusal } from '../caller/refusal.ts'
import { type Encoded, encodeError, type RpcError } from '../protocol/encode.ts'

const JSON_TYPE = 'application/json; charset=utf-8'

/** Answers with JSON text. */
export function sendJson(reply: FastifyReply, status: number, text: string): void {
  reply.code(status).header('content-type', JSON_TYPE).send(text)
}

/**
 * Gives the answer of a method past Fastify, which would look at it in vain: it is JSON already, and no hook has anything to
 * do with it. What was set on Node's own response goes along.
 */
export function writeJson(reply: FastifyReply, status: number, answer: Encoded): void {
  const { text, lengthBytes = Buffer.byteLength(text) } = answer
  const { raw } = reply.hijack()
  raw.writeHead(status, { 'content-type': JSON_TYPE, 'content-length': lengthBytes })
  // Node sets three bytes aside for a character of UTF-8; where each takes one, the same bytes are Latin-1.
  raw.end(text, lengthBytes === text.length ? 'latin1' : 'utf8')
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

import { isJsonContentType, type JSONRPCRequest, type RequestId } from '@modelcontextprotocol/server'
import { JSON_DEPTH_MAX, JSON_VALUES_MAX, type JsonProblem, JsonRefused, readJson } from '@vertexsms/service/json'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiSession } from '../api/session.ts'
import { createClassifier, type Era } from '../protocol/classify.ts'
import { Exchange } from '../protocol/exchange.ts'
import { createMethodTable, type Registry } from '../protocol/methods.ts'
import { type Admission, sessionOf } from './admission.ts'
import { createAnswers } from './answer.ts'
import { answerBatch } from './batch.ts'
import { HttpChannel } from './channel.ts'
import { ENCODED, logDefect, PARSE_ERROR, WRONG_TYPE } from './fail.ts'
import { sendJson, sendRefusal, sendRpcError } from './respond.ts'

// Requests that are JSON, and yet not looked into.
const BODY_ERRORS: Readonly<Record<JsonProblem, { code: number; message: string }>> = {
  syntax: PARSE_ERROR,
  name: PARSE_ERROR,
  repeated: { code: -32600, message: 'Invalid request: an object in the body names a member twice; send it once' },
  depth: { code: -32600, message: `Invalid request: the body is nested deeper than ${JSON_DEPTH_MAX} levels` },
  size: { code: -32600, message: `Invalid request: the body holds more than ${JSON_VALUES_MAX} values` },
  text: { code: -32602, message: 'Invalid params: a text holds U+0000 or half of a surrogate pair' },
}
// What is wrong with the text of an argument, its tool tells by name.
const ARGUMENTS = ['params', 'arguments']

/** Answers a POST that was admitted. */
export type Post = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/** The way of a POST from its bytes to its answer: read, classified, and answered by the method that it names. */
export function createPost(registry: Registry, { count }: Pick<Admission, 'count'>): Post {
  const classify = createClassifier()
  const find = createMethodTable(registry)
  const answer = createAnswers(registry, find)

  async function answerAlone(
    request: FastifyRequest,
    reply: FastifyReply,
    session: ApiSession,
    { era, message }: { readonly era: Era; readonly message: JSONRPCRequest },
  ): Promise<void> {
    const channel = new HttpChannel(reply, request.headers)
    const exchange = new Exchange(era, message, session, channel)
    channel.onGone(() => {
      // A broken connection cancels in the modern era; in the older ones it explicitly does not.
      if (era === 'modern') exchange.cancel()
    })
    const given = await answer(exchange, logDefect(request))
    if (given.kind === 'message') channel.answer(given.status, given)
    else if (!channel.isOver) sendRefusal(reply, given.refusal)
  }

  async function answerTogether(
    request: FastifyRequest,
    reply: FastifyReply,
    session: ApiSession,
    requests: readonly JSONRPCRequest[],
  ): Promise<void> {
    // The first has been counted with the HTTP request.
    for (let counted = 1; counted < requests.length; counted++) count(session.caller)
    const given = await answerBatch(requests, session, find, answer, logDefect(request))
    if (reply.raw.destroyed) return
    if (given.kind === 'message') sendJson(reply, given.status, given.text)
    else sendRefusal(reply, given.refusal)
  }

  return async (request, reply) => {
    const session = sessionOf(request)
    const { 'content-type': type = null, 'content-encoding': coding = 'identity' } = request.headers
    // Names of codings have no case (RFC 9110 §8.4.1).
    const encoded = coding.toLowerCase() !== 'identity'
    if (encoded || !isJsonContentType(type)) {
      await session.alive()
      return sendRpcError(reply, 415, encoded ? ENCODED : WRONG_TYPE)
    }
    let body: unknown
    try {
      body = readJson(rawBody(request), { anyTextBelow: ARGUMENTS, uniqueNames: true })
    } catch (error) {
      await session.alive()
      if (!(error instanceof JsonRefused)) throw error
      return sendRpcError(reply, 400, BODY_ERRORS[error.problem])
    }
    const message = classify(request.headers, body)
    switch (message.kind) {
      case 'request':
        return await answerAlone(request, reply, session, message)
      case 'batch':
        return await answerTogether(request, reply, session, message.requests)
      case 'accepted':
        await session.alive()
        return void reply.code(202).send()
      case 'rejected':
        await session.alive()
        return sendRpcError(reply, message.status, message.error, readableId(body))
    }
  }
}

function rawBody({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}

// The id is echoed where the body is a single request that has one, and nowhere else.
function readableId(body: unknown): RequestId | undefined {
  if (typeof body !== 'object' || body === null || !('method' in body) || !('id' in body)) return undefined
  // One above what is exact would come back as another.
  return typeof body.id === 'string' || Number.isSafeInteger(body.id) ? (body.id as RequestId) : undefined
}

// As long as it is because each change is named, and has a reason of its own.
import type { Standing } from './row.ts'

/** What stands in the zone classifier. */
export const CLASSIFIER: readonly Standing[] = [
  {
    file: 'protocol/classify.ts',
    change: "verdict.kind === 'request' && envelope.length <= ENVELOPE_MAX_CHARS  =>  verdict.kind === 'request'",
    why: 'Room alone: how long an envelope may be that is remembered.',
  },
  {
    file: 'protocol/classify.ts',
    change: 'envelope.length <= ENVELOPE_MAX_CHARS  =>  envelope.length < ENVELOPE_MAX_CHARS',
    why: 'Room alone: how long an envelope may be that is remembered.',
  },
  {
    file: 'protocol/classify.ts',
    change: "(verdict.kind === 'request' && envelope.length  =>  (verdict.kind === '' && envelope.length",
    why: 'A memory alone: the classifier judges the envelope again, and says the same.',
  },
  {
    file: 'protocol/classify.ts',
    change: 'soundEnvelopes.set(envelope, true)  =>  (nothing)',
    why: 'A memory alone: the classifier judges the envelope again, and says the same.',
  },
  {
    file: 'protocol/classify.ts',
    change:
      'ENVELOPE_MAX_CHARS) soundEnvelopes.set(envelope, true)  =>  ENVELOPE_MAX_CHARS) soundEnvelopes.set(envelope, false)',
    why: 'A memory alone: the classifier judges the envelope again, and says the same.',
  },
  {
    file: 'protocol/classify.ts',
    change: 'requested ?? null  =>  requested',
    why: 'The header names it, or an envelope that the classifier has found sound; this tells the compiler.',
  },
  {
    file: 'protocol/classify.ts',
    change: 'meta[PROTOCOL_VERSION_META_KEY] === MODERN_REVISION && isProgressToken(meta.progressToken)  =>  undefined',
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: 'version !== undefined && !isLegacyRevision(version)  =>  version !== undefined',
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: 'version !== undefined && !isLegacyRevision(version)  =>  !isLegacyRevision(version)',
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: 'true  =>  undefined',
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: 'undefined) return true  =>  undefined) return false',
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change:
      "isObject(meta) && Object.keys(meta).every((key) => key === 'progressToken') && isProgressToken(meta.progressToken)  =>  undefined",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: "'progressToken'  =>  ''",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: "body.jsonrpc !== '2.0') return  =>  body.jsonrpc !== '') return",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: "method !== 'string' || (typeof  =>  method !== '' || (typeof",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: "typeof id !== 'string' && !Number.isSafeInteger(id)  =>  typeof id !== 'string'",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: "typeof id !== 'string' && !Number.isSafeInteger(id)  =>  !Number.isSafeInteger(id)",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: "id !== 'string' && !Number.isSafeInteger(id)))  =>  id !== '' && !Number.isSafeInteger(id)))",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: 'params !== undefined && !isObject(params)  =>  params !== undefined',
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: 'params !== undefined && !isObject(params)  =>  !isObject(params)',
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: 'Object.keys(body).length === (params === undefined ? 3 : 4)  =>  undefined',
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: "value === undefined || typeof value === 'string' || Number.isSafeInteger(value)  =>  undefined",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change:
      "value === undefined || typeof value === 'string' || Number.isSafeInteger(value)  =>  value === undefined || typeof value === 'string'",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change:
      "value === undefined || typeof value === 'string' || Number.isSafeInteger(value)  =>  Number.isSafeInteger(value)",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: "value === undefined || typeof value === 'string'  =>  value === undefined",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: "value === undefined || typeof value === 'string'  =>  typeof value === 'string'",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: "value === 'string' || Number.isSafeInteger(value)  =>  value === '' || Number.isSafeInteger(value)",
    why: 'A request that is not taken the short way goes through the classifier, which says the same: it costs time alone.',
  },
  {
    file: 'protocol/classify.ts',
    change: "unrepeated(given) ?? ''  =>  unrepeated(given)",
    why: 'What is given is a text here; this tells the compiler.',
  },
  {
    file: 'protocol/classify.ts',
    change: "if (!value.includes(',')) return  =>  if (!value.includes('')) return",
    why: 'A value without a comma is the only one of its parts.',
  },
  {
    file: 'endpoint/origin.ts',
    change: 'allowed && hostCache.size < 64  =>  allowed',
    why: 'Room alone: what is not remembered is judged anew, and the same is said.',
  },
  {
    file: 'endpoint/origin.ts',
    change: 'allowed && hostCache.size < 64  =>  hostCache.size < 64',
    why: 'Room alone: what is not remembered is judged anew, and the same is said.',
  },
  {
    file: 'endpoint/origin.ts',
    change: 'hostCache.size < 64  =>  hostCache.size <= 64',
    why: 'Room alone: what is not remembered is judged anew, and the same is said.',
  },
  {
    file: 'endpoint/origin.ts',
    change: 'hostCache.size < 64) hostCache.set(host,  =>  hostCache.size < 65) hostCache.set(host,',
    why: 'Room alone: what is not remembered is judged anew, and the same is said.',
  },
  {
    file: 'endpoint/origin.ts',
    change: 'hostCache.set(host, allowed)  =>  (nothing)',
    why: 'Room alone: what is not remembered is judged anew, and the same is said.',
  },
  {
    file: 'endpoint/origin.ts',
    change: 'name !== null && hosts.has(name)  =>  hosts.has(name)',
    why: 'Null is no name of a host either; this tells the compiler.',
  },
  {
    file: 'endpoint/origin.ts',
    change: 'headers.host === undefined || !allowsHost(headers.host)  =>  !allowsHost(headers.host)',
    why: 'Node answers a request without a host itself, and undefined is no name that is allowed; this tells the compiler.',
  },
  {
    file: 'protocol/encode.ts',
    change: 'frozen[exchange.era].set(result, kept)  =>  (nothing)',
    why: 'A memory alone: the same is turned into the same text again.',
  },
  {
    file: 'protocol/encode.ts',
    change: 'frozen[exchange.era].get(result) ?? whole(exchange, result)  =>  whole(exchange, result)',
    why: 'A memory alone: the same is turned into the same text again.',
  },
  {
    file: 'protocol/exchange.ts',
    change: "'mode' in params && params.mode === 'url'  =>  params.mode === 'url'",
    why: "No other mode than a page's is told so; this tells the compiler.",
  },
  {
    file: 'protocol/failure.ts',
    change: "message ?? ''  =>  message",
    why: 'An error without a message has an empty one.',
  },
  {
    file: 'protocol/failure.ts',
    change: "new ToolFailure('INTERNAL')  =>  undefined",
    why: 'What ends a token or asks for more of it the session refuses before; this is for a code that is new.',
  },
  {
    file: 'protocol/failure.ts',
    change: "new ToolFailure('INTERNAL')  =>  new ToolFailure('')",
    why: 'What ends a token or asks for more of it the session refuses before; this is for a code that is new.',
  },
  {
    file: 'endpoint/answer.ts',
    change: "'message', status: 200, ...encode(exchange,  =>  'message', status: 201, ...encode(exchange,",
    nth: 2,
    why: 'In a stream the status counts for nothing.',
  },
  {
    file: 'endpoint/answer.ts',
    change:
      "exchange.era === 'modern' && outcome.error.code === ProtocolErrorCode.MissingRequiredClientCapability  =>  outcome.error.code === ProtocolErrorCode.MissingRequiredClientCapability",
    why: 'Only the modern era asks what a client declared.',
  },
  {
    file: 'endpoint/batch.ts',
    change: "{ kind: 'message', status:  =>  { kind: '', status:",
    nth: 1,
    why: 'Of an answer inside a batch only the text counts.',
  },
  {
    file: 'endpoint/batch.ts',
    change: "'message', status: 200, text:  =>  'message', status: 201, text:",
    nth: 1,
    why: 'Of an answer inside a batch only the text counts.',
  },
  {
    file: 'endpoint/channel.ts',
    change: 'this.#isOver = reply.raw.destroyed  =>  (nothing)',
    why: 'Fastify reads no body from a connection that has gone, so no handler has begun with one yet.',
  },
  {
    file: 'endpoint/channel.ts',
    change: 'leave()  =>  (nothing)',
    nth: 1,
    why: 'Fastify reads no body from a connection that has gone, so no handler has begun with one yet.',
  },
  {
    file: 'endpoint/channel.ts',
    change: 'this.#isOver  =>  undefined',
    why: 'What is written to a client that has gone goes nowhere.',
  },
  {
    file: 'endpoint/admission.ts',
    change: "throw new Error('a request that was not admitted')  =>  (nothing)",
    why: 'Every request is admitted before its handler runs; this tells the compiler.',
  },
  {
    file: 'endpoint/post.ts',
    change: 'throw error  =>  (nothing)',
    why: 'Reading JSON throws nothing else.',
  },
  {
    file: 'endpoint/fail.ts',
    change: 'exchange ?? {}  =>  exchange',
    why: 'The last net: whatever a test can provoke is answered before.',
  },
  {
    file: 'endpoint/fail.ts',
    change: 'statusCode = 500 } =  =>  statusCode = 501 } =',
    why: 'The last net: whatever a test can provoke is answered before.',
  },
  {
    file: 'endpoint/fail.ts',
    change: 'statusCode < 500  =>  !(statusCode < 500)',
    why: 'The last net: whatever a test can provoke is answered before.',
  },
  {
    file: 'endpoint/fail.ts',
    change: 'statusCode < 500  =>  statusCode <= 500',
    why: 'The last net: whatever a test can provoke is answered before.',
  },
  {
    file: 'endpoint/fail.ts',
    change: '(statusCode < 500) sendRpcError(reply,  =>  (statusCode < 501) sendRpcError(reply,',
    why: 'The last net: whatever a test can provoke is answered before.',
  },
  {
    file: 'endpoint/fail.ts',
    change: 'sendRpcError(reply, 400, PARSE_ERROR)  =>  (nothing)',
    why: 'The last net: whatever a test can provoke is answered before.',
  },
  {
    file: 'endpoint/fail.ts',
    change: '500) sendRpcError(reply, 400, PARSE_ERROR)  =>  500) sendRpcError(reply, 401, PARSE_ERROR)',
    why: 'The last net: whatever a test can provoke is answered before.',
  },
  {
    file: 'endpoint/fail.ts',
    change: 'logDefect(request)(error)  =>  (nothing)',
    why: 'The last net: whatever a test can provoke is answered before.',
  },
  {
    file: 'endpoint/fail.ts',
    change: 'sendRpcError(reply, 500, INTERNAL)  =>  (nothing)',
    why: 'The last net: whatever a test can provoke is answered before.',
  },
  {
    file: 'endpoint/fail.ts',
    change: 'sendRpcError(reply, 500, INTERNAL)  =>  sendRpcError(reply, 501, INTERNAL)',
    why: 'The last net: whatever a test can provoke is answered before.',
  },
  {
    file: 'endpoint/route.ts',
    change: "zone.decorateRequest('apiSession')  =>  (nothing)",
    why: 'For speed alone: Fastify lays its requests out by it.',
  },
  {
    file: 'endpoint/route.ts',
    change: "zone.decorateRequest('apiSession')  =>  zone.decorateRequest('')",
    why: 'For speed alone: Fastify lays its requests out by it.',
  },
  {
    file: 'endpoint/post.ts',
    change: ': Buffer.alloc(0) }  =>  : Buffer.alloc(1) }',
    why: 'One byte of nothing is no JSON either.',
  },
  {
    file: 'endpoint/post.ts',
    change:
      "typeof body !== 'object' || body === null || !('method' in body) || !('id' in body)  =>  typeof body !== 'object' || body === null || !('method' in body)",
    why: 'An id that is not there is neither a text nor a number; this tells the compiler.',
  },
]

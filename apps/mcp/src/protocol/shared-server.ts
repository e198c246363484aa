import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type Implementation,
  type JSONRPCRequest,
  LOG_LEVEL_META_KEY,
  type MessageExtraInfo,
  PROTOCOL_VERSION_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  type RequestId,
  type Result,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { LRUCache } from 'lru-cache'
import type { RpcResponse } from './exchange.ts'
import { checkedParams, isObject, type ParamsCheck } from './params.ts'
import { SharedRequest } from './shared-request.ts'
import type { SharedTransport } from './transports.ts'

/**
 * The SDK's server, serving every caller at once. Requests of the ordinary shape are dispatched here, because the
 * parent builds an abort controller and a dozen closures for each call whether the handler looks at them or not; the
 * rules of the revision stay the SDK's own codec. Whatever is out of the ordinary goes to the parent.
 */
export class SharedServer extends Server {
  /** False for a registry that checks its calls and results itself, which are then not checked a second time. */
  checksCalls = true
  /** What stands on every modern result; title, links and icons stand in the answer to discovery alone. */
  identity: Implementation | undefined
  /** By the request's number, for requests whose handler looks at its signal; the SDK's handler of cancellations reads it. */
  readonly #aborts = new Map<RequestId, AbortController>()
  readonly #soundEnvelopes = new LRUCache<string, true>({ max: ENVELOPES_MAX })
  readonly #direct = new Map<string, DirectHandler>()

  /** Connects to the transport, once and for good. */
  async serve(transport: SharedTransport): Promise<void> {
    // biome-ignore lint/complexity/useLiteralKeys: the SDK's types hide the field; its version is pinned
    this['_requestHandlerAbortControllers'] = this.#aborts
    await this.connect(transport)
    const deliver = transport.onmessage
    // What comes through a shared transport is a request that the edge has checked, or a cancellation of our own.
    transport.onmessage = (message, extra) => {
      if ('method' in message && 'id' in message) this.#serve(transport, message, extra)
      else deliver?.(message, extra)
    }
  }

  /**
   * Serves a method whose params `check` judges: the sentence it returns becomes -32602. In the ordinary case the handler
   * is called at once, without the copies and turns of the event loop of the parent's own registration.
   */
  handle<Params extends object>(
    method: string,
    check: ParamsCheck,
    handler: (params: Params, context: ServerContext) => Promise<Result>,
  ): void {
    this.setRequestHandler(method, checkedParams<Params>(check), handler)
    this.#direct.set(method, ({ params = {} }, context) => {
      const problem = check(params)
      if (problem === null) return handler(params as Params, context)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid params for ${method}: ${problem}`)
    })
  }

  protected override _outboundServerInfo(): Implementation | undefined {
    return this.identity
  }

  protected override _wrapHandler(method: string, handler: Handler): Handler {
    return method === 'tools/call' && !this.checksCalls ? handler : super._wrapHandler(method, handler)
  }

  #serve(transport: SharedTransport, request: JSONRPCRequest, extra: MessageExtraInfo | undefined): void {
    const codec = this._wireCodec()
    const { id, method } = request
    // biome-ignore lint/complexity/useLiteralKeys: the SDK's types hide the field; its version is pinned
    const handler: DirectHandler | undefined = this.#direct.get(method) ?? this['_requestHandlers'].get(method)
    const lifted = lift(request)
    if (
      handler === undefined ||
      lifted === undefined ||
      !codec.hasRequestMethod(method) ||
      !this.#isSound(lifted.material)
    ) {
      // biome-ignore lint/complexity/useLiteralKeys: the SDK's types hide the method; its version is pinned
      this['_onrequest'](request, extra)
      return
    }
    const { material, message } = lifted
    const mcpReq = new SharedRequest(this, transport, this.#aborts, message, material.envelope)
    const answer = (response: RpcResponse): void => {
      mcpReq.end()
      try {
        transport.answer(response)
      } catch (error) {
        this.onerror?.(error as Error)
      }
    }
    let running: Promise<Result>
    try {
      running = handler(message, { mcpReq })
    } catch (error) {
      running = Promise.reject(error)
    }
    running.then(
      (result) => {
        let encoded: Result
        try {
          encoded = codec.encodeResult(method, result, this._outboundServerInfo())
        } catch (error) {
          return answer(failed(codec, id, error as Failure))
        }
        answer({ jsonrpc: '2.0', id, result: encoded })
      },
      (error: Failure) => answer(failed(codec, id, error)),
    )
  }

  // A client sends the same envelope with each request. The codec's schema of it is recursive, and every parse of one
  // builds weak maps that outlive the request; so its verdict is remembered, by the text alone.
  #isSound(material: Lifted['material']): boolean {
    const codec = this._wireCodec()
    if (material.envelope === undefined) return codec.checkInboundEnvelope(material) === undefined
    const text = JSON.stringify(material.envelope)
    if (this.#soundEnvelopes.get(text)) return true
    if (codec.checkInboundEnvelope(material) !== undefined) return false
    if (text.length <= ENVELOPE_MAX_CHARS) this.#soundEnvelopes.set(text, true)
    return true
  }
}

function failed(codec: Codec, id: JSONRPCRequest['id'], { code, message, data }: Failure): RpcResponse {
  return {
    jsonrpc: '2.0',
    id,
    error: {
      code: codec.encodeErrorCode(Number.isSafeInteger(code) ? Number(code) : ProtocolErrorCode.InternalError),
      message: message ?? 'Internal error',
      ...(data === undefined ? {} : { data }),
    },
  }
}

type Codec = ReturnType<Server['_wireCodec']>
type Handler = Parameters<Server['_wrapHandler']>[1]
type DirectHandler = (request: JSONRPCRequest, context: ServerContext) => Promise<Result>
type Failure = { readonly code?: unknown; readonly message?: string; readonly data?: unknown }
type Envelope = ServerContext['mcpReq']['envelope']

const ENVELOPES_MAX = 500
const ENVELOPE_MAX_CHARS = 4096
const ENVELOPE_KEYS: ReadonlySet<string> = new Set([
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
])

interface Lifted {
  readonly message: JSONRPCRequest
  readonly material: { readonly envelope?: NonNullable<Envelope> }
}

// Takes the envelope out of `_meta`, so that handlers see a request as it was before there were envelopes. Undefined
// for the retry of a question to the person, which the parent knows how to read.
function lift(message: JSONRPCRequest): Lifted | undefined {
  const { params } = message
  if (params === undefined) return { message, material: {} }
  if (!isObject(params) || 'inputResponses' in params || 'requestState' in params) return undefined
  const meta = params._meta
  if (!isObject(meta)) return { message, material: {} }
  let envelope: Record<string, unknown> | undefined
  let own: Record<string, unknown> | undefined
  for (const key of Object.keys(meta)) {
    if (ENVELOPE_KEYS.has(key)) {
      envelope ??= {}
      envelope[key] = meta[key]
    } else {
      own ??= {}
      own[key] = meta[key]
    }
  }
  if (envelope === undefined) return { message, material: {} }
  const { _meta: _, ...rest } = params
  return {
    message: { ...message, params: own === undefined ? rest : { ...rest, _meta: own } },
    material: { envelope: envelope as NonNullable<Envelope> },
  }
}

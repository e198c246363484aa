import type { CallToolResult, ServerContext, Tool } from '@modelcontextprotocol/server'
import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { errorEnvelope } from '@vertexsms/contract/errors'
import type { ApiRequest } from '../api/client.ts'
import { type RouteAnswer, RouteRefusal } from '../api/gateway.ts'
import type { ApprovalGate } from '../approval/gate.ts'
import type { Challenges } from '../auth/challenge.ts'
import { Refusal } from '../auth/refusal.ts'
import type { Exchange } from '../protocol/exchange.ts'
import { checkedParams, isObject } from '../protocol/params.ts'
import type { Registry } from '../protocol/servers.ts'
import type { Era } from '../protocol/transports.ts'
import { failureResult, successResult, ToolFailure } from '../result.ts'
import { type DefinedTool, refusalFailure, type ToolContext } from './define-tool.ts'

/** What the product's registry is made of. */
export interface ToolRegistryOptions {
  readonly info: Registry['info']
  readonly instructions: string
  readonly tools: readonly DefinedTool[]
  readonly challenges: Challenges
  /** Asks a person before expensive calls; undefined while that is switched off. */
  readonly approvals: ApprovalGate | undefined
  /** Hears of a failure that no tool foresaw. */
  readonly onError: (error: unknown) => void
  /** Aborts when the process is about to end. */
  readonly draining: AbortSignal
}

const LIST_CACHE_SECONDS = 300
// The protocol layer drops this: the exchange has already been answered at the HTTP edge.
const REFUSED: CallToolResult = { content: [] }

/** Serves a list of tools: all of them to everyone, in a stable order, whatever the token may do. */
export function createToolRegistry(options: ToolRegistryOptions): Registry {
  const { info, instructions, tools, challenges, draining, onError, approvals } = options
  const byName = new Map(tools.map((tool) => [tool.name as string, tool]))
  // Frozen, and so known to be the same in every answer: it is turned into text once.
  const listings = Object.freeze(tools.map((tool) => tool.listing)) as Tool[]

  async function callTool(exchange: Exchange, context: ServerContext, era: Era, { name, arguments: args }: CallParams) {
    const tool = byName.get(name)
    if (tool === undefined) {
      await exchange.session.alive()
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown tool')
    }
    try {
      const values = tool.read(args)
      const toolContext = new ToolCall(tool, exchange, context, challenges, draining)
      if (approvals !== undefined && tool.quote !== undefined) {
        const quote = await tool.quote(values as never, toolContext)
        const subject = { ...quote, caller: exchange.session.caller.callKey, tool: tool.name, args: values }
        const question = approvals.pass(subject, context, era)
        if (question !== undefined) return question
      }
      return successResult(await tool.run(values as never, toolContext))
    } catch (error) {
      const failure = failureOf(error)
      if (failure === undefined) throw error
      // Arguments are read before the API is asked; what they lack is said only to a token that stands. After the
      // tool's own call this asks nothing more: an unknown outcome must be told even while the API is down.
      await exchange.session.alive()
      return failureResult(failure.envelope)
    }
  }

  return {
    info,
    instructions,
    capabilities: { tools: { listChanged: false } },
    cacheSeconds: LIST_CACHE_SECONDS,
    callsApi: (name, args) => typeof name === 'string' && byName.has(name) && (args === undefined || isObject(args)),
    checksItself: true,
    install(server, exchangeOf, era) {
      server.setRequestHandler('tools/list', checkedParams(), () => ({ tools: listings }))
      server.handle<CallParams>('tools/call', checkCall, async (params, context) => {
        const exchange = exchangeOf(context)
        try {
          return await callTool(exchange, context, era, params)
        } catch (error) {
          if (error instanceof ProtocolError) throw error
          if (!(error instanceof Refusal)) {
            onError(error)
            return failureResult(errorEnvelope('INTERNAL'))
          }
          if (exchange.streaming) return failureResult(error.envelope)
          exchange.refuse(error)
          return REFUSED
        }
      })
    },
  }
}

/** One call as its tool sees it. */
class ToolCall implements ToolContext {
  readonly draining: AbortSignal
  readonly #tool: DefinedTool
  readonly #session: Exchange['session']
  readonly #mcpReq: ServerContext['mcpReq']
  readonly #challenges: Challenges

  constructor(
    tool: DefinedTool,
    { session }: Exchange,
    { mcpReq }: ServerContext,
    challenges: Challenges,
    draining: AbortSignal,
  ) {
    this.draining = draining
    this.#tool = tool
    this.#session = session
    this.#mcpReq = mcpReq
    this.#challenges = challenges
  }

  get caller(): ToolContext['caller'] {
    return this.#session.caller
  }

  get signal(): AbortSignal {
    return this.#mcpReq.signal
  }

  call(request: ApiRequest): Promise<RouteAnswer> {
    return this.#session.call(this.#tool.scope, request)
  }

  describe(): ReturnType<ToolContext['describe']> {
    return this.#session.describe()
  }

  permissionMissing(): Error {
    return this.#challenges.permissionMissing(this.#tool.scope, this.caller.scope)
  }

  progress(done: number, total: number, message: string): void {
    const progressToken = this.#mcpReq._meta?.progressToken
    if (progressToken === undefined) return
    const params = { progressToken, progress: done, total, message }
    this.#mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {})
  }
}

interface CallParams {
  readonly name: string
  readonly arguments?: Record<string, unknown>
}

function checkCall({ name, arguments: args }: Readonly<Record<string, unknown>>): string | null {
  if (typeof name !== 'string') return 'name must be a string'
  return args === undefined || isObject(args) ? null : 'arguments must be an object'
}

function failureOf(error: unknown): ToolFailure | undefined {
  if (error instanceof ToolFailure) return error
  return error instanceof RouteRefusal ? refusalFailure(error) : undefined
}

import { ProtocolError, ProtocolErrorCode, type Result, type Tool } from '@modelcontextprotocol/server'
import { SCOPES } from '@vertexsms/contract/scopes'
import type { ApiRequest } from '../api/client.ts'
import { type RouteAnswer, RouteFailure } from '../api/judge.ts'
import type { Challenges } from '../caller/challenge.ts'
import { isObject } from '../protocol/classify.ts'
import type { Exchange } from '../protocol/exchange.ts'
import { failureIn, successResult } from '../protocol/failure.ts'
import { checkOnePage, type Params, type Registry } from '../protocol/methods.ts'
import { approvalQuestion, stopIfDeclined } from './approval-link.ts'
import type { DefinedTool, ToolContext } from './define-tool.ts'

/** What the product's registry is made of. */
export interface ToolRegistryOptions {
  readonly info: Registry['info']
  readonly instructions: string
  readonly tools: readonly DefinedTool[]
  readonly challenges: Challenges
  /** Aborts when the process is about to end. */
  readonly draining: AbortSignal
}

const LIST_CACHE_SECONDS = 300

/** Serves a list of tools: all of them to everyone, in a stable order, whatever the token may do. */
export function createToolRegistry(options: ToolRegistryOptions): Registry {
  const { info, instructions, tools, challenges, draining } = options
  const byName = new Map(tools.map((tool) => [tool.name as string, tool]))
  const acting = new Set<unknown>(
    tools
      .filter(({ scope, listing }) => SCOPES[scope].billable || listing.annotations?.readOnlyHint !== true)
      .map((tool) => tool.name),
  )
  // Frozen, and so known to be the same in every answer: it is turned into text once.
  const list = Object.freeze({ tools: tools.map((tool) => tool.listing) as Tool[] })

  async function callTool({ name, arguments: args }: CallParams, exchange: Exchange): Promise<Result> {
    const tool = byName.get(name)
    if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown tool')
    exchange.tool = tool.name
    try {
      const values = tool.read(args)
      stopIfDeclined(exchange)
      const context = new ToolCall(tool, exchange, challenges, draining)
      return successResult(await tool.run(values as never, context))
    } catch (error) {
      const failure = failureIn(error)
      if (failure === undefined) throw error
      // Arguments are read before the API is asked; what they lack is said only to a token that stands. After the
      // tool's own call this asks nothing more: an unknown outcome must be told even while the API is down.
      await exchange.session.alive()
      const question = approvalQuestion(failure, exchange)
      if (question !== undefined) return question
      throw failure
    }
  }

  return {
    info,
    instructions,
    capabilities: { tools: { listChanged: false } },
    cacheSeconds: LIST_CACHE_SECONDS,
    methods: {
      'tools/list': { params: checkOnePage, handle: () => list },
      'tools/call': {
        params: checkCall,
        asksApi: (params) => checkCall(params) === null && byName.has(params.name as string),
        acts: ({ name }) => acting.has(name),
        handle: callTool,
      },
    },
  }
}

/** One call as its tool sees it. */
class ToolCall implements ToolContext {
  readonly draining: AbortSignal
  readonly #tool: DefinedTool
  readonly #exchange: Exchange
  readonly #challenges: Challenges

  constructor(tool: DefinedTool, exchange: Exchange, challenges: Challenges, draining: AbortSignal) {
    this.draining = draining
    this.#tool = tool
    this.#exchange = exchange
    this.#challenges = challenges
  }

  get signal(): AbortSignal {
    return this.#exchange.signal
  }

  async call(request: ApiRequest): Promise<RouteAnswer> {
    try {
      return await this.#exchange.session.call(this.#tool.scope, request, this.#exchange)
    } catch (error) {
      throw error instanceof RouteFailure ? failureIn(error) : error
    }
  }

  account(): Promise<string> {
    return this.#exchange.session.account()
  }

  describe(): ReturnType<ToolContext['describe']> {
    return this.#exchange.session.describe()
  }

  tokenRejected(): Error {
    return this.#challenges.invalid()
  }

  permissionMissing(): Error {
    return this.#challenges.permissionMissing(this.#tool.scope, this.#exchange.session.caller.scope)
  }

  progress(done: number, total: number, message: string): void {
    this.#exchange.progress(done, total, message)
  }
}

// A type and not an interface, so that it is assignable to and from any other params.
type CallParams = { readonly name: string; readonly arguments?: Record<string, unknown> }

function checkCall({ name, arguments: args }: Params): string | null {
  if (typeof name !== 'string') return 'name must be a string'
  return args === undefined || isObject(args) ? null : 'arguments must be an object'
}

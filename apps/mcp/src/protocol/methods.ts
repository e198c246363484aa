import {
  type Implementation,
  type InputRequest,
  isInputRequiredResult,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type Result,
  SERVER_INFO_META_KEY,
  type ServerCapabilities,
} from '@modelcontextprotocol/server'
import { type Era, isObject, LEGACY_REVISIONS, MODERN_REVISION } from './classify.ts'
import type { Exchange } from './exchange.ts'

/** The params of a request, as a client wrote them. */
export type Params = Readonly<Record<string, unknown>>

/** One method: how its params are judged, and who answers it. */
export interface Method {
  /** The eras that have the method; both where it does not say. */
  readonly era?: Era
  /** What is wrong with the params, in a sentence of ours that becomes -32602; null when nothing is. */
  readonly params?: (params: Params) => string | null
  /** True when the handler asks the API itself, so that no separate question about the token is needed. */
  readonly asksApi?: (params: Params) => boolean
  /** True when it sends, registers or spends, so that it must not be done again because its answer was lost. */
  readonly acts?: (params: Params) => boolean
  /** Answers. What it throws is told the client in one place; what nobody foresaw becomes -32603. */
  handle(params: Params, exchange: Exchange): Result | Promise<Result>
}

/** Methods by their names on the wire. */
export type Methods = Readonly<Record<string, Method>>

/** Judges the params of a list that has one page: no cursor was ever given out (2025-11-25, server/utilities/pagination). */
export function checkOnePage({ cursor }: Params): string | null {
  const isFirst = cursor === undefined || cursor === null || cursor === ''
  return isFirst ? null : 'the list has one page; leave cursor out'
}

/** What is served: the tools of the product, or the fixtures of the conformance suite. */
export interface Registry {
  readonly info: Implementation
  readonly instructions: string
  readonly capabilities: ServerCapabilities
  /** Seconds for which clients may keep the lists. */
  readonly cacheSeconds: number
  /** What it serves beside the handshake and discovery. */
  readonly methods: Methods
}

/** The method a request of an era names; undefined where that era does not serve it. */
export type FindMethod = (era: Era, name: string) => Method | undefined

/** Lays the table of all methods: those of the registry, the handshake of the older era, discovery of the modern one. */
export function createMethodTable(registry: Registry): FindMethod {
  const all = Object.entries({ ...basics(registry), ...registry.methods })
  const of = (era: Era) => new Map(all.filter(([, method]) => method.era === undefined || method.era === era))
  const table = { modern: of('modern'), legacy: of('legacy') }
  return (era, name) => table[era].get(name)
}

const EMPTY = Object.freeze({})

// Stateless: the handshake only computes its answer, and nothing of what one client said is kept.
function basics({ info, instructions, capabilities }: Registry): Methods {
  const discovery = Object.freeze({
    supportedVersions: [MODERN_REVISION],
    capabilities,
    instructions,
    _meta: { [SERVER_INFO_META_KEY]: info },
  })
  return {
    'server/discover': { era: 'modern', handle: () => discovery },
    ping: { era: 'legacy', handle: () => EMPTY },
    initialize: {
      era: 'legacy',
      params: checkInitialize,
      handle: ({ protocolVersion: asked }) => {
        const protocolVersion = LEGACY_REVISIONS.find((revision) => revision === asked) ?? LEGACY_REVISIONS[0]
        return { protocolVersion, capabilities, serverInfo: infoFor(protocolVersion, info), instructions }
      },
    },
  }
}

/** What a revision knows of an implementation: clients check what is told, and their drafts of what came later differ. */
function infoFor(revision: (typeof LEGACY_REVISIONS)[number], info: Implementation): Implementation {
  const { name, title, version } = info
  if (revision === '2025-11-25') return info
  return revision === '2025-06-18' && title !== undefined ? { name, title, version } : { name, version }
}

// 2025-11-25, basic/lifecycle.
function checkInitialize({ protocolVersion, capabilities, clientInfo }: Params): string | null {
  if (typeof protocolVersion !== 'string') return 'protocolVersion must be a string'
  if (!isObject(capabilities)) return 'capabilities must be an object'
  if (!isObject(clientInfo) || typeof clientInfo.name !== 'string' || typeof clientInfo.version !== 'string') {
    return 'clientInfo must have a name and a version'
  }
  return null
}

/** Runs a method. Rejects with what its handler throws, or with the ProtocolError of params that are not right. */
export async function run(method: Method, exchange: Exchange): Promise<Result> {
  const { params } = exchange
  const problem = method.params?.(params) ?? null
  if (problem !== null) {
    const { method: name } = exchange.message
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid params for ${name}: ${problem}`)
  }
  const result = await method.handle(params, exchange)
  if (isInputRequiredResult(result)) checkQuestions(result.inputRequests, exchange)
  return result
}

// A question may be put only to a client that declared it can be asked (2026-07-28, MRTR).
function checkQuestions(questions: Readonly<Record<string, InputRequest>> = {}, exchange: Exchange): void {
  if (exchange.era === 'legacy') throw new Error('The handshake era has no input_required')
  for (const question of Object.values(questions)) {
    const requiredCapabilities = exchange.missingFor(question)
    if (requiredCapabilities !== undefined) throw new MissingRequiredClientCapabilityError({ requiredCapabilities })
  }
}

import type { StandardSchemaV1 } from '@modelcontextprotocol/server'

/** A check of a request's params: the sentence that says what is wrong, or null. */
export type ParamsCheck = (params: Readonly<Record<string, unknown>>) => string | null

/**
 * Params that are checked by a function instead of the SDK's schemas, whose error texts would carry what the client
 * wrote and which would run twice on each call. A refusal becomes -32602.
 */
export function checkedParams<Params extends object = Record<string, unknown>>(
  check: ParamsCheck = () => null,
): { params: StandardSchemaV1<unknown, Params> } {
  return {
    params: {
      '~standard': {
        version: 1,
        vendor: 'vertexsms',
        validate(value) {
          const message = check(value as Record<string, unknown>)
          return message === null ? { value: value as Params } : { issues: [{ message }] }
        },
      },
    },
  }
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Params of `initialize` (2025-11-25, basic/lifecycle). */
export interface InitializeParams {
  readonly protocolVersion: string
}

/** What is wrong with the params of `initialize`. */
export function checkInitialize({ protocolVersion, capabilities, clientInfo }: Readonly<Record<string, unknown>>) {
  if (typeof protocolVersion !== 'string') return 'protocolVersion must be a string'
  if (!isObject(capabilities)) return 'capabilities must be an object'
  if (!isObject(clientInfo) || typeof clientInfo.name !== 'string' || typeof clientInfo.version !== 'string') {
    return 'clientInfo must have a name and a version'
  }
  return null
}

import type { RpcResponse } from './exchange.ts'

/** Turns answers into text. */
export function createSerializer(): (response: RpcResponse) => string {
  return (response) => JSON.stringify(response)
}

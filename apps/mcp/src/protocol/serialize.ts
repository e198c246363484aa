import type { RpcResponse } from './exchange.ts'

/**
 * Turns answers into text. A list that is the same object in every answer, as the list of tools, is turned into text
 * once: it is by far the largest answer, and clients ask for it often.
 */
export function createSerializer(): (response: RpcResponse) => string {
  const lists = new WeakMap<object, string>()

  return (response) => {
    if (!('result' in response)) return JSON.stringify(response)
    const { tools, ...rest } = response.result as { tools?: unknown }
    if (!Array.isArray(tools) || !Object.isFrozen(tools)) return JSON.stringify(response)
    let list = lists.get(tools)
    if (list === undefined) {
      list = JSON.stringify(tools)
      lists.set(tools, list)
    }
    const others = JSON.stringify(rest).slice(1)
    const result = `{"tools":${list}${others === '}' ? '' : ','}${others}`
    return `{"jsonrpc":"2.0","id":${JSON.stringify(response.id)},"result":${result}}`
  }
}

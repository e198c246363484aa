import { connectServers } from '/work/main/apps/mcp/src/protocol/servers.ts'
import { createToolRegistry } from '/work/main/apps/mcp/src/tools/registry.ts'
import { createTools, INSTRUCTIONS } from '/work/main/apps/mcp/src/tools/index.ts'
import { classify } from '/work/main/apps/mcp/src/protocol/classify.ts'
import { ApiSession } from '/work/main/apps/mcp/src/api/gateway.ts'
const registry = createToolRegistry({ info: { name: 'vertexsms', version: '1' }, instructions: INSTRUCTIONS, tools: createTools(), challenges: {} as any, draining: new AbortController().signal })
const servers = await connectServers(registry, (e) => console.error(e))
const body = '{"name":"BITE","country":"LT","mcc":"246","mnc":["020","028"]}'
const api = { request: async () => ({ status: 200, headers: {}, body }), close: async () => {} }
const caller = { token: 't', key: 'k', account: 'a', scope: 's', address: '1', requestId: 'r', callKey: 'c' }
const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientInfo': { name: 'b', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': {} }
function one(era: 'modern' | 'legacy', method: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const params: any = method === 'tools/call' ? { name: 'get_operator', arguments: { operatorId: 20 } } : {}
    if (era === 'modern') params._meta = meta
    const message = { jsonrpc: '2.0', id: 1, method, params } as any
    const exchange: any = { requestId: 1, session: new ApiSession(api as any, {} as any, caller as any, () => {}), streaming: false, settle: resolve, refuse: reject, notify() {} }
    servers[era].dispatch(message, exchange)
  })
}
console.log(JSON.stringify(await one('modern', 'tools/call')).slice(0, 300))
async function bench(label: string, f: () => Promise<unknown>, n = 20000) {
  for (let i = 0; i < 5000; i++) await f()
  let best = Infinity
  for (let r = 0; r < 4; r++) {
    const b = process.cpuUsage()
    for (let i = 0; i < n; i += 8) await Promise.all([f(), f(), f(), f(), f(), f(), f(), f()])
    const u = process.cpuUsage(b)
    best = Math.min(best, (u.user + u.system) / n)
  }
  console.log(label, best.toFixed(2), 'us cpu')
}
await bench("modern call", () => one("modern","tools/call"), 20000); await bench("legacy call", () => one("legacy","tools/call"), 20000)
process.exit()

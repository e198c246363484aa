import type { Random } from './random.ts'

/** The era a message is written in. */
export type Era = '2026-07-28' | '2025-11-25'

/** One JSON-RPC message, as a client would send it. */
export interface Message {
  readonly jsonrpc: '2.0'
  readonly id?: number | string
  readonly method: string
  readonly params?: Record<string, unknown>
}

const numbers = [
  { number: '069912345', country: 'LT' },
  { number: '0791234567', country: 'CH' },
]

/** Right arguments of every tool. */
export const ARGUMENTS: Readonly<Record<string, Record<string, unknown>>> = {
  send_sms: { to: '+37069912345', from: 'Vertex', message: 'Your code is 123456' },
  get_sms_rates: { country: 'LT' },
  register_sender_id: { name: 'Vertex', category: 'Brand', categoryDescription: 'Our brand' },
  register_msisdn_sender: { msisdn: '+37069912345' },
  confirm_msisdn_sender: { senderId: '123', code: '12345' },
  lookup_hlr: { msisdn: '+37069912345' },
  get_operator: { operatorId: 20 },
  get_mcc_mnc_list: { country: 'LT', page: 1 },
  get_mobile_prefixes: { country: 'LT' },
  correct_phone_number: { numbers },
}

const OTHER_METHODS: Readonly<Record<Era, readonly string[]>> = {
  '2026-07-28': ['tools/list', 'server/discover', 'notifications/cancelled', 'resources/list', 'subscriptions/listen'],
  '2025-11-25': ['tools/list', 'initialize', 'ping', 'notifications/initialized', 'logging/setLevel', 'prompts/get'],
}

/** A right message: mostly tool calls, and now and then another method, known or not. */
export function anyMessage(random: Random, era: Era): Message {
  const meta =
    era === '2026-07-28'
      ? {
          _meta: {
            'io.modelcontextprotocol/protocolVersion': era,
            'io.modelcontextprotocol/clientInfo': { name: 'fuzz', version: '1' },
            'io.modelcontextprotocol/clientCapabilities': {},
            ...(random.chance(0.1) ? { progressToken: random.int(1, 9) } : {}),
          },
        }
      : {}
  if (random.chance(0.7)) {
    const name = random.pick(Object.keys(ARGUMENTS))
    const params = { name, arguments: structuredClone(ARGUMENTS[name]), ...meta }
    return { jsonrpc: '2.0', id: random.int(1, 1e9), method: 'tools/call', params }
  }
  const method = random.pick(OTHER_METHODS[era])
  const params =
    method === 'initialize'
      ? { protocolVersion: era, capabilities: {}, clientInfo: { name: 'fuzz', version: '1' } }
      : { ...meta }
  return { jsonrpc: '2.0', ...(method.startsWith('notifications/') ? {} : { id: random.int(1, 1e9) }), method, params }
}

/** A call that must succeed, whatever came before it. */
export function soundCall(random: Random, era: Era): Message {
  for (;;) {
    const message = anyMessage(random, era)
    if (message.params?.name === 'get_operator') return message
  }
}

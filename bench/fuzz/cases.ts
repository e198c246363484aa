// Every kind of hostile request that is tried, one list: a new kind is one entry more.
import { CODINGS, compress } from './codings.ts'
import { framingCase } from './framing.ts'
import { anyValue, encode, mutate, mutateBytes, nested, RawJson } from './json.ts'
import { anyMessage, type Era, type Message, soundCall } from './messages.ts'
import { randomOf } from './random.ts'
import { type CaseContext, type FuzzCase, headBytes, headersOf, whole } from './request.ts'
import type { Piece } from './wire.ts'

type Maker = (context: CaseContext) => Omit<FuzzCase, 'kind'>

const sound: Maker = (context) => {
  const message = soundCall(context.random, context.era)
  return { pieces: whole(headersOf(context, message), JSON.stringify(message)), answers: 1, statuses: [200] }
}

const brokenJson: Maker = (context) => {
  const message = anyMessage(context.random, context.era)
  const body = mutateBytes(context.random, Buffer.from(JSON.stringify(message)))
  return { pieces: whole(headersOf(context, message), body), answers: 1 }
}

const wrongTypes: Maker = (context) => {
  const message = anyMessage(context.random, context.era)
  return { pieces: whole(headersOf(context, message), encode(mutate(context.random, message))), answers: 1 }
}

const wrongArguments: Maker = (context) => {
  const message = soundCall(context.random, context.era)
  const name = context.random.pick(['send_sms', 'correct_phone_number', 'lookup_hlr', 'get_operator', 'no_such_tool'])
  const changed: Message = { ...message, params: { ...message.params, name, arguments: anyValue(context.random, 4) } }
  return { pieces: whole(headersOf(context, changed), encode(changed)), answers: 1 }
}

const deepNesting: Maker = (context) => {
  const { random } = context
  const message = soundCall(random, context.era)
  const deep = nested(random, random.pick([10, 100, 1000, 10_000, 40_000]))
  const { params } = message
  const meta = params?._meta as Record<string, unknown> | undefined
  const changed = random.pick([
    deep,
    encode({ ...message, params: { ...params, arguments: new RawJson(deep) } }),
    encode({
      ...message,
      params: { ...params, _meta: { ...meta, 'io.modelcontextprotocol/clientCapabilities': new RawJson(deep) } },
    }),
  ])
  return { pieces: whole(headersOf(context, message), changed), answers: 1 }
}

const hugeIds: Maker = (context) => {
  const { random } = context
  const message = soundCall(random, context.era)
  const id = random.pick<unknown>([
    new RawJson('9'.repeat(random.int(17, 5000))),
    new RawJson('1e400'),
    new RawJson('-1e-400'),
    new RawJson('12345678901234567890.5'),
    new RawJson('"\\ud83d"'),
    'x'.repeat(random.int(1, 60_000)),
    '\u0000\u2028\ufeff',
    null,
    true,
    {},
    [1],
    -0,
    1.25,
    '__proto__',
  ])
  return { pieces: whole(headersOf(context, message), encode({ ...message, id })), answers: 1 }
}

const repeatedKeys: Maker = (context) => {
  const message = soundCall(context.random, context.era)
  const text = JSON.stringify(message)
  const extra = context.random.pick([
    '"__proto__":{"admin":true,"token":"x"}',
    '"constructor":{"prototype":{"polluted":true}}',
    '"method":"tools/list"',
    '"id":null',
    '"params":null',
    '"jsonrpc":"1.0"',
  ])
  return { pieces: whole(headersOf(context, message), `{${extra},${text.slice(1, -1)},${extra}}`), answers: 1 }
}

const batches: Maker = (context) => {
  const { random } = context
  const message = soundCall(random, context.era)
  const size = random.pick([0, 1, 2, 50, 1000])
  const list = Array.from({ length: size }, () => (random.chance(0.8) ? message : anyValue(random)))
  const body = encode(list)
  const headers = headersOf(context, message)
  // The one revision that has batches takes a small one of sound messages.
  const mayBeTaken = context.era === '2025-11-25' && random.chance(0.5)
  if (mayBeTaken) headers.set('mcp-protocol-version', '2025-03-26')
  return {
    pieces: whole(headers, body),
    answers: 1,
    statuses: Buffer.byteLength(body) > 262_144 ? [413] : mayBeTaken ? [200, 400] : [400],
  }
}

const wrongEncodings: Maker = (context) => {
  const { random } = context
  const message = soundCall(random, context.era)
  const headers = headersOf(context, message)
  const text = JSON.stringify(message)
  const choice = random.int(0, 4)
  if (choice === 0) {
    const coding = random.pick(CODINGS)
    headers.set('content-encoding', random.pick([coding, coding.toUpperCase(), `${coding}, ${coding}`, 'x-unknown']))
    const body = random.pick([
      () => compress(coding, text),
      () => Buffer.from(text),
      () => Buffer.from([0x1f, 0x8b, 8]),
    ])
    return { pieces: whole(headers, body()), answers: 1 }
  }
  if (choice === 1) {
    const charset = random.pick(['utf-16', 'utf-16le', 'iso-8859-1', 'utf-7', 'x', '"', 'utf-8;charset=utf-16'])
    headers.set('content-type', `application/json;charset=${charset}`)
    const body = random.pick([Buffer.from(text, 'utf16le'), Buffer.from(text, 'latin1'), Buffer.from(text)])
    return { pieces: whole(headers, body), answers: 1 }
  }
  if (choice === 2) {
    const bom = random.pick([
      [0xef, 0xbb, 0xbf],
      [0xff, 0xfe],
      [0xfe, 0xff],
      [0, 0, 0xfe, 0xff],
    ])
    return { pieces: whole(headers, Buffer.concat([Buffer.from(bom), Buffer.from(text)])), answers: 1 }
  }
  if (choice === 3) {
    const at = random.int(1, text.length - 1)
    const bad = random.pick([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]])
    const body = Buffer.concat([Buffer.from(text.slice(0, at)), Buffer.from(bad), Buffer.from(text.slice(at))])
    return { pieces: whole(headers, body), answers: 1 }
  }
  const type = random.pick([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json, text/plain',
    'application/json-patch+json',
    'APPLICATION/JSON',
    '',
    ';',
    '*/*',
    'application/json; '.repeat(40),
    'application/json\u00ff',
  ])
  if (type === '') headers.delete('content-type')
  else headers.set('content-type', type)
  return { pieces: whole(headers, text), answers: 1 }
}

const HEADER_VALUES = [
  '',
  'tools/list',
  'tools/call',
  'send_sms',
  'TOOLS/CALL',
  '2025-11-25',
  '2026-07-28',
  '2024-10-07',
  '1999-01-01',
  '9'.repeat(100),
  '=?base64?Z2V0X29wZXJhdG9y?=',
  '=?base64?****?=',
  'get_operator, get_operator',
  '\u00e9\u00ff',
  'x'.repeat(4000),
]

const headerMismatch: Maker = (context) => {
  const { random } = context
  const message = anyMessage(random, context.era)
  const headers = headersOf(context, message)
  const names = [
    'mcp-protocol-version',
    'mcp-method',
    'mcp-name',
    'accept',
    'mcp-session-id',
    'last-event-id',
    'origin',
  ]
  for (let n = random.int(1, 3); n > 0; n--) {
    const name = random.pick(names)
    if (random.chance(0.3)) headers.delete(name)
    else headers.set(name, random.pick(HEADER_VALUES))
  }
  if (random.chance(0.1))
    headers.set('host', random.pick(['evil.example', 'localhost:4001:1', '[::1]', 'localhost@x', '']))
  if (random.chance(0.2)) headers.set('MCP-Method', random.pick(HEADER_VALUES))
  return { pieces: whole(headers, JSON.stringify(message)), answers: 1 }
}

const wrongCredentials: Maker = (context) => {
  const { random, token } = context
  const message = anyMessage(random, context.era)
  const headers = headersOf(context, message)
  const [head = '', payload = '', signature = ''] = token.split('.')
  const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
  const value = random.pick([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Basic ${Buffer.from('a:b').toString('base64')}`,
    token,
    `Bearer ${token}x`,
    `Bearer ${token} ${token}`,
    `Bearer ${head}.${payload}.${signature.split('').reverse().join('')}`,
    `Bearer ${none}.${payload}.`,
    `Bearer ${none}.${payload}.x`,
    `Bearer ${head}..${signature}`,
    'Bearer a.b.c',
    `Bearer ${'a'.repeat(9000)}`,
    'Bearer \u00ff\u00fe',
  ])
  if (value === undefined) headers.delete('authorization')
  else headers.set('authorization', value)
  return { pieces: whole(headers, JSON.stringify(message)), answers: 1, statuses: [401] }
}

const oversize: Maker = (context) => {
  const { random } = context
  const message = soundCall(random, context.era)
  const params = { ...message.params, arguments: { operatorId: 20, filler: 'x'.repeat(random.int(262_144, 700_000)) } }
  return {
    pieces: whole(headersOf(context, message), JSON.stringify({ ...message, params })),
    answers: 1,
    closes: true,
    statuses: [413],
    // A server that refuses by the announced length may reset the connection while the rest is still coming.
    mayClose: true,
  }
}

const slowBody: Maker = (context) => {
  const { random } = context
  const message = soundCall(random, context.era)
  const bytes = Buffer.from(JSON.stringify(message))
  const pieces: Piece[] = [{ bytes: headBytes(headersOf(context, message), bytes.length) }]
  const step = Math.ceil(bytes.length / random.int(2, 8))
  for (let at = 0; at < bytes.length; at += step) {
    pieces.push({ bytes: bytes.subarray(at, at + step), afterMs: random.int(0, 15) })
  }
  return { pieces, answers: 1, statuses: [200] }
}

const brokenOff: Maker = (context) => {
  const { random } = context
  const [piece] = whole(headersOf(context, undefined), JSON.stringify(anyMessage(random, context.era)))
  const bytes = piece?.bytes ?? Buffer.alloc(0)
  const part = random.chance(0.5) ? bytes : bytes.subarray(0, random.int(1, bytes.length))
  return { pieces: [{ bytes: part }, { bytes: Buffer.alloc(0), afterMs: random.int(0, 5) }], answers: 0, closes: true }
}

const pipelined: Maker = (context) => {
  const { random } = context
  const count = random.int(2, 6)
  const parts = Array.from({ length: count }, () => {
    const message = soundCall(random, context.era)
    return whole(headersOf(context, message), JSON.stringify(message))[0]?.bytes ?? Buffer.alloc(0)
  })
  return { pieces: [{ bytes: Buffer.concat(parts) }], answers: count, statuses: [200] }
}

/** Every kind with its share of the cases. */
const KINDS: readonly (readonly [kind: string, share: number, make: Maker])[] = [
  ['sound call', 6, sound],
  ['broken JSON', 12, brokenJson],
  ['wrong types', 16, wrongTypes],
  ['wrong arguments', 14, wrongArguments],
  ['deep nesting', 4, deepNesting],
  ['huge ids', 6, hugeIds],
  ['repeated keys', 4, repeatedKeys],
  ['batches', 4, batches],
  ['wrong encodings', 8, wrongEncodings],
  ['header mismatch', 10, headerMismatch],
  ['wrong credentials', 4, wrongCredentials],
  ['framing', 5, framingCase],
  ['oversize', 1, oversize],
  ['slow body', 2, slowBody],
  ['broken off', 2, brokenOff],
  ['pipelined', 2, pipelined],
]
const TOTAL_SHARE = KINDS.reduce((sum, [, share]) => sum + share, 0)

/** Case `index` of a run with `seed`: the same bytes each time. */
export function caseOf(seed: number, index: number, token: string): FuzzCase {
  const random = randomOf(seed, index)
  const era: Era = random.chance(0.5) ? '2026-07-28' : '2025-11-25'
  let left = random.next() * TOTAL_SHARE
  const [kind, , make] = KINDS.find(([, share]) => {
    left -= share
    return left < 0
  }) ?? ['sound call', 0, sound]
  return { kind, ...make({ random, token, era }) }
}

// One table of requests, asked of the simulated operator and of the real one's stand-in: whoever tries something out on the
// first finds the same statuses, shapes and codes on the second.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { startVertexWorld, type VertexWorld } from './support/vertex.ts'
import { type Node, startWorld, type World } from './support/world.ts'

interface Side {
  readonly node: Node
  readonly token: string
  /** The PIN that arrived on a number. */
  readonly pin: (msisdn: string) => Promise<string>
}

let sandbox: World
let vertex: VertexWorld
let sides: readonly Side[]
beforeAll(async () => {
  sandbox = await startWorld()
  vertex = await startVertexWorld()
  const digits = (text: string | undefined) => /\b\d{5}\b/.exec(text ?? '')?.[0]
  sides = [
    {
      node: sandbox.node,
      token: sandbox.token,
      pin: (to) =>
        eventually(async () =>
          digits((await sandbox.db.sandboxText.findFirst({ where: { recipient: to }, orderBy: { id: 'desc' } }))?.text),
        ),
    },
    {
      node: vertex.world.node,
      token: vertex.world.token,
      pin: (to) => eventually(async () => digits(vertex.standIn.texts.findLast((text) => text.to === to)?.message)),
    },
  ]
})
afterAll(async () => {
  await sandbox?.close()
  await vertex?.close()
})

const LT = '37060000001'
const OWN = '37061234567'
const sms = { to: LT, from: 'Tests', message: 'Hello' }
const name = { name: 'Bakery', type: 'AlphaNumeric', category: 'Company', categoryDescription: 'Bread' }
const long = 'x'.repeat(200)

/** `$name` in a path or body stands for what an earlier request of this name was answered. */
const REQUESTS: readonly [name: string, request: string, body?: unknown, headers?: Record<string, string>][] = [
  ['token', 'GET /token'],
  ['rates', 'GET /rates'],
  ['rates of a country', 'GET /rates/?format=json&country=LT'],
  ['rates as CSV', 'GET /rates/?format=csv'],
  ['rates in no format', 'GET /rates/?format=xml'],
  ['cost', 'POST /sms/cost', sms],
  ['cost of parts', 'POST /sms/cost', { ...sms, message: long }],
  ['cost to a landline', 'POST /sms/cost', { ...sms, to: '37052123456' }],
  ['quote', 'POST /sms/quote', sms],
  ['quote of a list', 'POST /sms/quote', { ...sms, to: [LT, '37060000002', 'nobody'] }],
  ['message', 'POST /sms', sms],
  ['message in parts', 'POST /sms', { ...sms, message: long }],
  ['message in UCS-2', 'POST /sms', { ...sms, message: 'Ačiū 🎉' }],
  [
    'message with everything',
    'POST /sms',
    { ...sms, priority: 'low', expireIn: 360, coding: 2, udh: '%05%00%03%CC%02%01' },
  ],
  ['message with a key', 'POST /sms', sms, { 'idempotency-key': 'k1' }],
  ['the same again', 'POST /sms', sms, { 'idempotency-key': 'k1' }],
  ['the key for another', 'POST /sms', { ...sms, message: 'Other' }, { 'idempotency-key': 'k1' }],
  ['names with signs', 'POST /sms', { ...sms, from: 'A-b_c&d#e!' }],
  ['a name too long', 'POST /sms', { ...sms, from: 'TwelveLetter' }],
  ['a name with other signs', 'POST /sms', { ...sms, from: 'Tests@home' }],
  ['a number that is not confirmed', 'POST /sms', { ...sms, from: '+37069999999' }],
  ['a landline', 'POST /sms', { ...sms, to: '37052123456' }],
  ['no number', 'POST /sms', { ...sms, to: '370' }],
  ['no such number', 'POST /sms', { ...sms, to: '+37000000000' }],
  ['nationally written', 'POST /sms', { ...sms, to: '060000001', correctBy: 'LT' }],
  ['an empty text', 'POST /sms', { ...sms, message: ' ' }],
  ['a text that is not split', 'POST /sms', { ...sms, message: long, coding: 0 }],
  ['a header without coding', 'POST /sms', { ...sms, udh: '%05%00%03%CC%02%01' }],
  ['a validity too short', 'POST /sms', { ...sms, expireIn: 359 }],
  ['a test', 'POST /sms', { ...sms, testMode: 1 }],
  ['a member too many', 'POST /sms', { ...sms, ttl: 5 }],
  ['a limit of price', 'POST /sms', { ...sms, maxPrice: '0.000001' }],
  ['a quote that is none', 'POST /sms', { ...sms, quoteId: 'none' }],
  ['an URL inside', 'POST /sms', { ...sms, dlrUrl: 'http://10.0.0.1/x' }],
  ['scheduled', 'POST /sms', { ...sms, scheduled: new Date(Date.now() + 3_600_000).toISOString() }],
  ['status of it', 'GET /sms/status/$scheduled'],
  ['cancel it', 'DELETE /sms/$scheduled'],
  ['cancel what left', 'DELETE /sms/$message'],
  ['status of nothing', 'GET /sms/status/123456789012345678'],
  ['a list', 'POST /sms/batch', { ...sms, to: [LT, '37060000002', LT, '37052123456'] }],
  ['a lookup', 'POST /hlr', { msisdn: LT }],
  ['its result', 'GET /hlr/$a lookup?wait=20'],
  ['a lookup of a landline', 'POST /hlr', { msisdn: '37052123456' }],
  ['no lookup', 'GET /hlr/1234567890'],
  ['a sender', 'POST /senderId', name],
  ['the same sender', 'POST /senderId', name],
  ['a sender too short', 'POST /senderId', { ...name, name: 'ab' }],
  ['a sender of other signs', 'POST /senderId', { ...name, name: 'Bäckerei' }],
  ['a number as sender', 'POST /senderId', { type: 'MSISDN', name: OWN }],
  ['a wrong PIN', 'POST /senderId/confirm/$a number as sender', { code: '00000' }],
  ['the right PIN', 'POST /senderId/confirm/$a number as sender', { code: '$PIN' }],
  ['the PIN again', 'POST /senderId/confirm/$a number as sender', { code: '$PIN' }],
  ['a PIN for a name', 'POST /senderId/confirm/$a sender', { code: '00000' }],
  ['a PIN for nothing', 'POST /senderId/confirm/1234567890', { code: '00000' }],
  ['a message of it', 'POST /sms', { ...sms, from: `+${OWN}` }],
  ['networks', 'GET /mccmnc/LT?Page=1'],
  ['networks of no page', 'GET /mccmnc/LT?Page=0'],
  ['networks of nowhere', 'GET /mccmnc/ZZ'],
  ['an operator', 'GET /operators/$networks'],
  ['no operator', 'GET /operators/999999999999'],
  ['prefixes', 'GET /prefixes/LT?Page=1'],
  ['prefixes of nowhere', 'GET /prefixes/ZZ'],
  [
    'numbers',
    'POST /numbers/correct',
    [
      { number: '061234567', country: 'LT' },
      { number: '020 7946 0018', country: 'GB' },
      { number: 'none', country: 'LT' },
    ],
  ],
  ['no numbers', 'POST /numbers/correct', []],
]

/** Names and kinds of what an answer holds; values differ from operator to operator, and so does what may be left empty. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])]
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, member]) => [key, shapeOf(member)]),
  )
}

/** What the two operators know differently of a network: ours has its name, the other leaves it out. */
const MAY_BE_NULL = new Set(['operator', 'MNC', 'imsi'])

function withoutNullable(shape: unknown): unknown {
  if (Array.isArray(shape)) return shape.map(withoutNullable)
  if (typeof shape !== 'object' || shape === null) return shape
  return Object.fromEntries(
    Object.entries(shape).map(([key, member]) => [
      key,
      MAY_BE_NULL.has(key) || key === 'ported' ? 'any' : withoutNullable(member),
    ]),
  )
}

async function ask(side: Side) {
  const answers = new Map<string, unknown>()
  const found: Record<string, unknown> = {}
  for (const [title, request, body, headers = {}] of REQUESTS) {
    const pin = JSON.stringify(body ?? null).includes('$PIN') ? await side.pin(OWN) : ''
    const path = request.replace(/\$([a-zA-Z ]+)/, (_all, earlier: string) => {
      const answer = answers.get(earlier)
      const first = Array.isArray(answer) ? answer[0] : answer
      return String(typeof first === 'object' && first !== null ? (first as { operatorId: number }).operatorId : first)
    })
    const told = await side.node.call(path, {
      token: side.token,
      headers,
      ...(body === undefined
        ? {}
        : {
            raw: JSON.stringify(body).replace('$PIN', pin),
            headers: { ...headers, 'content-type': 'application/json' },
          }),
    })
    answers.set(title, told.body)
    const { code, details, messages } = (told.body ?? {}) as {
      code?: string
      details?: { reason?: string }
      messages?: { status: string; error?: { details?: { reason?: string } } | null }[]
    }
    found[title] = {
      status: told.status,
      code,
      error: (told.body as { error_code?: unknown })?.error_code,
      reason: details?.reason,
      statuses: messages?.map(({ status, error }) => [status, error?.details?.reason]),
      type: told.headers.get('content-type'),
      parts: told.headers.get('x-vertexsms-amount-sent'),
      replayed: told.headers.get('idempotency-replayed'),
      shape: withoutNullable(shapeOf(typeof told.body === 'string' ? 'text' : told.body)),
    }
  }
  return found
}

/** What the simulated operator knows more of, because it is ours: the other names the member at fault and says no more. */
const SAYS_MORE: Readonly<Record<string, readonly [ours: string, theirs: string]>> = {
  'a number that is not confirmed': ['sender_not_confirmed', 'sender_refused'],
}

test('the same requests find the same statuses, shapes and codes on both', async () => {
  const [ours, theirs] = await Promise.all(sides.map(ask))
  const reasonOf = (answers: typeof ours, title: string) =>
    (answers?.[title] as { reason?: string } | undefined)?.reason
  for (const [title, [here, there]] of Object.entries(SAYS_MORE)) {
    expect([title, reasonOf(ours, title), reasonOf(theirs, title)]).toEqual([title, here, there])
    Object.assign(theirs?.[title] as object, { reason: here })
  }
  expect(theirs).toEqual(ours)
  const statuses = Object.values(ours ?? {}).map((answer) => (answer as { status: number }).status)
  expect(statuses.filter((status) => status < 300).length).toBeGreaterThan(25)
}, 240_000)

import type { Random } from './random.ts'

/** Text that goes into a JSON document as it is: numbers no double holds, repeated keys, half a surrogate pair. */
export class RawJson {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Like JSON.stringify, with {@link RawJson} written through and every own key written, `__proto__` included. */
export function encode(value: unknown): string {
  if (value instanceof RawJson) return value.text
  if (Array.isArray(value)) return `[${value.map(encode).join(',')}]`
  if (value !== null && typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, member]) => `${JSON.stringify(key)}:${encode(member)}`)
      .join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

const POISONED_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'toJSON', '']

const SCALARS: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53 + 2,
  -(2 ** 63),
  1e308,
  new RawJson('1e999'),
  new RawJson('-0'),
  new RawJson('9'.repeat(400)),
  new RawJson('0.'.concat('1'.repeat(300))),
  new RawJson('"\\ud800"'),
  new RawJson('"\\u0000"'),
  '',
  ' ',
  'a'.repeat(5000),
  '\u202e\u0000\n\r\t',
  '🧨'.repeat(50),
  '../../etc/passwd',
  '$' + '{7*7}',
  "' OR 1=1 --",
  '<script>',
  'LT',
  'lt',
  '+37069912345',
  '0037069912345',
  '2026-07-28',
]

/** Any JSON value: scalars no schema expects, empty and nested containers, keys that poison prototypes. */
export function anyValue(random: Random, depth = 3): unknown {
  const choice = random.int(0, depth > 0 ? 9 : 6)
  if (choice <= 6) return random.pick(SCALARS)
  if (choice === 7) return Array.from({ length: random.int(0, 6) }, () => anyValue(random, depth - 1))
  const members: [string, unknown][] = Array.from({ length: random.int(0, 6) }, () => [
    random.chance(0.4) ? random.pick(POISONED_KEYS) : `k${random.int(0, 9)}`,
    anyValue(random, depth - 1),
  ])
  // fromEntries defines own properties, `__proto__` too, where an assignment would set the prototype.
  return Object.fromEntries(members)
}

/** The text of a document that is nested `depth` times. */
export function nested(random: Random, depth: number): string {
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"params":', '}]'],
  ] as const)
  return open.repeat(depth) + random.pick(['1', 'null', '"x"', '{}']) + (random.chance(0.8) ? close.repeat(depth) : '')
}

type Container = Record<string, unknown> | unknown[]

function containers(value: unknown, found: Container[] = []): Container[] {
  if (value === null || typeof value !== 'object' || value instanceof RawJson) return found
  found.push(value as Container)
  for (const member of Object.values(value)) containers(member, found)
  return found
}

/** A copy of `message` with one to four members replaced, removed, added, renamed or repeated. */
export function mutate(random: Random, message: object): unknown {
  let copy: unknown = structuredClone(message)
  for (let n = random.int(1, 4); n > 0; n--) {
    const all = containers(copy)
    if (all.length === 0 || random.chance(0.03)) {
      copy = anyValue(random)
      continue
    }
    const target = random.pick(all)
    const keys = Object.keys(target)
    const key = keys.length > 0 && !random.chance(0.15) ? random.pick(keys) : random.pick(POISONED_KEYS)
    const put = (name: string, value: unknown): void => {
      Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
    }
    if (Array.isArray(target)) target.splice(random.int(0, target.length), random.int(0, 1), anyValue(random))
    else if (random.chance(0.6)) put(key, anyValue(random))
    else if (random.chance(0.5)) delete target[key]
    else {
      // Own members only: an inherited one is a prototype of this very process, which the next round would change.
      const value = Object.hasOwn(target, key) ? target[key] : anyValue(random)
      delete target[key]
      put(random.chance(0.5) ? `${key}\u0000` : key.toUpperCase(), value)
    }
  }
  return copy
}

/** A copy of `bytes` with a few of them flipped, removed, doubled or cut off. */
export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  let copy: Buffer = Buffer.from(bytes)
  for (let n = random.int(1, 8); n > 0 && copy.length > 0; n--) {
    const at = random.int(0, copy.length - 1)
    const choice = random.int(0, 4)
    if (choice === 0) copy[at] = random.int(0, 255)
    else if (choice === 1) copy = Buffer.concat([copy.subarray(0, at), copy.subarray(at + random.int(1, 20))])
    else if (choice === 2) {
      const slice = copy.subarray(at, at + random.int(1, 40))
      copy = Buffer.concat([copy.subarray(0, at), slice, slice, copy.subarray(at)])
    } else if (choice === 3) copy = copy.subarray(0, at)
    else {
      const junk = Buffer.from(Array.from({ length: random.int(1, 12) }, () => random.int(0, 255)))
      copy = Buffer.concat([copy.subarray(0, at), junk, copy.subarray(at)])
    }
  }
  return copy
}

import { isUsableText, readUtf8, UnreadableText } from './text.ts'

/** How deep lists and objects may stand in each other. Real bodies have fewer than ten levels. */
export const JSON_DEPTH_MAX = 64

/** Values that one body may hold, at all levels together. The longest real one, a batch of numbers, has 300. */
export const JSON_VALUES_MAX = 5_000

/** Why a JSON text is refused. */
export type JsonProblem =
  /** It is not JSON in UTF-8 (RFC 8259 §8.1). */
  | 'syntax'
  /** It is nested deeper than {@link JSON_DEPTH_MAX}. */
  | 'depth'
  /** It holds more values than {@link JSON_VALUES_MAX}. */
  | 'size'
  /** An object names a member twice (RFC 8259 §4 leaves open which one counts). */
  | 'repeated'
  /** A name or string holds what no text can: U+0000, or half of a surrogate pair. */
  | 'text'
  /** A member would change the prototype of an object. */
  | 'name'

/** A JSON text that is refused. Answered with 400 in the endpoint's own shape. */
export class JsonRefused extends Error {
  override readonly name = 'JsonRefused'
  readonly statusCode = 400
  readonly problem: JsonProblem
  /** Names and places on the way to the value in question, outermost first; they are the caller's. Empty where there is none. */
  readonly path: readonly string[]

  constructor(problem: JsonProblem, path: readonly string[] = []) {
    super(`JSON refused: ${problem}`)
    this.problem = problem
    this.path = path
  }
}

/** What a reader of JSON insists on beside depth and size. */
export interface JsonRules {
  /** Refuses objects that name a member twice. */
  readonly uniqueNames?: boolean
  /** Values below this path may hold any string, because whoever reads them tells better what is wrong. */
  readonly anyTextBelow?: readonly string[]
}

// An escape is the only way for unusable characters into a string, and each of these names is spelled so or as it is; most
// bodies have none of them, and are not searched.
const SUSPECT = ['\\u', '__proto__', 'constructor']

/**
 * Parses a JSON text from outside. Depth and size are judged in one pass over the characters, before anything is built,
 * so that nothing behind it can be made to recurse deeply. Throws {@link JsonRefused}.
 */
export function readJson(source: Uint8Array | string, rules: JsonRules = {}): unknown {
  const text = typeof source === 'string' ? source : decode(source)
  const members = scan(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new JsonRefused('syntax')
  }
  // Of a member that was named twice one is left.
  if (rules.uniqueNames === true && membersOf(value) !== members) throw new JsonRefused('repeated', repeatedIn(text))
  if (SUSPECT.some((part) => text.includes(part))) judge(value, [], rules.anyTextBelow)
  return value
}

function decode(bytes: Uint8Array): string {
  try {
    return readUtf8(bytes)
  } catch (error) {
    if (error instanceof UnreadableText) throw new JsonRefused('syntax')
    throw error
  }
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d]

// The members that all objects name. What is not JSON may confuse it, but not make it accept too much: the parser looks at
// the text next.
function scan(text: string): number {
  let depth = 0
  let values = 1
  let members = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at)
        break
      case OBJECT:
      case LIST:
        depth += 1
        values += 1
        if (depth > JSON_DEPTH_MAX) throw new JsonRefused('depth')
        break
      case OBJECT_END:
      case LIST_END:
        depth -= 1
        break
      case COMMA:
        values += 1
        break
      case COLON:
        members += 1
        break
    }
    if (values > JSON_VALUES_MAX) throw new JsonRefused('size')
  }
  return members
}

function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = at - 1
    while (text.charCodeAt(escapes) === BACKSLASH) escapes--
    if ((at - escapes) % 2 === 1) return at
  }
  return text.length
}

// May recurse: the depth is bounded by now.
function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) for (const one of value) members += membersOf(one)
  else for (const one of Object.values(value)) members += 1 + membersOf(one)
  return members
}

/** An object or list whose end has not come yet. */
interface Open {
  /** Members named so far; undefined in a list. */
  readonly names: Set<string> | undefined
  /** The member that is being read. */
  name: string
  /** True where the next string is a name. */
  awaitsName: boolean
}

// Where valid JSON names a member for the second time: names and places on the way there.
function repeatedIn(text: string): string[] {
  const open: Open[] = []
  for (let at = 0; at < text.length; at++) {
    const inner = open.at(-1)
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at)
        if (inner?.names !== undefined && inner.awaitsName) {
          inner.name = JSON.parse(text.slice(at, end + 1)) as string
          if (inner.names.has(inner.name)) return open.map(({ name }) => name)
          inner.names.add(inner.name)
        }
        at = end
        break
      }
      case OBJECT:
        open.push({ names: new Set(), name: '', awaitsName: true })
        break
      case LIST:
        open.push({ names: undefined, name: '0', awaitsName: false })
        break
      case OBJECT_END:
      case LIST_END:
        open.pop()
        break
      case COMMA:
        if (inner?.names !== undefined) inner.awaitsName = true
        else if (inner !== undefined) inner.name = String(Number(inner.name) + 1)
        break
      case COLON:
        if (inner !== undefined) inner.awaitsName = false
        break
    }
  }
  return []
}

// May recurse: the depth is bounded by now.
function judge(value: unknown, path: readonly string[], anyTextBelow: readonly string[] | undefined): void {
  const isAnyText = anyTextBelow?.every((name, level) => path[level] === name) === true
  if (!isAnyText && typeof value === 'string' && !isUsableText(value)) throw new JsonRefused('text', path)
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    if (changesPrototype(name, member)) throw new JsonRefused('name', path)
    if (!isAnyText && !isUsableText(name)) throw new JsonRefused('text', path)
    judge(member, [...path, name], anyTextBelow)
  }
}

function changesPrototype(name: string, member: unknown): boolean {
  if (name === '__proto__') return true
  return name === 'constructor' && typeof member === 'object' && member !== null && Object.hasOwn(member, 'prototype')
}

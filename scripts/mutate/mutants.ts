import { parseAst } from 'vitest/node'
import { sqlChanges } from './sql.ts'

/** One small change of a source text, of a kind that a test should notice. */
export interface Mutant {
  /** Where the replaced expression or statement stands, in UTF-16 units. */
  readonly start: number
  readonly end: number
  readonly text: string
  /** True for a statement that is left out; otherwise an expression takes an expression's place. */
  readonly isStatement: boolean
  /** True outside of every function: it acts while the module is loaded, and never again. */
  readonly isStatic: boolean
  /** Counted from one. */
  readonly line: number
  /** What stood there and what stands there now, on one line: by this a mutant is known. */
  readonly change: string
}

/** A node of the syntax tree (ESTree with TypeScript's own), as far as it is looked at. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [member: string]: unknown
}

/** A replacement of a node, told by what changes in it. */
interface Change {
  readonly node: Node
  readonly text: string
  readonly from?: string
  readonly to?: string
  /** Where in the source the difference begins. */
  readonly at?: number
}

const FLIPPED: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
}

const CHANGE_CHARS = 160
/** What is no longer is a word, of which there may be many. */
const WORD_CHARS = 12

/** Every mutant of a TypeScript source, in its order. Throws where it cannot be parsed. */
export function mutantsOf(source: string): Mutant[] {
  const found = new Map<string, Mutant>()
  const visit: Visit = (node, parent, member, isStatic) => {
    for (const change of changesOf(node, parent, member, source)) {
      const { start, end } = change.node
      const from = change.from ?? source.slice(start, end)
      const to = change.to ?? change.text
      found.set(`${start} ${end} ${change.text}`, {
        start,
        end,
        text: change.text,
        isStatement: change.node.type.endsWith('Statement'),
        isStatic,
        line: source.slice(0, change.at ?? start).split('\n').length,
        change: `${flat(from)}  =>  ${flat(to)}`,
      })
    }
  }
  walk(parseAst(source, { lang: 'ts' }) as unknown as Node, { parent: null, member: '', isStatic: true }, visit)
  return [...found.values()].sort((one, other) => one.line - other.line || one.start - other.start)
}

function flat(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > CHANGE_CHARS ? `${line.slice(0, CHANGE_CHARS - 1)}…` : line || '(nothing)'
}

type Visit = (node: Node, parent: Node | null, member: string, isStatic: boolean) => void

interface Position {
  readonly parent: Node | null
  readonly member: string
  readonly isStatic: boolean
}

/** Types and imports do nothing when the program runs. */
function walk(node: Node, { parent, member, isStatic }: Position, visit: Visit): void {
  if (/^(Import|ExportAll)/.test(node.type)) return
  if (node.type.startsWith('TS') && !/^TS(As|NonNull|Satisfies)/.test(node.type)) return
  visit(node, parent, member, isStatic)
  const inside = isStatic && !node.type.includes('Function')
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, { parent: node, member: name, isStatic: inside }, visit)
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function changesOf(node: Node, parent: Node | null, member: string, source: string): Change[] {
  const textOf = ({ start, end }: Node) => source.slice(start, end)
  switch (node.type) {
    case 'IfStatement':
    case 'ConditionalExpression': {
      const test = node.test as Node
      // Each of its sides left out is sharper.
      if (test.type === 'LogicalExpression') return []
      return [{ node: test, text: `!(${textOf(test)})` }]
    }
    case 'LogicalExpression':
      return [node.left, node.right].map((side) => ({ node, text: textOf(side as Node) }))
    case 'BinaryExpression': {
      const flipped = FLIPPED[node.operator as string]
      // Negating the condition is the same change.
      if (flipped === undefined || (member === 'test' && flipped.endsWith('=='))) return []
      return [{ node, text: withOperator(source, node, flipped) }]
    }
    case 'AssignmentExpression': {
      const flipped = FLIPPED[String(node.operator).slice(0, -1)]
      if (flipped === undefined) return []
      return [{ node, text: withOperator(source, node, `${flipped}=`) }]
    }
    case 'UnaryExpression':
      return node.operator === '!' && member !== 'test' ? [{ node, text: textOf(node.argument as Node) }] : []
    case 'Literal':
      if (typeof node.value === 'boolean') return [shown(source, node, String(!node.value))]
      if (typeof node.value === 'number')
        return isIndex(parent, member) ? [] : [shown(source, node, String(node.value + 1))]
      if (typeof node.value === 'bigint') return [shown(source, node, `${node.value + 1n}n`)]
      return typeof node.value === 'string' && node.value !== '' && isValue(parent, member)
        ? [shown(source, node, "''")]
        : []
    case 'ExpressionStatement':
      return node.directive === undefined || node.directive === null ? [{ node, text: '' }] : []
    case 'ThrowStatement':
      return [{ node, text: '' }]
    case 'ReturnStatement': {
      // Without a whole object or statement nothing works; between these and undefined nobody tells a difference.
      const argument = node.argument as Node | null
      const isPlain =
        !argument ||
        /^(?:Object|TaggedTemplate)Expression$/.test(argument.type) ||
        /^(?:null|undefined|false)$/.test(textOf(argument))
      return isPlain ? [] : [{ node: argument, text: 'undefined', to: 'undefined' }]
    }
    case 'SpreadElement':
      return [
        { node: node.argument as Node, text: parent?.type === 'ObjectExpression' ? '{}' : '[]', from: textOf(node) },
      ]
    case 'TaggedTemplateExpression':
      return sqlChanges(source, node.quasi as { quasis: Node[] }).map((change) => ({
        ...shown(source, change, change.text),
        node,
        text: source.slice(node.start, change.start) + change.text + source.slice(change.end, node.end),
        at: change.start,
      }))
    default:
      return []
  }
}

/** A change of a word, told with the words around it, so that one is known from the next. */
function shown<Place extends { readonly start: number; readonly end: number }>(
  source: string,
  node: Place,
  text: string,
) {
  const { start, end } = node
  if (end - start > WORD_CHARS) return { node, text, from: source.slice(start, end), to: text }
  const [, before = ''] = /(\S{0,40}\s?\S{0,40}\s?)$/.exec(source.slice(0, start)) ?? []
  const [, after = ''] = /^(\s?\S{0,40}\s?\S{0,40})/.exec(source.slice(end)) ?? []
  return { node, text, from: before + source.slice(start, end) + after, to: before + text + after }
}

/** With another operator; what stands around the two sides stays. */
function withOperator(source: string, node: Node, operator: string): string {
  const [left, right] = [node.left as Node, node.right as Node]
  const between = source.slice(left.end, right.start).replace(String(node.operator), operator)
  return source.slice(node.start, left.end) + between + source.slice(right.start, node.end)
}

/** Which of several: the name of a member. */
function isIndex(parent: Node | null, member: string): boolean {
  return parent?.type === 'MemberExpression' && member === 'property'
}

/** A text that the program works with: not the name of a member, nor what an error says to an operator. */
function isValue(parent: Node | null, member: string): boolean {
  if (parent?.type === 'Property' && member === 'key') return false
  const callee = parent?.type === 'NewExpression' ? (parent.callee as Node) : null
  return callee?.name !== 'Error'
}

interface Span {
  readonly start: number
  readonly end: number
}

interface Change extends Span {
  readonly text: string
}

const OPERATORS: Readonly<Record<string, string>> = { '=': '<>', '<>': '=', '<': '>=', '<=': '>', '>': '<=', '>=': '<' }

/** A condition that stands whole in the text. */
const WHOLE = /[\w.]+ (?:IS (?:NOT )?NULL|(?:=|<>|<=?|>=?) (?:'[^']*'|database_now\(\)|\w+\.\w+))/g
/** A condition that ends in a value, which stands between this piece of the text and the next. */
const BEFORE_VALUE = /([\w.]+ )(=|<>|<=?|>=?) (?:ANY\()?$/
const AFTER_VALUE = /^\)?(?:::\w+(?:\[\])?)?/

/** Pieces that can be left out alone. */
const CLAUSES = / (?:FOR (?:NO KEY UPDATE|UPDATE|SHARE)(?: OF \w+)?(?: SKIP LOCKED)?|SKIP LOCKED|DESC)\b/g
const CONNECTIVES = /\s(AND|OR)\s/g

/**
 * Changes of a statement, by its text: each condition turned round or taken for true, AND for OR, locks and directions
 * left out. `quasis` are the pieces of the template between its values.
 */
export function sqlChanges(source: string, template: { readonly quasis: readonly Span[] }): Change[] {
  const quasis = template.quasis.map((quasi) => inside(source, quasi))
  return quasis.flatMap((quasi, index) => {
    const text = source.slice(quasi.start, quasi.end)
    const at = (from: number, length: number, to: string): Change => ({
      start: quasi.start + from,
      end: quasi.start + from + length,
      text: to,
    })
    const changes: Change[] = []
    for (const { 0: condition, index: from } of text.matchAll(WHOLE)) {
      // `SET a = b` is no condition; turning it round would only be a syntax error.
      if (isAssignment(text.slice(0, from))) continue
      changes.push(at(from, condition.length, 'true'), at(from, condition.length, `NOT (${condition})`))
    }
    for (const { 0: clause, index: from } of text.matchAll(CLAUSES)) changes.push(at(from, clause.length, ''))
    for (const { 0: word, 1: name, index: from } of text.matchAll(CONNECTIVES)) {
      if (/BETWEEN\s+\S+$/.test(text.slice(0, from))) continue
      changes.push(at(from, word.length, name === 'AND' ? ' OR ' : ' AND '))
    }
    const before = BEFORE_VALUE.exec(text)
    const next = quasis[index + 1]
    if (before && next && !isAssignment(text.slice(0, before.index))) {
      const [, column = '', operator = ''] = before
      changes.push(at(before.index + column.length, operator.length, OPERATORS[operator] ?? operator))
      const rest = source.slice(next.start, next.end)
      const end = next.start + (AFTER_VALUE.exec(rest)?.[0].length ?? 0)
      const start = quasi.start + before.index
      changes.push({ start, end, text: `(true OR ${source.slice(start, end)})` })
    }
    return changes
  })
}

/** The parser counts the marks around a piece as part of it. */
function inside(source: string, { start, end }: Span): Span {
  const text = source.slice(start, end)
  return { start: start + (/^[`}]/.test(text) ? 1 : 0), end: end - (/`$|\$\{$/.exec(text)?.[0].length ?? 0) }
}

/** Whether what follows is assigned: the last word before it that says what follows is SET. */
function isAssignment(before: string): boolean {
  const words = before.match(/\b(?:SET|WHERE|ON|AND|OR|WHEN|SELECT|FROM|CASE)\b/g)
  return words?.at(-1) === 'SET'
}

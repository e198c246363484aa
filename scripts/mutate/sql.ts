interface Span {
  readonly start: number
  readonly end: number
}

interface Change extends Span {
  readonly text: string
}

/** A limit that is reached exactly tells these from each other. */
const BOUNDARY: Readonly<Record<string, string>> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' }

const VALUE = String.raw`(?:(?:interval )?'[^']*'|[\w.]+(?:\([\w., ]*\))?)(?:::\w+(?:\[\])?)?`
const SUM = `${VALUE}(?:\\s[-+*]\\s${VALUE})*`
const COMPARED = String.raw`(?:=|<>|<=?|>=?)\s(?:(?:ANY|ALL) ?\([\w., ]+\)|${SUM})`
const CONDITION = new RegExp(
  `${SUM}\\s(?:IS (?:NOT )?(?:NULL|DISTINCT FROM ${VALUE})|(?:NOT )?IN \\([^()]*\\)|${COMPARED})`,
  'g',
)
/** To the microsecond nobody tells a time. */
const IS_TIME = /database_now|_at\b|_until\b/

/** Pieces that can be left out alone. */
const CLAUSES = /\s(?:FOR (?:NO KEY UPDATE|UPDATE|SHARE)(?: OF \w+)?(?: SKIP LOCKED)?|SKIP LOCKED|DESC|DISTINCT)\b/g
const SWAPS: readonly (readonly [RegExp, (word: string) => string])[] = [
  [/\s[-+]\s/g, (word) => (word.trim() === '+' ? ' - ' : ' + ')],
  [/\bbool_(?:and|or)\b/g, (word) => (word === 'bool_and' ? 'bool_or' : 'bool_and')],
  [/\b(?:greatest|least)\b/g, (word) => (word === 'least' ? 'greatest' : 'least')],
  [/(?<!\bIS )\bNOT (?!NULL|DISTINCT|MATERIALIZED|IN\b)/g, () => ''],
  [/(?<!\bNOT )\bEXISTS(?= ?\()/g, (word) => `NOT ${word}`],
  [/\bWHEN (?=_{2,})/g, (word) => `${word}NOT `],
]

/**
 * Changes of a statement, by its text: each condition taken for true, beside OR for false too, or moved by one; plus for
 * minus; locks, directions and assignments left out. `quasis` are the pieces of the template between its values.
 */
export function sqlChanges(source: string, template: { readonly quasis: readonly Span[] }): Change[] {
  const quasis = template.quasis.map((quasi) => inside(source, quasi))
  const [first, last] = [quasis[0], quasis.at(-1)]
  if (first === undefined || last === undefined) return []
  // Each value is a word of the same length, so that places in this text are places in the source.
  const text = quasis.reduce((sofar, { start, end }) => {
    const gap = start - first.start - sofar.length
    return sofar + '_'.repeat(gap) + source.slice(start, end)
  }, '')
  const changes: Change[] = []
  const add = (from: number, length: number, to: string) => {
    const [start, end] = [first.start + from, first.start + from + length]
    changes.push({ start, end, text: to })
  }
  for (const { 0: condition, index: from } of text.matchAll(CONDITION)) {
    // `SET a = b` is no condition; turning it round would only be a syntax error.
    if (isAssignment(text.slice(0, from))) continue
    add(from, condition.length, 'true')
    // Beside AND, what is never true is noticed wherever it matters that it is.
    if (/\bOR [(]*$/.test(text.slice(0, from)) || /^\)*\s+OR\b/.test(text.slice(from + condition.length)))
      add(from, condition.length, 'false')
    const operator = / (<=?|>=?) /.exec(condition)
    if (operator?.[1] !== undefined && !IS_TIME.test(condition))
      add(from + operator.index + 1, operator[1].length, BOUNDARY[operator[1]] ?? '')
  }
  for (const { 0: clause, index: from } of text.matchAll(CLAUSES)) add(from, clause.length, '')
  for (const [pattern, swap] of SWAPS) {
    for (const { 0: word, index: from } of text.matchAll(pattern)) {
      add(from, word.length, swap(word))
    }
  }
  for (const { from, length, column } of assignments(text)) add(from, length, column)
  return changes
}

/** The parser counts the marks around a piece as part of it. */
function inside(source: string, { start, end }: Span): Span {
  const text = source.slice(start, end)
  return { start: start + (/^[`}]/.test(text) ? 1 : 0), end: end - (/`$|\$\{$/.exec(text)?.[0].length ?? 0) }
}

/** Whether what follows is assigned: the last word before it that says what follows is SET. */
function isAssignment(before: string): boolean {
  let flat = before
  for (let length = 0; length !== flat.length; ) {
    length = flat.length
    flat = flat.replace(/\([^()]*\)|\bCASE\b(?:(?!\bCASE\b|\bEND\b)[\s\S])*\bEND\b/g, ' ')
  }
  const words = flat.match(/\b(?:SET|WHERE|ON|AND|OR|WHEN|SELECT|FROM|CASE|HAVING|THEN)\b/g)
  return words?.at(-1) === 'SET'
}

/** The values that an UPDATE assigns, each with the column as it was. */
function assignments(text: string): { from: number; length: number; column: string }[] {
  const found: { from: number; length: number; column: string }[] = []
  for (const { 0: head, 1: table, 2: alias, index } of text.matchAll(/\bUPDATE (\w+)(?: (\w+))? SET\s/g)) {
    let at = index + head.length
    for (;;) {
      const column = /^\s*(\w+) = /.exec(text.slice(at))
      if (!column) break
      const from = at + column[0].length
      const to = endOfValue(text, from)
      found.push({ from, length: to - from, column: `${alias ?? table}.${column[1]}` })
      if (text[to] !== ',') break
      at = to + 1
    }
  }
  return found
}

/** Where a value that begins there ends: at a comma, a word that goes on, or the end of what holds the statement. */
function endOfValue(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')' && depth-- === 0) return at
    else if (depth === 0 && (text[at] === ',' || /^\s+(?:FROM|WHERE|RETURNING)\b/.test(text.slice(at, at + 40))))
      return at
  }
  return text.length
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { instrument } from '../mutate/instrument.ts'
import { mutantsOf } from '../mutate/mutants.ts'
import { STANDING } from '../mutate/standing.ts'
import { filesOf, ZONES } from '../mutate/zones.ts'

beforeEach(() => {
  Object.assign(globalThis, { isMutant: () => false })
})

/** The function of a source with all its mutants asleep, and the ids of these by what they change. */
function built(value: string) {
  const source = `const made = ${value}`
  const mutants = mutantsOf(source)
  const ids = new Map(mutants.map(({ change }, index) => [change, index + 1]))
  const run = new Function(`${instrument(source, mutants, [...ids.values()])}; return made`)()
  return {
    ids,
    run,
    wake: (change: string) => Object.assign(globalThis, { isMutant: (id: number) => id === ids.get(change) }),
  }
}

describe('the changes of a source', () => {
  test('sleep until they are called by their number, one at a time', () => {
    const { ids, run, wake } = built(`(list, isOpen) => {
      if (isOpen && list.length > 1) list.push('last')
      else list.push('first')
      return [...list]
    }`)
    expect([run([1], true), run([1, 2], true)]).toEqual([
      [1, 'first'],
      [1, 2, 'last'],
    ])
    const seen: Record<string, unknown> = {}
    for (const change of ids.keys()) {
      wake(change)
      seen[change] = [run([1], true), run([1, 2], true)]
    }
    expect(seen).toEqual({
      'isOpen && list.length > 1  =>  isOpen': [
        [1, 'last'],
        [1, 2, 'last'],
      ],
      'isOpen && list.length > 1  =>  list.length > 1': [
        [1, 'first'],
        [1, 2, 'last'],
      ],
      'list.length > 1  =>  list.length >= 1': [
        [1, 'last'],
        [1, 2, 'last'],
      ],
      "list.push('last')  =>  (nothing)": [
        [1, 'first'],
        [1, 2],
      ],
      "1) list.push('last')  =>  1) list.push('')": [
        [1, 'first'],
        [1, 2, ''],
      ],
      "list.length > 1) list.push('last')  =>  list.length > 2) list.push('last')": [
        [1, 'first'],
        [1, 2, 'first'],
      ],
      "list.push('first')  =>  (nothing)": [[1], [1, 2, 'last']],
      "else list.push('first')  =>  else list.push('')": [
        [1, ''],
        [1, 2, 'last'],
      ],
      '[...list]  =>  undefined': [undefined, undefined],
      '...list  =>  []': [[], []],
    })
  })

  test('keep what stands around an operator', () => {
    const { run, wake } = built('(a, b) => (a ?? 2) + (b - 1)')
    wake('(a ?? 2) + (b - 1)  =>  (a ?? 2) - (b - 1)')
    expect(run(undefined, 5)).toBe(-2)
    wake('b - 1  =>  b + 1')
    expect(run(undefined, 5)).toBe(8)
  })

  test('are those of a statement and of the expression that is all of it', () => {
    const { run, wake } = built(`(count) => {
      count += 1
      return count
    }`)
    expect(run(5)).toBe(6)
    wake('count += 1  =>  (nothing)')
    expect(run(5)).toBe(5)
    wake('count += 1  =>  count -= 1')
    expect(run(5)).toBe(4)
  })

  const sql = (texts: TemplateStringsArray, ...values: unknown[]) => String.raw({ raw: texts }, ...values)
  const statementsOf = (value: string) => {
    const { ids, run, wake } = built(value)
    return [...ids.keys()].map((change) => {
      wake(change)
      return run(sql, 7)
    })
  }

  test('are made of the conditions of a statement too, whether their values stand in the text or beside it', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source that is changed
    const source = '(sql, id) => sql`SELECT FROM t WHERE t.id = ${id}::uuid AND c.ended_at IS NULL FOR SHARE`'
    expect(
      statementsOf(source)
        .map((statement) => statement.replace('SELECT FROM t WHERE ', ''))
        .sort(),
    ).toEqual([
      't.id = 7::uuid AND c.ended_at IS NULL',
      't.id = 7::uuid AND true FOR SHARE',
      'true AND c.ended_at IS NULL FOR SHARE',
    ])
  })

  test('are made of its sums and limits, and of each column that it sets, which stays as it was', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source that is changed
    const source = '(sql, n) => sql`UPDATE t c SET a = c.a + ${n}, b = greatest(c.b, 1) WHERE NOT c.a - 2 <= c.b OR x`'
    expect(statementsOf(source).sort()).toEqual([
      'UPDATE t c SET a = c.a + 7, b = c.b WHERE NOT c.a - 2 <= c.b OR x',
      'UPDATE t c SET a = c.a + 7, b = greatest(c.b, 1) WHERE NOT c.a + 2 <= c.b OR x',
      'UPDATE t c SET a = c.a + 7, b = greatest(c.b, 1) WHERE NOT c.a - 2 < c.b OR x',
      'UPDATE t c SET a = c.a + 7, b = greatest(c.b, 1) WHERE NOT false OR x',
      'UPDATE t c SET a = c.a + 7, b = greatest(c.b, 1) WHERE NOT true OR x',
      'UPDATE t c SET a = c.a + 7, b = greatest(c.b, 1) WHERE c.a - 2 <= c.b OR x',
      'UPDATE t c SET a = c.a + 7, b = least(c.b, 1) WHERE NOT c.a - 2 <= c.b OR x',
      'UPDATE t c SET a = c.a - 7, b = greatest(c.b, 1) WHERE NOT c.a - 2 <= c.b OR x',
      'UPDATE t c SET a = c.a, b = greatest(c.b, 1) WHERE NOT c.a - 2 <= c.b OR x',
    ])
  })

  test('leave types, imports and the names of members alone', () => {
    const source = `import { a } from 'a'
      type Kind = 'one' | 'two'
      declare module 'x' { interface Y { z: 'q' } }
      export const f = (x: Kind): { 'name': unknown } => ({ 'name': a(x as 'one') })`
    expect(mutantsOf(source)).toEqual([])
  })
})

describe('the run', () => {
  const root = join(import.meta.dirname, '../..')

  test.each(Object.entries(ZONES))('finds the files and tests of the zone %s', (_name, zone) => {
    expect(filesOf(root, zone).length).toBeGreaterThan(0)
  })

  test.each([
    ['a file', { files: ['scripts/mutate/gone.ts'], tests: [] }],
    ['a folder', { files: ['scripts/gone'], tests: [] }],
    ['a test', { files: ['scripts/mutate/run.ts'], tests: ['scripts/test/gone.test.ts'] }],
  ])('does not begin where %s of a zone is gone', (_what, zone) => {
    expect(() => filesOf(root, zone)).toThrow(/not there: scripts\/\S*gone/)
  })

  test('explains only what it still makes', () => {
    const made = new Map<string, Set<string>>()
    for (const file of Object.values(ZONES).flatMap((zone) => filesOf(root, zone)))
      made.set(file, new Set(mutantsOf(readFileSync(join(root, file), 'utf8')).map(({ change }) => change)))
    const stale = STANDING.filter(
      (row) => ![...made].some(([file, changes]) => file.endsWith(`/${row.file}`) && changes.has(row.change)),
    )
    expect(stale).toEqual([])
  })
})

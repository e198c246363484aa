import { afterEach, describe, expect, test } from 'vitest'
import { instrument } from '../mutate/instrument.ts'
import { mutantsOf } from '../mutate/mutants.ts'

afterEach(() => {
  Object.assign(globalThis, { mutant: undefined })
})

/** The function of a source with all its mutants asleep, and the ids of these by what they change. */
function built(value: string) {
  const source = `const made = ${value}`
  const mutants = mutantsOf(source)
  const ids = new Map(mutants.map(({ change }, index) => [change, index + 1]))
  const run = new Function(`${instrument(source, mutants, [...ids.values()])}; return made`)()
  return { ids, run, wake: (change: string) => Object.assign(globalThis, { mutant: ids.get(change) }) }
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
      'isOpen && list.length > 1  =>  !(isOpen && list.length > 1)': [
        [1, 'last'],
        [1, 2, 'first'],
      ],
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
      "'last'  =>  ''": [
        [1, 'first'],
        [1, 2, ''],
      ],
      "list.push('first')  =>  (nothing)": [[1], [1, 2, 'last']],
      "'first'  =>  ''": [
        [1, ''],
        [1, 2, 'last'],
      ],
      '[...list]  =>  undefined': [undefined, undefined],
      '...list  =>  []': [[], []],
    })
  })

  test('are made of the conditions of a statement too, whether their values stand in the text or beside it', () => {
    const { ids, run, wake } = built(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the source that is changed
      '(sql, id) => sql`UPDATE t SET at = now() FROM c WHERE t.id = ${id}::uuid AND c.ended_at IS NULL FOR SHARE`',
    )
    const sql = (texts: TemplateStringsArray, ...values: unknown[]) => String.raw({ raw: texts }, ...values)
    const statements = [...ids.keys()].map((change) => {
      wake(change)
      return run(sql, 7).replace('UPDATE t SET at = now() FROM c WHERE ', '')
    })
    expect(statements.sort()).toEqual([
      '(true OR t.id = 7::uuid) AND c.ended_at IS NULL FOR SHARE',
      't.id <> 7::uuid AND c.ended_at IS NULL FOR SHARE',
      't.id = 7::uuid AND NOT (c.ended_at IS NULL) FOR SHARE',
      't.id = 7::uuid AND c.ended_at IS NULL',
      't.id = 7::uuid AND true FOR SHARE',
      't.id = 7::uuid OR c.ended_at IS NULL FOR SHARE',
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

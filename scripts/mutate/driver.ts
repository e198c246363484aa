// Runs one test file once for each mutant, in one process that has loaded everything else once. It is a test file itself,
// which only judge.ts starts.
import { afterEach, beforeAll, beforeEach, describe, inject, vi } from 'vitest'
import { OUTSIDE, RECORDS, type Turn } from './turns.ts'

declare module 'vitest' {
  interface ProvidedContext {
    mutation: { readonly turns: readonly Turn[]; readonly test: string; readonly limitMs: number }
  }
  interface TaskMeta {
    /** Which of the tests it is, by their order in the file. */
    number?: number
    /** In a turn of {@link RECORDS}: which mutants were reached so far, each with the numbers of the tests that did. */
    reached?: (readonly [id: number, tests: readonly number[]])[]
  }
}

const { turns, test, limitMs } = inject('mutation')
vi.setConfig({ testTimeout: limitMs })
const reached = new Map<number, Set<number>>()
let awake: number | undefined
let testsBegun = 0
let running = OUTSIDE
/** A loop that a mutant keeps from ending asks for its mutants in each round, and no timeout would stop it. */
const ASKED_MAX = 2_000_000
let asked = 0
Object.assign(globalThis, {
  isMutant(id: number) {
    if (awake === RECORDS) {
      const tests = reached.get(id) ?? new Set()
      reached.set(id, tests.add(running))
    }
    if (++asked > ASKED_MAX) throw new Error('a loop does not end')
    return id === awake
  },
})

for (const { id, tests } of turns) {
  describe(String(id), async () => {
    let isNoticed = false
    beforeAll(() => {
      awake = id
      testsBegun = 0
    })
    beforeEach(({ skip }) => {
      running = testsBegun++
      asked = 0
      if (isNoticed || tests?.includes(running) === false) skip()
    })
    afterEach(({ task }) => {
      task.meta.number = running
      running = OUTSIDE
      isNoticed ||= task.result?.state === 'fail'
      if (id === RECORDS) task.meta.reached = [...reached].map(([one, by]) => [one, [...by]] as const)
    })
    // The module is loaded anew for each, and puts its tests here.
    await import(/* @vite-ignore */ `${test}?turn=${id}`)
  })
}

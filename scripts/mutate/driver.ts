// Runs one test file once for each mutant, in one process that has loaded everything else once. It is a test file itself,
// which only run.ts starts.
import { afterEach, beforeAll, beforeEach, describe, inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    mutation: { readonly ids: readonly number[]; readonly test: string }
  }
}

const { ids, test } = inject('mutation')
for (const id of ids) {
  describe(String(id), async () => {
    let isNoticed = false
    beforeAll(() => {
      Object.assign(globalThis, { mutant: id })
    })
    beforeEach(({ skip }) => {
      if (isNoticed) skip()
    })
    afterEach(({ task }) => {
      isNoticed ||= task.result?.state === 'fail'
    })
    // The module is loaded anew for each, and puts its tests here.
    await import(/* @vite-ignore */ `${test}?mutant=${id}`)
  })
}

import { vi } from 'vitest'
import type { Stack } from './stack.ts'

/** Moves `Date` and the clocks of the databases so many seconds on from where `Date` is. */
export async function later(seconds: number, ...stacks: readonly Pick<Stack, 'followDate'>[]): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })
  for (const stack of stacks) await stack.followDate()
}

/** Puts all clocks right again. */
export async function realTime(...stacks: readonly (Pick<Stack, 'followDate'> | undefined)[]): Promise<void> {
  vi.useRealTimers()
  for (const stack of stacks) await stack?.followDate()
}

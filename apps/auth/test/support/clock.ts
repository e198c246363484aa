import { vi } from 'vitest'
import type { Stack } from './stack.ts'

/** Moves `Date` and the clocks of the databases so many seconds on from where `Date` is. */
export async function later(seconds: number, ...stacks: readonly Pick<Stack, 'followDate'>[]): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })
  for (const stack of stacks) await stack.followDate()
}

/** Moves them on to where a window of so many seconds has just begun, so that what a test fills runs over no edge of one. */
export function untilWindow(seconds: number, ...stacks: readonly Pick<Stack, 'followDate'>[]): Promise<void> {
  return later(seconds - ((Date.now() / 1000) % seconds), ...stacks)
}

/** Puts all clocks right again. */
export async function realTime(...stacks: readonly (Pick<Stack, 'followDate'> | undefined)[]): Promise<void> {
  vi.useRealTimers()
  for (const stack of stacks) await stack?.followDate()
}

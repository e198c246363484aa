import { expect, it } from 'vitest'
import { within } from '../src/within.ts'

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

it('a wait leaves no timer behind, however it ends', async () => {
  const before = timers()
  await within(Promise.resolve(), 3_600_000)
  await expect(within(Promise.reject(new Error('broken')), 3_600_000)).rejects.toThrow('broken')
  await within(new Promise(() => {}), 0)
  expect(timers()).toBe(before)
})

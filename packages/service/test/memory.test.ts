import { describe, expect, it } from 'vitest'
import { Buckets } from '../src/buckets.ts'
import { createMemory } from '../src/memory.ts'

describe('a memory', () => {
  it('holds as many values as it may, and of more forgets the longest unused', () => {
    const memory = createMemory<number>(3)
    for (const [at, key] of ['a', 'b', 'c'].entries()) memory.set(key, at)
    expect([...memory.keys()].sort()).toEqual(['a', 'b', 'c'])
    memory.get('a')
    memory.set('d', 3)
    expect([...memory.keys()].sort()).toEqual(['a', 'c', 'd'])
    for (let at = 0; at < 1_000; at += 1) memory.set(`other ${at}`, at)
    expect([...memory.keys()].sort()).toEqual(['other 997', 'other 998', 'other 999'])
  })

  it('takes the place of what was removed again, and replaces a value without taking another', () => {
    const memory = createMemory<number>(2)
    memory.set('a', 1)
    memory.set('b', 1)
    memory.set('b', 2)
    memory.delete('a')
    memory.set('c', 3)
    expect([...memory.entries()].sort()).toEqual([
      ['b', 2],
      ['c', 3],
    ])
  })

  it('forgets a value when its time is over, and not before', () => {
    const memory = createMemory<number>(2, 60_000)
    memory.set('young', 1, { start: performance.now() - 30_000 })
    memory.set('old', 1, { start: performance.now() - 61_000 })
    expect([memory.get('young'), memory.get('old')]).toEqual([1, undefined])
  })
})

describe('buckets', () => {
  it('of more keys than they remember fill the longest unused again, and of no more none', () => {
    const buckets = new Buckets({ perSecond: 1e-6, burst: 1 }, 2)
    expect([buckets.take('a'), buckets.take('b')]).toEqual([0, 0])
    expect([buckets.take('a') > 0, buckets.take('b') > 0]).toEqual([true, true])
    buckets.take('c')
    expect([buckets.peek('a'), buckets.peek('b') > 0]).toEqual([0, true])
  })
})

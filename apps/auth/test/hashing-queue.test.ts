// Whose password is looked at next while many wait, and who finds no place.
import { expect, it } from 'vitest'
import { createHashingQueue, type Whose } from '../src/accounts/hashing-queue.ts'

/** Turns of one at a time, with the names of those who had theirs; each ends when `next` is called. Capitals are no strangers. */
function watched(waitingMax: number) {
  const queue = createHashingQueue({ atOnce: 1, waitingMax })
  const had: string[] = []
  const ends: (() => void)[] = []
  const ask = (name: string) =>
    queue
      .run({ name: name.slice(0, 1), isStranger: name >= 'a' }, () => {
        had.push(name)
        return new Promise<void>((resolve) => ends.push(resolve))
      })
      .then(
        () => 'done',
        (error: { statusCode?: number }) => error.statusCode,
      )
  return { had, ask, next: () => ends.shift()?.() }
}

async function finish({ next, asked }: { next: () => void; asked: readonly Promise<unknown>[] }): Promise<unknown[]> {
  let isOver = false
  const all = Promise.all(asked).finally(() => {
    isOver = true
  })
  while (!isOver) {
    next()
    await new Promise(setImmediate)
  }
  return all
}

it('a turn goes round among those who wait, however much one of them asks for', async () => {
  const { had, ask, next } = watched(10)
  const asked = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2'].map(ask)
  expect(await finish({ next, asked })).toEqual(asked.map(() => 'done'))
  expect(had).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4'])
})

it('whoever has the most waiting loses places, from the end, when all are taken', async () => {
  const { had, ask, next } = watched(3)
  const asked = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1'].map(ask)
  expect(await finish({ next, asked })).toEqual(['done', 'done', 503, 503, 'done', 'done'])
  expect(had).toEqual(['a1', 'a2', 'b1', 'c1'])
})

it('one more of those who have as much waiting as anybody is refused a place', async () => {
  const { ask, next } = watched(2)
  const asked = ['a1', 'b1', 'c1', 'b2', 'd1'].map(ask)
  expect(await finish({ next, asked })).toEqual(['done', 'done', 'done', 503, 503])
})

it('a stranger loses a place to whoever is none, where nobody has more, and nobody else does', async () => {
  const { had, ask, next } = watched(2)
  const asked = ['a1', 'b1', 'c1', 'D1', 'd1', 'E1', 'F1', 'D2'].map(ask)
  expect(await finish({ next, asked })).toEqual(['done', 503, 503, 'done', 503, 'done', 503, 503])
  expect(had).toEqual(['a1', 'D1', 'E1'])
})

it('the end of a long line loses places before a stranger loses any', async () => {
  const { had, ask, next } = watched(3)
  const asked = ['A1', 'A2', 'A3', 'b1', 'C1'].map(ask)
  expect(await finish({ next, asked })).toEqual(['done', 'done', 503, 'done', 'done'])
  expect(had).toEqual(['A1', 'A2', 'C1', 'b1'])
})

it('strangers come after all others, who take turns among themselves', async () => {
  const { had, ask, next } = watched(10)
  const asked = ['a1', 'b1', 'C1', 'C2', 'a2', 'D1'].map(ask)
  expect(await finish({ next, asked })).toEqual(asked.map(() => 'done'))
  expect(had).toEqual(['a1', 'C1', 'D1', 'C2', 'b1', 'a2'])
})

it('a stranger comes after three of others, however many of those wait', async () => {
  const { had, ask, next } = watched(20)
  const asked = ['A0', 'b1', 'b2', 'A1', 'A2', 'C1', 'A3', 'C2', 'A4', 'A5', 'A6'].map(ask)
  expect(await finish({ next, asked })).toEqual(asked.map(() => 'done'))
  expect(had).toEqual(['A0', 'A1', 'C1', 'A2', 'b1', 'C2', 'A3', 'A4', 'b2', 'A5', 'A6'])
})

it('work that fails gives its turn to the next', async () => {
  const [A, B, C] = ['a', 'b', 'c'].map((name) => ({ name, isStranger: true })) as [Whose, Whose, Whose]
  const queue = createHashingQueue({ atOnce: 1, waitingMax: 1 })
  const failed = queue.run(A, () => Promise.reject(new Error('no')))
  const after = queue.run(B, async () => 'done')
  await expect(failed).rejects.toThrow('no')
  expect(await after).toBe('done')
  expect(await queue.run(C, async () => 'done')).toBe('done')
})

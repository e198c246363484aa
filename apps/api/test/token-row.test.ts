import { setImmediate as turn } from 'node:timers/promises'
import type { Database } from '@vertexsms/db/client'
import { beforeEach, describe, expect, test } from 'vitest'
import { createFindToken, type FindToken } from '../src/guard/token-row.ts'

// How the looks of many requests share statements. What a row says is shown by the tests of the guard, on a database.

/** A statement that waits for its end. */
interface Statement {
  readonly hashes: readonly string[]
  answer(): void
  fail(): void
}

let statements: Statement[]
let find: FindToken
beforeEach(() => {
  statements = []
  const $queryRaw = (_text: unknown, ...values: unknown[]) =>
    new Promise((resolve, reject) => {
      const hashes = values.find((value) => Array.isArray(value)) as string[]
      const rows = hashes.map((hash) => ({ hash, id: hash, permissions: null, ipAllowList: null, readAt: new Date() }))
      statements.push({ hashes, answer: () => resolve(rows), fail: () => reject(new Error('away')) })
    })
  find = createFindToken({ $queryRaw } as unknown as Database)
})

const hashOf = (number: number) => Buffer.from(String(number).padStart(8, '0'))
const look = (number: number) => find(hashOf(number)).then((row) => row?.id)
const idOf = (number: number) => hashOf(number).toString('hex')
const sizes = () => statements.map(({ hashes }) => hashes.length)
/** As long as something is still put on its way. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn()
}

describe('looks at tokens', () => {
  test('that come together are one statement, and none follows it', async () => {
    const looks = Promise.all([look(1), look(2), look(3)])
    await settled()
    expect(statements.map(({ hashes }) => hashes)).toEqual([[idOf(1), idOf(2), idOf(3)]])
    statements[0]?.answer()
    expect(await looks).toEqual([idOf(1), idOf(2), idOf(3)])
    await settled()
    expect(sizes()).toEqual([3])
  })

  test('at one token are one, and each is answered', async () => {
    const looks = Promise.all([look(1), look(1), look(1)])
    await settled()
    expect(statements.map(({ hashes }) => hashes)).toEqual([[idOf(1)]])
    statements[0]?.answer()
    expect(await looks).toEqual([idOf(1), idOf(1), idOf(1)])
  })

  test('that come after a statement was sent wait for another: what was deleted meanwhile is found out', async () => {
    const first = look(1)
    await settled()
    const second = look(1)
    await settled()
    expect(sizes()).toEqual([1, 1])
    statements[0]?.answer()
    expect(await first).toBe(idOf(1))
    const isAnswered = await Promise.race([second.then(() => true), settled().then(() => false)])
    expect(isAnswered).toBe(false)
    statements[1]?.answer()
    expect(await second).toBe(idOf(1))
  })

  test('are two statements at once at most, of 256 tokens; the rest share the next', async () => {
    const looks = Array.from({ length: 600 }, (_, number) => look(number))
    await settled()
    looks.push(look(600))
    await settled()
    looks.push(look(601))
    await settled()
    expect(sizes()).toEqual([256, 256])
    statements[0]?.answer()
    await settled()
    expect(sizes()).toEqual([256, 256, 90])
    for (const statement of statements) statement.answer()
    expect(await Promise.all(looks)).toEqual(looks.map((_, number) => idOf(number)))
    await settled()
    expect(sizes()).toHaveLength(3)
  })

  test('fail with their statement, those that wait behind it too, and the next are asked again', async () => {
    const first = Promise.allSettled([look(1), look(1)])
    await settled()
    const second = Promise.allSettled([look(2)])
    await settled()
    const third = Promise.allSettled([look(3)])
    await settled()
    expect(sizes()).toEqual([1, 1])
    statements[0]?.fail()
    expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect((await third).map(({ status }) => status)).toEqual(['rejected'])
    statements[1]?.answer()
    expect((await second).map(({ status }) => status)).toEqual(['fulfilled'])
    await settled()
    expect(sizes()).toEqual([1, 1])
    const fourth = look(3)
    await settled()
    statements[2]?.answer()
    expect(await fourth).toBe(idOf(3))
  })
})

import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabase, type Database } from '../src/client.ts'
import { type TestDatabase, testDatabase } from '../src/testing.ts'
import { isUnreachable } from '../src/unreachable.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase()
})
afterAll(() => test?.close())

/** A database behind a door that can be shut: open connections break, new ones are refused or closed at once. */
async function behindDoor(): Promise<{ db: Database; shut(how: 'refusing' | 'closing'): Promise<void>; cut(): void }> {
  const target = new URL(test.url)
  const sockets = new Set<Socket>()
  let closing = false
  const server = createServer((near) => {
    if (closing) return void near.destroy()
    const far = connect(Number(target.port), target.hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(test.url)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as { port: number }).port)
  const cut = () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  return {
    db: createDatabase({ url: url.href, poolSize: 2 }),
    cut,
    async shut(how) {
      closing = true
      cut()
      if (how === 'refusing') await new Promise((resolve) => server.close(resolve))
    },
  }
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => error,
  )

describe('a database that has gone', () => {
  it.each(['refusing', 'closing'] as const)('is known by every kind of statement while it is %s', async (how) => {
    const door = await behindDoor()
    await door.db.$queryRaw`SELECT 1`
    await door.shut(how)
    for (const work of [
      () => door.db.$queryRaw`SELECT 1`,
      () => door.db.account.findFirst(),
      () => door.db.account.deleteMany({ where: { email: 'x' } }),
      () => door.db.$transaction([door.db.$queryRaw`SELECT 1`, door.db.account.count()]),
      () => door.db.$transaction((tx) => tx.account.count()),
    ]) {
      expect(isUnreachable(await failure(work()))).toBe(true)
    }
    await door.db.$disconnect()
  })

  it('is known in the middle of a transaction', async () => {
    const door = await behindDoor()
    const error = await failure(
      door.db.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT 1`
        door.cut()
        // The second meets a connection that is known to be broken.
        await failure(tx.$queryRaw`SELECT 1`)
        await tx.$queryRaw`SELECT 1`
      }),
    )
    expect(isUnreachable(error)).toBe(true)
    expect((await door.db.$queryRaw<unknown[]>`SELECT 1`).length).toBe(1)
    await door.db.$disconnect()
  })
})

describe('an error that is about the statement', () => {
  it('is not taken for an outage, whatever it says', async () => {
    const id = '00000000-0000-4000-8000-000000000000'
    for (const work of [
      () => test.db.$queryRaw`SELECT nonsense`,
      () => test.db.$queryRawUnsafe('SELECT 1/0'),
      () => test.db.$queryRawUnsafe("DO $$ BEGIN RAISE 'Connection terminated unexpectedly'; END $$"),
      () => test.db.account.findUniqueOrThrow({ where: { id } }),
    ]) {
      expect(isUnreachable(await failure(work()))).toBe(false)
    }
    for (const other of [
      null,
      'ECONNREFUSED',
      new Error('timeout exceeded when trying to connect'),
      { code: 'P2002' },
    ]) {
      expect(isUnreachable(other)).toBe(false)
    }
    // Another host's refusal inside an error of ours is not the database's.
    expect(isUnreachable(new Error('fetch', { cause: { code: 'ECONNREFUSED' } }))).toBe(false)
  })
})

describe('isUnreachable', () => {
  it.each([
    ...['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028'],
    ...['57P01', '57P02', '57P03', '53300', '08006', '08001', '55P03', '57014'],
    ...['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT'],
  ])('knows the code %s', (code) => {
    expect(isUnreachable(Object.assign(new Error('x'), { code }))).toBe(true)
  })

  it('finds what the driver adapter said inside of what Prisma throws', () => {
    const cause = { kind: 'postgres', originalCode: '57P01', code: '57P01' }
    expect(isUnreachable({ code: 'P2010', meta: { driverAdapterError: { cause } } })).toBe(true)
    expect(isUnreachable({ code: 'P2010', meta: { driverAdapterError: { cause: { kind: 'ColumnNotFound' } } } })).toBe(
      false,
    )
  })

  it('ends with an error that is its own cause', () => {
    const error: { cause?: unknown } = {}
    error.cause = error
    expect(isUnreachable(error)).toBe(false)
  })
})

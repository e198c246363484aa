import { randomBytes } from 'node:crypto'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadSigningKeys, RotationUnderWay, rotateSigningKey, signingKeyAt } from '../src/authorization/keys.ts'
import { cleanUp } from './support/clean-up.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase()
})
afterAll(() => test?.close())
afterEach(() => void vi.useRealTimers())

const operatorKey = new Uint8Array(randomBytes(32))
const deps = () => ({ db: test.db, operatorKey })

describe('signing keys', () => {
  beforeEach(async () => {
    await test.db.signingKey.deleteMany()
  })

  it('begin with one, however many nodes start at once', async () => {
    const now = new Date()
    const loaded = await Promise.all(Array.from({ length: 8 }, () => loadSigningKeys(deps(), now)))
    expect(new Set(loaded.map((keys) => keys.map(({ kid }) => kid).join())).size).toBe(1)
    expect(await test.db.signingKey.count()).toBe(1)
  })

  it('are not readable in the database, and do not open under another operator key', async () => {
    await loadSigningKeys(deps(), new Date())
    const row = await test.db.signingKey.findFirstOrThrow()
    expect(JSON.stringify(row.publicJwk)).not.toContain('"d"')
    expect(Buffer.from(row.sealedJwk).toString('latin1')).not.toContain('"d"')
    const other = { db: test.db, operatorKey: new Uint8Array(randomBytes(32)) }
    await expect(loadSigningKeys(other, new Date())).rejects.toThrow('cannot open sealed value')
  })

  it('are published ten minutes before they sign, and kept until their last token has expired', async () => {
    const now = new Date()
    const [old] = await loadSigningKeys(deps(), now)
    const rotated = await rotateSigningKey(deps(), { now, accessTokenSeconds: 600 })
    const at = (seconds: number) => new Date(now.getTime() + seconds * 1000)
    const published = async (seconds: number) => (await loadSigningKeys(deps(), at(seconds))).map(({ kid }) => kid)
    const signing = async (seconds: number) => signingKeyAt(await loadSigningKeys(deps(), at(seconds)), at(seconds)).kid
    expect(await published(0)).toEqual([old?.kid, rotated.kid])
    expect(await signing(600)).toBe(old?.kid)
    expect(await signing(631)).toBe(rotated.kid)
    expect(await published(631 + 600 + 590)).toEqual([old?.kid, rotated.kid])
    expect(await published(631 + 600 + 610)).toEqual([rotated.kid])
    await cleanUp(test.db, at(3600))
    expect(await test.db.signingKey.findMany({ select: { kid: true } })).toEqual([{ kid: rotated.kid }])
  })

  it('are not rotated twice at once', async () => {
    const now = new Date()
    await loadSigningKeys(deps(), now)
    const attempts = await Promise.allSettled(
      Array.from({ length: 4 }, () => rotateSigningKey(deps(), { now, accessTokenSeconds: 600 })),
    )
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const attempt of attempts)
      if (attempt.status === 'rejected') expect(attempt.reason).toBeInstanceOf(RotationUnderWay)
  })
})

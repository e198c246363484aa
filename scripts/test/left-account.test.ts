import { randomUUID } from 'node:crypto'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { leftAccountNotes } from '../demo/real-account.ts'
import { readSettings } from '../demo/settings.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database?.close())

const notes = (source: Record<string, string> = {}) => leftAccountNotes(readSettings(source), database.url)

describe('a demo that is started again without the real account it had', () => {
  it('says nothing where there was none, then that it simulates, and does not start where that would cancel what waits', async () => {
    expect(await notes()).toEqual([])
    const [accountId, sendId] = [randomUUID(), randomUUID()]
    const now = new Date()
    await database.db.account.create({
      data: { id: accountId, email: 'demo@example.com', passwordHash: '', status: 'active', createdAt: now },
    })
    await database.db.upstreamAccount.create({
      data: { id: randomUUID(), accountId, generation: 1, sealedToken: Buffer.from('sealed'), changedAt: now },
    })
    const said = (await notes()).join('\n')
    for (const part of ['NOTHING REAL IS SENT', 'UPSTREAM=vertexsms', 'upstream-remove', '--fresh']) {
      expect(said).toContain(part)
    }
    expect(await notes({ UPSTREAM: 'vertexsms' })).toEqual([])

    const of = { accountId, spenderId: accountId, upstream: 'vertexsms', createdAt: now }
    const send = { ...of, id: sendId, generation: 1, kind: 'sms', route: 'POST /sms', sender: 'Demo' } as const
    await database.db.send.create({ data: { ...send, coding: 0, priority: 1, scheduledAt: now } })
    const message = { ...of, id: 1n, sendId, position: 0, recipient: '37060000001', country: 'LT', parts: 1 }
    await database.db.sendMessage.create({
      data: { ...message, state: 'scheduled', holdMicros: 1n, chargedMicros: 0n },
    })
    await expect(notes()).rejects.toThrow(/^1 message waits .*UPSTREAM=vertexsms.*UPSTREAM=sandbox cancels/)
    // Who says so has them cancelled, and who goes on with the account loses nothing.
    expect((await notes({ UPSTREAM: 'sandbox' })).join('\n')).toContain('NOTHING REAL IS SENT')
    expect(await notes({ VERTEXSMS_TOKEN: 'token-of-a-real-account' })).toEqual([])
    await database.db.sendMessage.updateMany({ data: { state: 'accepted' } })
    expect((await notes()).join('\n')).toContain('NOTHING REAL IS SENT')
  })
})

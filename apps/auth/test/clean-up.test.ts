import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOperatorClient } from '../src/authorization/clients/registered-clients.ts'
import { createCleanUpJobs } from '../src/jobs/clean-up.ts'
import { cleanUp } from './support/clean-up.ts'
import { approve, connect, refresh, register, start } from './support/client.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack?.close())

const DAY_MS = 86_400_000
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS)

describe('clean-up', () => {
  it('removes nothing that is still good', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id))
    await approve(await stack.person(id), await start(await register(stack)))
    const before = await stack.db.oidcArtifact.count()
    expect(await cleanUp(stack.db, new Date())).toMatchObject({
      'clean-up of artifacts': 0,
      'clean-up of tokens': 0,
      'clean-up of clients': 0,
      'clean-up of connections': 0,
      'clean-up of signing keys': 0,
    })
    expect(await stack.db.oidcArtifact.count()).toBe(before)
    expect((await refresh(client, tokens.refresh)).scope).toBe(tokens.scope)
  })

  it('removes expired codes, requests and access tokens, and leaves a manual token to its owner', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    await connect(client, await stack.person(id))
    const expired = {
      accountId: id,
      name: 'mine',
      permissions: [],
      ipAllowList: [],
      createdAt: new Date(),
      expiresAt: new Date(),
    }
    await stack.db.apiToken.create({
      data: { ...expired, id: crypto.randomUUID(), kind: 'manual', tokenHash: new Uint8Array(32).fill(7) },
    })
    await cleanUp(stack.db, inDays(1))
    const kinds = await stack.db.apiToken.findMany({
      where: { accountId: id },
      select: { kind: true },
      orderBy: { kind: 'asc' },
    })
    expect(kinds.map(({ kind }) => kind)).toEqual(['manual', 'oauth_refresh'])
    expect(await stack.db.oidcArtifact.count({ where: { kind: { in: ['AuthorizationCode', 'Interaction'] } } })).toBe(0)
  })

  it('forgets the answers of used refresh tokens and keeps their hashes', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id))
    await refresh(client, tokens.refresh)
    const used = () => stack.db.usedRefreshToken.findMany({ where: { connection: { accountId: id } } })
    expect((await used()).map(({ sealedResponse }) => sealedResponse !== null)).toEqual([true])
    await cleanUp(stack.db, inDays(1))
    expect((await used()).map(({ sealedResponse }) => sealedResponse)).toEqual([null])
  })

  it('forgets a client that never connected after a week, one that did after a year, and an operator one never', async () => {
    const never = await register(stack)
    const once = await register(stack)
    const { id } = await stack.account()
    await connect(once, await stack.person(id))
    const operator = await createOperatorClient(
      { db: stack.db, operatorKey: stack.env.OPERATOR_KEY },
      'edge',
      new Date(),
    )
    const known = async (clientId: string) => (await stack.db.oidcClient.count({ where: { id: clientId } })) === 1
    const all = async () => [
      await known(never.client.client_id),
      await known(once.client.client_id),
      await known(operator.clientId),
    ]
    await cleanUp(stack.db, inDays(6))
    expect(await all()).toEqual([true, true, true])
    await cleanUp(stack.db, inDays(8))
    expect(await all()).toEqual([false, true, true])
    await cleanUp(stack.db, inDays(364))
    expect(await all()).toEqual([false, true, true])
    await cleanUp(stack.db, inDays(367))
    expect(await all()).toEqual([false, false, true])
  })

  it('removes the used refresh tokens of a connection before it, so many at a time, and of no other connection', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    await connect(client, await stack.person(id))
    await stack.db.connection.updateMany({ where: { accountId: id }, data: { endedAt: inDays(-91) } })
    const { id: other } = await stack.account()
    const kept = await connect(client, await stack.person(other))
    await refresh(client, kept.refresh)
    await stack.db.$executeRaw`
      INSERT INTO used_refresh_token (token_hash, connection_id, client_id, used_at, overlap_ends_at)
      SELECT sha256(convert_to(i::text, 'UTF8')), c.id, c.client_id, c.ended_at, c.ended_at
      FROM connection c, generate_series(1, 25000) i WHERE c.account_id = ${id}::uuid`
    await stack.db.apiToken.deleteMany({ where: { accountId: id } })
    const counts: number[] = []
    const jobs = createCleanUpJobs(stack.db)
    const run = (name: string) =>
      jobs
        .find((job) => job.name === name)
        ?.run(
          async () => new Date(),
          () => false,
        )
    expect(await run('clean-up of connections')).toBe(0)
    for (let left = 1; left > 0; counts.push(left)) left = (await run('clean-up of used refresh tokens')) ?? 0
    expect(counts).toEqual([10_000, 10_000, 5_000, 0])
    expect(await run('clean-up of connections')).toBe(1)
    expect(await stack.db.usedRefreshToken.count({ where: { connection: { accountId: other } } })).toBe(1)
  })

  it('keeps what is told 13 months, by the calendar: at the end of a long month from the last day of a short one', async () => {
    const { id: accountId } = await stack.account()
    const noted = async (createdAt: string) => {
      const id = crypto.randomUUID()
      const about = { kind: 'password_changed', about: id, details: {} } as const
      await stack.db.notice.create({ data: { id, accountId, spenderId: accountId, createdAt, ...about } })
      return id
    }
    await noted('2026-02-27T12:00:00Z')
    const kept = await noted('2026-03-01T12:00:00Z')
    await cleanUp(stack.db, new Date('2027-03-31T13:00:00Z'))
    const left = await stack.db.notice.findMany({ where: { accountId } })
    expect(left.map(({ id }) => id)).toEqual([kept])
  })

  it('leaves what another transaction holds to the next turn, and waits for none', async () => {
    const { id: accountId } = await stack.account()
    const noted = { accountId, spenderId: accountId, kind: 'password_changed', details: {} } as const
    const createdAt = inDays(-500)
    const [held, free] = [crypto.randomUUID(), crypto.randomUUID()]
    for (const id of [held, free]) await stack.db.notice.create({ data: { id, about: id, createdAt, ...noted } })
    await stack.db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT FROM notice WHERE id = ${held}::uuid FOR UPDATE`
      expect((await cleanUp(stack.db, new Date()))['clean-up of notices']).toBe(1)
    })
    expect((await cleanUp(stack.db, new Date()))['clean-up of notices']).toBe(1)
  })

  it('may run on every node at once', async () => {
    const client = await register(stack)
    for (let round = 0; round < 3; round += 1) await connect(client, await stack.person((await stack.account()).id))
    await Promise.all([cleanUp(stack.db, inDays(400)), cleanUp(stack.db, inDays(400)), cleanUp(stack.db, inDays(400))])
    expect(await stack.db.apiToken.count({ where: { kind: { not: 'manual' } } })).toBe(0)
  })
})

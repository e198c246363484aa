import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOperatorClient } from '../src/authorization/clients/registered-clients.ts'
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

  it('may run on every node at once', async () => {
    const client = await register(stack)
    for (let round = 0; round < 3; round += 1) await connect(client, await stack.person((await stack.account()).id))
    await Promise.all([cleanUp(stack.db, inDays(400)), cleanUp(stack.db, inDays(400)), cleanUp(stack.db, inDays(400))])
    expect(await stack.db.apiToken.count({ where: { kind: { not: 'manual' } } })).toBe(0)
  })
})

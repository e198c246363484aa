import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endConnectionsOfAccount } from '../../src/connections/end.ts'
import { deleteToken, listTokens } from '../../src/connections/tokens.ts'
import { connect, post, refresh, register, start, type TestClient, type Tokens } from '../support/client.ts'
import { hiddenField, type Person } from '../support/person.ts'
import { type Stack, startStack } from '../support/stack.ts'

// Every handle of one client or account, tried by another.

interface Party {
  readonly client: TestClient
  readonly accountId: string
  readonly person: Person
  readonly tokens: Tokens
}

let stack: Stack
let alice: Party
let mallory: Party
beforeAll(async () => {
  stack = await startStack()
  alice = await party()
  mallory = await party()
})
afterAll(() => stack?.close())

async function party(): Promise<Party> {
  const client = await register(stack)
  const { id } = await stack.account()
  const person = await stack.person(id)
  return { client, accountId: id, person, tokens: await connect(client, person) }
}

const alive = async ({ accountId }: Party) => stack.db.connection.count({ where: { accountId, endedAt: null } })

describe('the handles of a client in the hands of another', () => {
  it('revoke nothing: an access token of another client keeps its row (RFC 7009 §2.1)', async () => {
    const before = await stack.db.apiToken.count({ where: { accountId: alice.accountId } })
    const answer = await post(`${stack.issuer}/oauth/revoke`, {
      token: alice.tokens.access,
      client_id: mallory.client.client.client_id,
    })
    expect(answer.status).toBe(200)
    expect(await stack.db.apiToken.count({ where: { accountId: alice.accountId } })).toBe(before)
  })

  it('revoke nothing: a refresh token of another client keeps its connection (RFC 7009 §2.1)', async () => {
    await post(`${stack.issuer}/oauth/revoke`, {
      token: alice.tokens.refresh,
      client_id: mallory.client.client.client_id,
    })
    expect(await alive(alice)).toBe(1)
  })

  it('reveal nothing at introspection (RFC 7662 §4)', async () => {
    const spy = await register(stack, {
      redirect_uris: ['https://spy.example/cb'],
      token_endpoint_auth_method: 'client_secret_post',
    })
    for (const token of [alice.tokens.access, alice.tokens.refresh]) {
      const answer = await post(`${stack.issuer}/oauth/introspect`, {
        token,
        client_id: spy.client.client_id,
        client_secret: String(spy.client.client_secret),
      })
      expect(answer.body).toEqual({ active: false })
    }
  })

  it('do not work as each other: an access token is no refresh token and no code (RFC 6749 §5.2)', async () => {
    const attempts: Record<string, string>[] = [
      { grant_type: 'refresh_token', refresh_token: alice.tokens.access },
      {
        grant_type: 'authorization_code',
        code: alice.tokens.access,
        redirect_uri: alice.client.redirectUri,
        code_verifier: 'a'.repeat(43),
      },
    ]
    for (const fields of attempts) {
      const answer = await post(`${stack.issuer}/oauth/token`, { ...fields, client_id: alice.client.client.client_id })
      expect(answer.body.error).toBe('invalid_grant')
    }
  })

  it('do not open a pushed request of another client (RFC 9126 §2.2)', async () => {
    const flow = await start(alice.client)
    const pushed = await post(`${stack.issuer}/oauth/par`, Object.fromEntries(flow.url.searchParams))
    const url = new URL(`${stack.issuer}/oauth/authorize`)
    url.searchParams.set('client_id', mallory.client.client.client_id)
    url.searchParams.set('request_uri', String(pushed.body.request_uri))
    const view = await mallory.person.open(url)
    expect(view.html).not.toContain('name="scope"')
    // Nor is anything of it told at the other's own address.
    expect(view.url.origin).toBe(new URL(mallory.client.redirectUri).origin)
    expect(view.url.searchParams.get('error')).toBe('invalid_request_uri')
    expect(view.url.href).not.toContain(flow.state)
    // It waits for its own client still.
    url.searchParams.set('client_id', alice.client.client.client_id)
    expect((await alice.person.open(url)).html).toContain('name="scope"')
  })

  it('do not authenticate: a client secret of another client is refused (RFC 6749 §2.3)', async () => {
    const one = await register(stack, {
      redirect_uris: ['https://one.example/cb'],
      token_endpoint_auth_method: 'client_secret_post',
    })
    const two = await register(stack, {
      redirect_uris: ['https://two.example/cb'],
      token_endpoint_auth_method: 'client_secret_post',
    })
    const answer = await post(`${stack.issuer}/oauth/token`, {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      client_id: one.client.client_id,
      client_secret: String(two.client.client_secret),
    })
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
  })
})

describe('the handles of a person in the hands of another', () => {
  it('open nothing: an interaction address without its cookie has ended (RFC 9700 §4.7)', async () => {
    const page = await alice.person.open((await start(alice.client)).url)
    const view = await mallory.person.get(page.url)
    expect(view.status).toBe(400)
    expect(view.html).not.toContain('name="scope"')
  })

  it('open nothing: an interaction cookie that was made up is refused (RFC 9700 §4.7)', async () => {
    const page = await alice.person.open((await start(alice.client)).url)
    const uid = page.url.pathname.split('/').at(-1) ?? ''
    const thief = await stack.person(mallory.accountId)
    thief.store(page.url, [
      `vertexsms_interaction=${uid}; path=${page.url.pathname}`,
      `vertexsms_interaction.sig=AAAA; path=${page.url.pathname}`,
    ])
    expect((await thief.get(page.url)).status).toBe(400)
  })

  it('approve nothing: a consent form of one request does not answer another (RFC 9700 §4.7.1)', async () => {
    const flows = [await start(alice.client), await start(alice.client)] as const
    const pages = [await alice.person.open(flows[0].url), await alice.person.open(flows[1].url)] as const
    const view = await alice.person.post(pages[1].url, [
      ['csrf', hiddenField(pages[0].html, 'csrf')],
      ['decision', 'allow'],
      ['scope', 'sms:send'],
    ])
    expect(view.status).not.toBe(200)
  })

  it('finish nothing: the way back to the app needs the browser that began (RFC 9700 §4.7)', async () => {
    const page = await alice.person.open((await start(alice.client)).url)
    const approved = await alice.person.post(page.url, [
      ['csrf', hiddenField(page.html, 'csrf')],
      ['decision', 'allow'],
      ['scope', 'sms:rates'],
    ])
    const resume = /url=([^"]+)"/.exec(approved.html)?.[1] ?? ''
    const view = await mallory.person.open(resume)
    expect(view.url.searchParams.get('code')).toBeNull()
    expect(view.status).toBe(400)
    // Nor by a method that changes nothing, in the right one.
    const target = new URL(resume, page.url)
    const headers = { cookie: alice.person.cookieHeader(target.pathname) }
    const head = await fetch(target, { method: 'HEAD', redirect: 'manual', headers })
    expect([head.status, head.headers.get('location')]).toEqual([405, null])
    expect((await alice.person.open(target)).url.searchParams.get('code')).toBeTruthy()
  })

  it('delete nothing: a token of another account is not found (RFC 9700 §4.14)', async () => {
    const victim = await party()
    const [token] = await listTokens(stack.db, victim.accountId, new Date())
    const deletion = await deleteToken(stack.db, {
      accountId: mallory.accountId,
      tokenId: token?.id ?? '',
    })
    expect(deletion).toBe('not_found')
    expect(await alive(victim)).toBe(1)
  })

  it('end nothing of others: ending all access of one account leaves the rest (RFC 9700 §4.14)', async () => {
    const victim = await party()
    await endConnectionsOfAccount(stack.db, victim.accountId)
    await expect(refresh(victim.client, victim.tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    expect([await alive(victim), await alive(alice), await alive(mallory)]).toEqual([0, 1, 1])
  })

  it('are told apart in the token: subject and client are those of its own connection (RFC 9068 §2.2)', () => {
    expect(decodeJwt(alice.tokens.access)).toMatchObject({
      sub: alice.accountId,
      client_id: alice.client.client.client_id,
    })
    expect(decodeJwt(mallory.tokens.access)).toMatchObject({ sub: mallory.accountId })
  })
})

describe('deleting one token of a connection', () => {
  it('ends the connection whichever row it is, and only once (RFC 7009 §2.1)', async () => {
    for (const kind of ['oauth_access', 'oauth_refresh'] as const) {
      const owner = await party()
      const token = await stack.db.apiToken.findFirstOrThrow({ where: { accountId: owner.accountId, kind } })
      const request = { accountId: owner.accountId, tokenId: token.id }
      const deletions = await Promise.all([deleteToken(stack.db, request), deleteToken(stack.db, request)])
      expect(deletions.sort()).toEqual(['connection', 'not_found'])
      await expect(refresh(owner.client, owner.tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
      expect(await stack.db.apiToken.count({ where: { accountId: owner.accountId } })).toBe(0)
    }
  })

  it('leaves nothing alive when refreshes run against it (RFC 9700 §4.14.2)', async () => {
    for (let round = 0; round < (process.env.TEST_FULL ? 30 : 4); round += 1) {
      const owner = await party()
      const token = await stack.db.apiToken.findFirstOrThrow({
        where: { accountId: owner.accountId, kind: 'oauth_refresh' },
      })
      const request = { accountId: owner.accountId, tokenId: token.id }
      await Promise.allSettled([
        refresh(owner.client, owner.tokens.refresh),
        deleteToken(stack.db, request),
        refresh(owner.client, owner.tokens.refresh),
      ])
      expect(await stack.db.apiToken.count({ where: { accountId: owner.accountId } })).toBe(0)
      expect(await alive(owner)).toBe(0)
    }
  })
})

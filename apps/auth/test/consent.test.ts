// What an approval does to the request, to the client and to the connection.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createOperatorClient } from '../src/authorization/clients/registered-clients.ts'
import { answer, approve, connect, exchange, post, refresh, register, start } from './support/client.ts'
import { later, realTime } from './support/clock.ts'
import { checkboxes, hiddenField, refreshTarget } from './support/person.ts'
import { type Stack, signIn, startStack } from './support/stack.ts'

let stack: Stack
let edge: { clientId: string; clientSecret: string }
beforeAll(async () => {
  stack = await startStack()
  edge = await createOperatorClient({ db: stack.db, operatorKey: stack.env.OPERATOR_KEY }, 'edge', new Date())
})
afterAll(() => stack?.close())
afterEach(() => realTime(stack))

/** Whether an access token is good for anything still (RFC 7662 §2.2). */
async function isActive(token: string): Promise<unknown> {
  const { clientId, clientSecret } = edge
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
  return (await post(`${stack.issuer}/oauth/introspect`, { token }, { authorization })).body.active
}

/** Somebody before the consent page, and the form that allows one scope. */
async function opened() {
  const client = await register(stack)
  const { id } = await stack.account()
  const person = await stack.person(id)
  const flow = await start(client)
  const page = await person.open(flow.url)
  const fields: [string, string][] = [
    ['csrf', hiddenField(page.html, 'csrf')],
    ['decision', 'allow'],
    ['scope', 'sms:rates'],
  ]
  return { client, id, person, flow, page, fields }
}

describe('the consent page', () => {
  it('says where the answer goes, what the app calls itself, whom it concerns, and what it costs', async () => {
    const client = await register(stack, { client_name: 'Nice <b>App</b>', redirect_uris: ['https://app.example/cb'] })
    const { id, email } = await stack.account()
    const page = await (await stack.person(id)).open((await start(client)).url)
    expect(page.status).toBe(200)
    expect(page.html).toContain('app.example')
    expect(page.html).toContain('Nice &lt;b&gt;App&lt;/b&gt;')
    expect(page.html).toContain(email)
    expect(checkboxes(page.html, 'scope')).toEqual([
      'sms:send',
      'sms:rates',
      'sender:write',
      'hlr:lookup',
      'numbers:read',
    ])
    expect(page.html.match(/costs money/g)).toHaveLength(2)
  })

  it('offers the scopes that were asked for and not offline_access', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const flow = await start(client, { scope: 'sms:rates offline_access' })
    const page = await (await stack.person(id)).open(flow.url)
    expect(checkboxes(page.html, 'scope')).toEqual(['sms:rates'])
    expect(page.html).not.toContain('offline_access')
  })

  it('leaves a line in the log of what was asked and granted, and nothing of the person (MCP security best practices)', async () => {
    const client = await register(stack)
    const { id, email } = await stack.account()
    const person = await stack.person(id)
    for (const choice of [
      { scopes: ['sms:rates'] },
      { scopes: ['sms:send', 'sms:rates'] },
      { decision: 'deny' as const },
    ]) {
      await approve(person, await start(client, { scope: 'sms:rates sms:send offline_access' }), choice)
    }
    const clientId = client.client.client_id.slice(0, 12)
    const lines = stack.logLines.filter((line) => JSON.parse(line).event === 'consent' && line.includes(clientId))
    const requested = 'sms:send/sms:rates'
    const asked = { level: 'info', msg: 'a person decided', clientId, requestId: expect.any(String), requested }
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ ...asked, reason: 'allowed', granted: 'sms:rates' }),
      expect.objectContaining({ ...asked, reason: 'allowed', granted: requested }),
      expect.objectContaining({ ...asked, reason: 'denied' }),
    ])
    expect(lines[2]).not.toContain('granted')
    for (const secret of [id, email]) expect(lines.join('')).not.toContain(secret)
  })

  it('is always shown, to a client that was approved before too', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const person = await stack.person(id)
    await connect(client, person)
    const again = await person.open((await start(client)).url)
    expect(again.url.pathname).toMatch(/^\/interaction\//)
    const silent = await start(client, { prompt: 'none' })
    expect((await person.open(silent.url)).url.searchParams.get('error')).toBe('login_required')
  })

  it('cannot grant a scope that was not asked for', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const flow = await start(client, { scope: 'sms:rates' })
    const callback = await approve(await stack.person(id), flow, { scopes: ['sms:rates', 'sms:send'] })
    expect((await exchange(client, flow, callback)).scope).toBe('sms:rates')
  })
})

describe('ends well', () => {
  it('when it is approved twice: both answers lead on the same way, and one connection comes of it', async () => {
    const { client, id, person, flow, page, fields } = await opened()
    const [one, two] = await Promise.all([person.post(page.url, fields), person.post(page.url, fields)])
    expect([one.status, two.status]).toEqual([200, 200])
    expect(refreshTarget(one.html)).toBe(refreshTarget(two.html))
    const done = await person.open(new URL(refreshTarget(one.html) ?? '', page.url))
    await exchange(client, flow, done.url)
    expect(await stack.db.connection.count({ where: { accountId: id } })).toBe(1)
  })

  it('when it is approved again before the app was reached: the way is the same', async () => {
    const { client, person, flow, page, fields } = await opened()
    const answers = [
      await person.post(page.url, fields),
      await person.post(page.url, fields),
      await person.get(page.url),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    const ways = answers.map(({ html }) => refreshTarget(html))
    expect(ways).toEqual(ways.map(() => expect.stringContaining('/oauth/authorize/')))
    expect(new Set(ways).size).toBe(1)
    const done = await person.open(new URL(ways[0] ?? '', page.url))
    expect((await exchange(client, flow, done.url)).scope).toBe('sms:rates')
  })

  it('when its address is opened with the cookie of another request', async () => {
    const client = await register(stack)
    const person = await stack.person((await stack.account()).id)
    const [own, other] = [await person.open((await start(client)).url), await person.open((await start(client)).url)]
    const open = (cookie: string) => fetch(own.url, { headers: { cookie, 'sec-fetch-site': 'none' } })
    expect((await open(person.cookieHeader(own.url.pathname))).status).toBe(200)
    const refused = await open(person.cookieHeader(other.url.pathname))
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('This request has ended')])
  })

  it('when the first answer was a denial: a later approval changes nothing', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const page = await person.open((await start(client)).url)
    const csrf = hiddenField(page.html, 'csrf')
    await person.post(page.url, [
      ['csrf', csrf],
      ['decision', 'deny'],
    ])
    const late = await person.post(page.url, [
      ['csrf', csrf],
      ['decision', 'allow'],
      ['scope', 'sms:send'],
    ])
    const done = await person.open(new URL(refreshTarget(late.html) ?? '', page.url))
    expect(done.url.searchParams.get('error')).toBe('access_denied')
    expect(await stack.db.connection.count({ where: { accountId: id } })).toBe(0)
  })

  it('when the back button brings it up again after the answer was delivered', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const flow = await start(client)
    const page = await person.open(flow.url)
    const { url } = await answer(person, page)
    await exchange(client, flow, url)
    for (const view of [
      await person.get(page.url),
      await person.post(page.url, [
        ['csrf', 'x'],
        ['decision', 'allow'],
      ]),
    ]) {
      expect(view.status).toBe(400)
      expect(view.html).toContain('This request has ended')
    }
  })

  it('when two tabs of one browser ask at once: each gets its own answer', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const flows = [await start(client, { scope: 'sms:rates' }), await start(client, { scope: 'numbers:read' })] as const
    const pages = [await person.open(flows[0].url), await person.open(flows[1].url)] as const
    const second = await exchange(client, flows[1], (await answer(person, pages[1])).url)
    expect(second.scope).toBe('numbers:read')
    const first = await exchange(client, flows[0], (await answer(person, pages[0])).url)
    expect(first.scope).toBe('sms:rates')
  })

  it('when it waited too long', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const page = await person.open((await start(client)).url)
    await later(901, stack)
    const view = await person.post(page.url, [
      ['csrf', hiddenField(page.html, 'csrf')],
      ['decision', 'allow'],
      ['scope', 'sms:send'],
    ])
    expect(view.status).toBe(400)
    expect(view.html).toContain('This request has ended')
    expect(await stack.db.connection.count({ where: { accountId: id } })).toBe(0)
  })

  it('when somebody else has signed in meanwhile: it is shown again, to them', async () => {
    const client = await register(stack)
    const [one, two] = [await stack.account(), await stack.account()]
    const person = await stack.person(one.id)
    const page = await person.open((await start(client)).url)
    await signIn(person, stack.db, stack.env, two.id)
    const view = await person.post(page.url, [
      ['csrf', hiddenField(page.html, 'csrf')],
      ['decision', 'allow'],
      ['scope', 'sms:send'],
    ])
    expect([view.status, view.headers.get('location')]).toEqual([303, page.url.pathname])
    const again = await person.open(page.url)
    expect(again.html).toContain(two.email)
    expect(await stack.db.connection.count({ where: { accountId: { in: [one.id, two.id] } } })).toBe(0)
  })

  it('when the person signs out between approval and the way back: the app is told, and nothing is issued', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const flow = await start(client)
    const page = await person.open(flow.url)
    const approved = await person.post(page.url, [
      ['csrf', hiddenField(page.html, 'csrf')],
      ['decision', 'allow'],
      ['scope', 'sms:rates'],
    ])
    await stack.db.session.deleteMany({ where: { accountId: id } })
    const { url } = await person.open(new URL(refreshTarget(approved.html) ?? '', page.url))
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      error: 'access_denied',
      state: flow.state,
      iss: stack.issuer,
    })
  })
})

describe('a connection', () => {
  it('of a registered client continues with a new approval: same id, new scopes, earlier tokens end', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const first = await connect(client, person, { choice: { scopes: ['sms:rates'] } })
    const before = await stack.db.connection.findFirstOrThrow({ where: { accountId: id } })
    const second = await connect(client, person)
    const connections = await stack.db.connection.findMany({ where: { accountId: id } })
    expect(connections.map((connection) => connection.id)).toEqual([before.id])
    expect(connections[0]?.scopes).toHaveLength(5)
    await expect(refresh(client, first.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    expect((await refresh(client, second.refresh)).scope.split(' ')).toHaveLength(5)
  })

  it('that continues forgets what was given before: no access token, no code, and a used token ends nothing', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const used = await connect(client, person)
    const rotated = await refresh(client, used.refresh)
    expect([await isActive(used.access), await isActive(rotated.access)]).toEqual([true, true])
    const second = await connect(client, person)
    const old = [used.access, rotated.access, second.access]
    expect(await Promise.all(old.map(isActive))).toEqual([false, false, true])
    const refuses = async () => {
      for (const token of [used.refresh, rotated.refresh])
        await expect(refresh(client, token)).rejects.toMatchObject({ error: 'invalid_grant' })
    }
    await refuses()
    await later(301, stack)
    await refuses()
    expect((await refresh(client, second.refresh)).scope).toBe(second.scope)
    const flow = await start(client)
    const callback = await approve(person, flow)
    await connect(client, person)
    await expect(exchange(client, flow, callback)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('of another person with the same client is another one', async () => {
    const client = await register(stack)
    const [one, two] = [await stack.account(), await stack.account()]
    const first = await connect(client, await stack.person(one.id))
    await connect(client, await stack.person(two.id))
    expect(await stack.db.connection.count({ where: { clientId: client.client.client_id } })).toBe(2)
    expect((await refresh(client, first.refresh)).scope).toBe(first.scope)
  })

  it('of another client of the same person is another one, and the first goes on', async () => {
    const { id } = await stack.account()
    const person = await stack.person(id)
    const first = await register(stack)
    const tokens = await connect(first, person)
    await connect(await register(stack), person)
    const connections = await stack.db.connection.findMany({ where: { accountId: id, endedAt: null } })
    expect(new Set(connections.map(({ clientId }) => clientId)).size).toBe(2)
    expect((await refresh(first, tokens.refresh)).scope).toBe(tokens.scope)
  })

  it('stays one when two approvals of one client come at once', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const pages = [await person.open((await start(client)).url), await person.open((await start(client)).url)]
    await Promise.all(pages.map((page) => answer(person, page)))
    expect(await stack.db.connection.count({ where: { accountId: id, endedAt: null } })).toBe(1)
  })
})

// The pages on which an owner decides: approvals, disconnecting an app, and limits and pauses of a connection.
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { endConnection } from '../src/connections/end.ts'
import { ASKED, askApproval } from './support/approvals.ts'
import { later, realTime } from './support/clock.ts'
import { addBoundedConnection, addConnection, addMessage, addToken } from './support/owners-data.ts'
import { hiddenField, type Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack?.close())
afterEach(() => realTime(stack))

async function connected() {
  const { id: accountId } = await stack.account()
  const person = await stack.person(accountId)
  const connectionId = await addBoundedConnection(stack, accountId, 'Somebody <b>')
  const end = () => endConnection(stack.db, connectionId, 'revoked')
  return { accountId, person, connectionId, end }
}

const waiting = async (changes: Record<string, unknown> = {}) => {
  const at = await connected()
  const id = await askApproval(stack, { accountId: at.accountId, spenderId: at.connectionId }, changes)
  return { ...at, id, path: `/approvals/${id}` }
}
const approval = (id: string) => stack.db.approval.findUniqueOrThrow({ where: { id } })
const spender = (id: string) => stack.db.spender.findUniqueOrThrow({ where: { id } })
const textOf = (html: string) => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')

async function send(person: Person, page: string, action: string, fields: Record<string, string> = {}) {
  const csrf = hiddenField((await person.get(page)).html, 'csrf')
  return person.post(action, [['csrf', csrf], ...Object.entries(fields)])
}

describe('the page of an approval', () => {
  it('shows its owner who asks, the most it costs, numbers, sender, countries and the text', async () => {
    const { person, path } = await waiting()
    const { status, html } = await person.get(path)
    expect(status).toBe(200)
    const text = textOf(html)
    const parts = ['Somebody &lt;b&gt;', '0.078 EUR', 'Shop', 'Lithuania and Latvia', 'It costs more than']
    for (const part of [...parts, ...ASKED.to.map((number) => `+${number}`), ...ASKED.text.split('\n')]) {
      expect(text).toContain(part)
    }
    expect(html).toMatch(/<button[^>]*>Refuse<\/button>\s*<button[^>]*>Approve<\/button>/)
  })

  it('says above which amount it asks, the lowest that this send is above, and none that it is not above', async () => {
    const { person, path, connectionId: id, accountId } = await waiting()
    const limit = async (of: string, askAboveMicros: bigint | null) => {
      const row = { accountId, kind: of === accountId ? 'account' : 'connection', askAboveMicros } as const
      const create = { id: of, createdAt: new Date(), ...row }
      await stack.db.spender.upsert({ where: { id: of }, create, update: { askAboveMicros } })
      return textOf((await person.get(path)).html)
    }
    expect(await limit(id, 50_000n)).toContain('more than the 0.05 EUR you let it spend without asking')
    expect(await limit(accountId, 20_000n)).toContain('more than the 0.02 EUR you let it spend without asking')
    await limit(accountId, null)
    expect(await limit(id, 78_000n)).toContain('more than you let it spend without asking')
  })

  it('has no button that stands out for an app that passes for us', async () => {
    const { person, path, connectionId: id } = await waiting()
    const approve = /<button class="([^"]*)" name="decision" value="approve">/
    expect(approve.exec((await person.get(path)).html)?.[1]).toBe('button button-primary')
    await stack.db.connection.update({ where: { id }, data: { clientName: 'VertexSMS Support' } })
    expect(approve.exec((await person.get(path)).html)?.[1]).toBe('button')
  })

  it('answers HEAD as GET, without the page (RFC 9110 section 9.3.2)', async () => {
    const { person, path } = await waiting()
    const headers = { cookie: person.cookieHeader(path) }
    const head = await fetch(stack.issuer + path, { method: 'HEAD', headers })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  it('approves for 15 minutes and one send: the text goes, and the page says how it stands', async () => {
    const { person, path, id } = await waiting()
    const answered = await send(person, path, path, { decision: 'approve' })
    expect([answered.status, answered.headers.get('location')]).toEqual([303, `${path}?done=approved`])
    const row = await approval(id)
    expect(row).toMatchObject({ state: 'approved', sealedText: null })
    expect(row.expiresAt.getTime() - Number(row.decidedAt?.getTime())).toBe(900_000)
    const { html } = await person.get(path)
    expect(html).toContain('<h1>Approved</h1>')
    expect(html).not.toContain(ASKED.text.split('\n')[0])
    expect(html).not.toContain('>Approve</button>')
    await later(901, stack)
    expect((await person.get(path)).html).toContain('<h1>This is over</h1>')
  })

  it('refuses, and a second click with the other button changes nothing', async () => {
    const { person, path, id } = await waiting()
    const csrf = hiddenField((await person.get(path)).html, 'csrf')
    for (const decision of ['refuse', 'approve'])
      await person.post(path, [
        ['csrf', csrf],
        ['decision', decision],
      ])
    expect(await approval(id)).toMatchObject({ state: 'refused', sealedText: null })
    expect((await person.get(path)).html).toContain('<h1>Refused</h1>')
  })

  it.each([
    ['approve', 'approved'],
    ['refuse', 'refused'],
  ])('answers a second press of the same button as the first, and decides once: %s', async (decision, done) => {
    const { person, path, id } = await waiting()
    const csrf = hiddenField((await person.get(path)).html, 'csrf')
    const press = (decision: string) =>
      person.post(path, [
        ['csrf', csrf],
        ['decision', decision],
      ])
    expect((await press(decision)).headers.get('location')).toBe(`${path}?done=${done}`)
    const { state, decidedAt } = await approval(id)
    expect((await press(decision)).headers.get('location')).toBe(`${path}?done=${done}`)
    expect((await press(state === 'approved' ? 'refuse' : 'approve')).headers.get('location')).toContain('done=late')
    expect(await approval(id)).toMatchObject({ state, decidedAt })
  })

  it('decides once when both buttons of two tabs are pressed at once', async () => {
    const { person, path, id } = await waiting()
    const csrf = hiddenField((await person.get(path)).html, 'csrf')
    const words = ['approve', 'refuse', 'approve', 'refuse']
    await Promise.all(
      words.map((decision) =>
        person.post(path, [
          ['csrf', csrf],
          ['decision', decision],
        ]),
      ),
    )
    const { state, decidedAt } = await approval(id)
    expect(['approved', 'refused']).toContain(state)
    await person.post(path, [
      ['csrf', csrf],
      ['decision', state === 'approved' ? 'refuse' : 'approve'],
    ])
    expect(await approval(id)).toMatchObject({ state, decidedAt })
  })

  it('withdraws an approval that was not used yet, and the refusal holds as long as one given at once', async () => {
    const { person, path, id } = await waiting()
    const { createdAt } = await approval(id)
    await send(person, path, path, { decision: 'approve' })
    const { html } = await person.get(path)
    expect([...html.matchAll(/name="decision" value="(\w+)"/g)].map(([, word]) => word)).toEqual(['withdraw'])
    const answered = await send(person, path, path, { decision: 'withdraw' })
    expect(answered.headers.get('location')).toBe(`${path}?done=withdrawn`)
    const row = await approval(id)
    expect(row.state).toBe('refused')
    expect(row.expiresAt.getTime() - createdAt.getTime()).toBe(86_400_000)
    // A second press is answered as the first.
    const again = await send(person, '/settings/sessions', path, { decision: 'withdraw' })
    expect(again.headers.get('location')).toBe(`${path}?done=withdrawn`)
    expect(await approval(id)).toEqual(row)
    const after = (await person.get(`${path}?done=withdrawn`)).html
    expect(after).toContain('<h1>Refused</h1>')
    expect(after).not.toContain('name="decision"')
  })

  it.each([
    ['waits', {}, 'late'],
    ['was refused', { state: 'refused' }, 'withdrawn'],
    ['ran out', { state: 'approved', expiresAt: new Date(Date.now() - 1_000) }, 'late'],
  ] as const)('withdraws nothing that %s', async (_what, changes, done) => {
    const { person, path, id } = await waiting(changes)
    const before = await approval(id)
    const answered = await send(person, '/settings/sessions', path, { decision: 'withdraw' })
    expect(answered.headers.get('location')).toBe(`${path}?done=${done}`)
    expect(await approval(id)).toEqual(before)
  })

  it('withdraws nothing that was sent, but lets a send under way use its approval for the last time', async () => {
    const { person, path, id } = await waiting({ state: 'used', decidedAt: new Date(), sealedText: null })
    const { expiresAt, ...before } = await approval(id)
    const answered = await send(person, '/settings/sessions', path, { decision: 'withdraw' })
    expect(answered.headers.get('location')).toBe(`${path}?done=late`)
    const { expiresAt: ends, ...after } = await approval(id)
    expect(after).toEqual(before)
    expect(ends.getTime()).toBeLessThanOrEqual(Date.now())
    expect((await person.get(path)).html).toContain('<h1>Approved and used</h1>')
    // What VertexSMS refuses of it gives its approval back.
    for (const state of ['approved', 'expired'] as const) {
      await stack.db.approval.update({ where: { id }, data: { state } })
      const { html } = await person.get(path)
      expect(html).toContain('<h1>This is over</h1>')
      expect(textOf(html)).toMatch(/You withdrew your approval while .* it was not sent\..* you are asked again/)
      expect(textOf((await person.get('/approvals')).html)).toContain('Approved, then withdrawn')
    }
  })

  it.each([
    ['used', 'Approved and used'],
    ['refused', 'Refused'],
    ['approved', 'This is over'],
  ] as const)('says of what was %s before its app ended: %s', async (state, title) => {
    const { person, path, end } = await waiting({ state, sealedText: null })
    await end()
    expect((await person.get(path)).html).toContain(`<h1>${title}</h1>`)
  })

  it('says why it is over, and that it can be asked for again only while something is left that could', async () => {
    const said = async ({ person, path }: Awaited<ReturnType<typeof waiting>>) => textOf((await person.get(path)).html)
    const past = { expiresAt: new Date(Date.now() - 1_000) }
    const late = await waiting(past)
    expect(await said(late)).toMatch(/It was not answered in time\..* you are asked again/)
    const unused = await waiting({ ...past, state: 'approved', decidedAt: new Date(), sealedText: null })
    expect(await said(unused)).toMatch(/You approved it, but it was not sent in time\..* you are asked again/)
    const ago = (ms: number) => new Date(Date.now() - ms)
    // Its caller came back for it too late, and before that for more than it allows.
    const closed = { state: 'expired', sealedText: null } as const
    const found = await waiting({ ...closed, decidedAt: ago(901_000), expiresAt: ago(1_000) })
    expect(await said(found)).toMatch(/You approved it, but it was not sent in time/)
    const dearer = await waiting({ ...closed, createdAt: ago(60_000), expiresAt: ago(1_000) })
    expect(await said(dearer)).toMatch(/The price has risen since you were asked/)
    expect(textOf((await dearer.person.get('/approvals')).html)).toContain('Over: the price has risen')
    const approved = await waiting({ ...closed, decidedAt: ago(60_000), expiresAt: ago(1_000) })
    expect(await said(approved)).toMatch(/The price has risen since you were asked/)
    const changed = await waiting({ ...closed, reason: 'price account_changed', expiresAt: ago(1_000) })
    expect(await said(changed)).toMatch(/The sending account was changed after you were asked\..* you are asked again/)
    expect(textOf((await changed.person.get('/approvals')).html)).toContain('Over: the sending account was changed')
    const refused = await waiting({ state: 'refused', decidedAt: new Date(), sealedText: null })
    expect(await said(refused)).toContain('The app is told so')
    for (const at of [late, unused, refused]) {
      await at.end()
      const text = await said(at)
      expect(text).not.toMatch(/asked again|is told so/)
      expect(text.includes('The app or token that asked is gone. Nothing will be sent.')).toBe(at !== refused)
    }
    const { accountId, person } = late
    const tokenId = await addToken(stack, accountId, { name: 'Nightly' })
    const id = await askApproval(stack, { accountId, spenderId: tokenId })
    await send(person, '/settings/sessions', `/settings/api/tokens/${tokenId}/delete`)
    const text = await said({ ...late, path: `/approvals/${id}` })
    expect(text).toMatch(/The app or token that asked is gone\. Nothing will be sent\. .*Nightly \(deleted\)/)
    expect(text).not.toContain('asked again')
  })

  it('says when a scheduled send is to go out, also in the lists, and nothing of that for one that goes at once', async () => {
    const scheduledAt = new Date('2031-02-03T04:05:00Z')
    const scheduled = await waiting({ scheduledAt })
    for (const path of ['/approvals', scheduled.path]) {
      expect(textOf((await scheduled.person.get(path)).html)).toMatch(/To be sent 3 February 2031 at 04:05 UTC/)
    }
    await send(scheduled.person, scheduled.path, scheduled.path, { decision: 'approve' })
    expect(textOf((await scheduled.person.get('/approvals')).html)).toMatch(/To be sent 3 February 2031 at 04:05 UTC/)
    const { person, path } = await waiting()
    for (const page of ['/approvals', path]) expect((await person.get(page)).html).not.toContain('To be sent')
  })

  it('is approved until the time that it is for at most: from then on nothing of it could be sent', async () => {
    const scheduledAt = new Date(Date.now() + 300_000)
    const { person, path, id } = await waiting({ scheduledAt })
    await send(person, path, path, { decision: 'approve' })
    expect((await approval(id)).expiresAt).toEqual(scheduledAt)
    expect(textOf((await person.get(path)).html)).toMatch(/It may be sent once\. The approval ends in 5 minutes/)
    await later(310, stack)
    expect(textOf((await person.get(path)).html)).toContain('You approved it, but it was not sent in time.')
    await stack.db.approval.update({ where: { id }, data: { state: 'expired' } })
    expect(textOf((await person.get(path)).html)).toContain('You approved it, but it was not sent in time.')
    expect(textOf((await person.get('/approvals')).html)).not.toContain('Withdraw')
  })

  it.each([
    [['scheduled'], 'Approved and scheduled'],
    [['scheduled', 'released'], 'Approved, and partly still scheduled'],
    [['released', 'released'], 'Approved, but not sent'],
    [['held', 'held'], 'Approved, and on its way'],
    [['accepted', 'handed_over'], 'Approved, and on its way'],
    [['scheduled', 'accepted'], 'Approved, and on its way'],
    [['accepted', 'unknown'], 'Approved, outcome not known'],
    [['unknown', 'held'], 'Approved, outcome not known'],
    [['accepted', 'released'], 'Approved and partly sent'],
    [['accepted', 'accepted'], 'Approved and sent'],
  ])('says how a send stands that used its approval and whose messages are %j: %s', async (states, title) => {
    const { person, path, id, accountId, connectionId } = await waiting({ state: 'used', sealedText: null })
    const of = { accountId, spenderId: connectionId }
    const [first, ...others] = states.map((state) => ({ state, leaseUntil: new Date(Date.now() + 60_000) }))
    const { sendId } = await stack.db.sendMessage.findUniqueOrThrow({
      where: { id: await addMessage(stack, of, first) },
    })
    for (const other of others) {
      const messageId = await addMessage(stack, of, other)
      await stack.db.sendMessage.update({ where: { id: messageId }, data: { sendId } })
    }
    await stack.db.approval.update({ where: { id }, data: { sendId } })
    expect((await person.get(path)).html).toContain(`<h1>${title}</h1>`)
  })

  it('withdraws nothing for another account, nor once what asked has ended', async () => {
    const { id, path, person, connectionId, accountId } = await waiting({ state: 'approved' })
    const stranger = await connected()
    const fields = { decision: 'withdraw' }
    expect((await send(stranger.person, '/settings/sessions', path, fields)).status).toBe(404)
    const row = { id: connectionId, accountId, kind: 'connection', createdAt: new Date() } as const
    const endedAt = new Date()
    await stack.db.spender.upsert({ where: { id: connectionId }, create: { ...row, endedAt }, update: { endedAt } })
    await send(person, '/settings/sessions', path, fields)
    expect(await approval(id)).toMatchObject({ state: 'approved' })
  })

  it.each([
    ['a lookup', 'hlr', 'hlr:lookup', 'Lookup'],
    ['a PIN to a sender number', 'msisdn', 'sender:write', 'PIN to a sender number'],
  ])('is decided of %s of an app that may do no more than that, and says what it is', async (_, kind, scope, named) => {
    const asked = { reason: `country ${kind}`, sender: '' }
    const { person, path, id, connectionId } = await waiting(asked)
    const holds = (scopes: string[]) => stack.db.connection.update({ where: { id: connectionId }, data: { scopes } })
    await holds([scope])
    for (const at of [path, '/approvals']) {
      const { html } = await person.get(at)
      expect(textOf(html)).toContain(`What ${named}`)
      expect(html).not.toContain('class="bubble"')
      expect(html).not.toContain('<dt>From</dt>')
    }
    await send(person, path, path, { decision: 'approve' })
    expect(await approval(id)).toMatchObject({ state: 'approved' })
    expect(textOf((await person.get('/approvals')).html)).toContain(named)
    await holds(['sms:send'])
    expect((await person.get(path)).html).toContain('<h1>This is over</h1>')
  })

  it('decides nothing for a word it does not know', async () => {
    const { person, path, id } = await waiting()
    for (const decision of ['', 'constructor', 'approved']) await send(person, path, path, { decision })
    expect(await approval(id)).toMatchObject({ state: 'pending' })
  })

  it('decides nothing once it ran out, and shows no text then', async () => {
    const { person, path, id } = await waiting()
    const csrf = hiddenField((await person.get(path)).html, 'csrf')
    await later(86_401, stack)
    await person.post(path, [
      ['csrf', csrf],
      ['decision', 'approve'],
    ])
    expect(await approval(id)).toMatchObject({ state: 'pending', decidedAt: null })
    const { html } = await person.get(path)
    expect(html).toContain('<h1>This is over</h1>')
    expect(html).not.toContain(ASKED.text.split('\n')[0])
  })

  it('decides nothing once the connection that asked has ended', async () => {
    const { person, path, id, end } = await waiting()
    const csrf = hiddenField((await person.get(path)).html, 'csrf')
    await end()
    await person.post(path, [
      ['csrf', csrf],
      ['decision', 'approve'],
    ])
    expect(await approval(id)).toMatchObject({ state: 'pending' })
    expect((await person.get(path)).html).toContain('<h1>This is over</h1>')
  })

  it.each([
    [
      'ran out',
      { expiresAt: new Date(Date.now() - 1_000) },
      'The app or token that asked is gone. Nothing will be sent.',
    ],
    ['may only read', { scopes: ['sms:rates'] }, 'The app that asked may no longer send. Nothing will be sent.'],
  ])('asks for no decision, and takes none, once the connection that asked %s', async (_, changes, why) => {
    const { person, path, id, connectionId, accountId } = await waiting()
    const of = { accountId, spenderId: connectionId }
    const good = await askApproval(stack, of, { state: 'approved', decidedAt: new Date(), sealedText: null })
    const before = (await person.get('/approvals')).html
    expect(before).toContain('Approved, not sent yet')
    const csrf = hiddenField(before, 'csrf')
    await stack.db.connection.update({ where: { id: connectionId }, data: changes })
    for (const [decision, at] of [
      ['approve', path],
      ['refuse', path],
      ['withdraw', `/approvals/${good}`],
    ] as const) {
      const answered = await person.post(at, [
        ['csrf', csrf],
        ['decision', decision],
      ])
      expect(answered.headers.get('location')).toContain('done=late')
    }
    expect([await approval(id), await approval(good)]).toMatchObject([{ state: 'pending' }, { state: 'approved' }])
    for (const at of [path, `/approvals/${good}`]) {
      const { html } = await person.get(at)
      expect(html).toContain('<h1>This is over</h1>')
      expect(html).toContain(why)
      expect(textOf(html)).not.toContain(ASKED.text.split('\n')[0])
      expect(html).not.toContain('name="decision"')
    }
    const list = textOf((await person.get('/approvals')).html)
    expect(list).toContain('Nothing is waiting for you.')
    expect(list).not.toContain('Approved, not sent yet')
    expect(list.match(/Over: (what asked is gone|the app may no longer send)/g)).toHaveLength(2)
    expect((await person.get('/')).html).not.toContain('waits for you')
  })

  it('asks again where another connection goes on with what that one was held to', async () => {
    const { person, path, id, connectionId, accountId } = await waiting()
    const over = { expiresAt: new Date(Date.now() - 1_000) }
    await stack.db.connection.update({ where: { id: connectionId }, data: over })
    await addConnection(stack, accountId, { scopes: ['sms:send'], spenderId: connectionId })
    await send(person, path, path, { decision: 'approve' })
    expect(await approval(id)).toMatchObject({ state: 'approved' })
  })

  it('asks for no decision once the token that asked ran out', async () => {
    const { id: accountId } = await stack.account()
    const person = await stack.person(accountId)
    const spenderId = await addToken(stack, accountId, { expiresAt: new Date(Date.now() + 60_000) })
    await askApproval(stack, { accountId, spenderId })
    expect((await person.get('/approvals')).html).toContain('value="approve"')
    await later(61, stack)
    const { html } = await person.get('/approvals')
    expect(html).not.toContain('value="approve"')
    expect(html).toContain('Over: what asked is gone')
  })

  it('is no page for another account, which cannot decide either', async () => {
    const { path, id } = await waiting()
    const stranger = await connected()
    expect((await stranger.person.get(path)).status).toBe(404)
    const answered = await send(stranger.person, '/settings/api', path, { decision: 'approve' })
    expect(answered.status).toBe(404)
    expect(await approval(id)).toMatchObject({ state: 'pending' })
  })

  it('is no page where there is no approval', async () => {
    const { person } = await connected()
    for (const id of [randomUUID(), 'x', '1']) expect((await person.get(`/approvals/${id}`)).status).toBe(404)
  })

  it('takes no form without the token of this session', async () => {
    const { person, path, id } = await waiting()
    for (const csrf of ['', 'x'.repeat(86)]) {
      expect(
        (
          await person.post(path, [
            ['csrf', csrf],
            ['decision', 'approve'],
          ])
        ).status,
      ).toBe(403)
    }
    expect(await approval(id)).toMatchObject({ state: 'pending' })
  })

  it('asks somebody who is not signed in to sign in, and leads back', async () => {
    const { path } = await waiting()
    const { status, headers } = await (await stack.person()).get(path)
    expect([status, headers.get('location')]).toEqual([303, `/sign-in?return_to=${encodeURIComponent(path)}`])
  })

  it('shows what was sealed under another key to nobody, and lets it be refused', async () => {
    const { person, path, id } = await waiting()
    const row = await approval(id)
    const changed = new Uint8Array(row.sealedText ?? [])
    changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1
    await stack.db.approval.update({ where: { id }, data: { sealedText: changed } })
    const { status, html } = await person.get(path)
    expect(status).toBe(200)
    expect(html).not.toContain(ASKED.text.split('\n')[0])
    expect(textOf(html)).toContain('Its text can no longer be read, so you can only refuse it.')
    expect([...html.matchAll(/name="decision" value="(\w+)"/g)].map(([, word]) => word)).toEqual(['refuse'])
    await send(person, path, path, { decision: 'approve' })
    expect(await approval(id)).toMatchObject({ state: 'pending' })
    await send(person, path, path, { decision: 'refuse' })
    expect(await approval(id)).toMatchObject({ state: 'refused' })
  })
})

describe('the page that disconnects an app', () => {
  it('counts what waits to be sent under it', async () => {
    const { accountId, person, connectionId } = await connected()
    const of = { accountId, spenderId: connectionId, upstream: 'sandbox', createdAt: new Date() }
    const send = { kind: 'sms' as const, generation: 0, route: 'POST /sms', sender: 'Shop', coding: 0, priority: 1 }
    const message = { ...of, recipient: '37061234567', country: 'LT', parts: 1, holdMicros: 39_000n, chargedMicros: 0n }
    await stack.db.send.create({
      data: {
        id: randomUUID(),
        ...of,
        ...send,
        connectionId,
        messages: {
          create: [
            { ...message, id: 10n ** 17n + BigInt(Date.now()), position: 0, state: 'scheduled' },
            { ...message, id: 10n ** 17n + BigInt(Date.now()) + 1n, position: 1, state: 'accepted' },
          ],
        },
      },
    })
    const facts = { kind: 'oauth_refresh' as const, permissions: ['POST /sms'], ipAllowList: [], createdAt: new Date() }
    const token = await stack.db.apiToken.create({
      data: { ...facts, id: randomUUID(), accountId, connectionId, name: 'Key', tokenHash: new Uint8Array(32).fill(7) },
    })
    const { html } = await person.get(`/settings/api/tokens/${token.id}/delete`)
    expect(html).toContain('<strong>1 scheduled message that')
  })
})

describe('the page of a connection', () => {
  it('shows its limits, what it spent and has left, and the latest 20 of what it did', async () => {
    const { accountId, person, connectionId } = await connected()
    await stack.db.spenderCount.create({
      data: {
        spenderId: connectionId,
        upstream: 'sandbox',
        day: new Date(),
        dayEndsAt: new Date(Date.now() + 3_600_000),
        daySpentMicros: 1_500_000n,
        totalSpentMicros: 7_000_000n,
      },
    })
    const row = {
      accountId,
      spenderId: connectionId,
      upstream: 'sandbox',
      what: 'sms',
      country: 'LT',
      lastDigits: '567',
    }
    await stack.db.activity.createMany({
      data: Array.from({ length: 25 }, (_, index) => ({
        ...row,
        at: new Date(Date.now() - index * 1000),
        outcome: `CODE_${index}`,
        amountMicros: 39_000n,
      })),
    })
    const { html } = await person.get(`/connections/${connectionId}`)
    const text = textOf(html)
    for (const part of [
      'At most 5.00 EUR a day',
      '1.50 EUR',
      '7.00 EUR',
      'Left today 3.50 EUR',
      '…567',
      'Lithuania',
      'CODE_19',
    ]) {
      expect(text).toContain(part)
    }
    expect(text).not.toContain('CODE_20')
  })

  it('sets what the form says; an empty field is no limit', async () => {
    const { person, connectionId } = await connected()
    const page = `/connections/${connectionId}`
    const answered = await send(person, page, `${page}/limits`, {
      max_per_send: '0.5',
      max_per_day: '',
      countries: 'lt lv',
      ask_new_country: 'on',
    })
    expect(answered.headers.get('location')).toBe(`${page}?done=limits`)
    expect(await spender(connectionId)).toMatchObject({
      maxPerSendMicros: 500_000n,
      maxPerDayMicros: null,
      countries: ['LT', 'LV'],
      askNewCountry: true,
    })
    expect((await person.get(`${page}?done=limits`)).html).toContain('The limits are set.')
  })

  it('shows a form again that cannot be read, as it was filled in, and sets nothing', async () => {
    const { person, connectionId } = await connected()
    const before = await spender(connectionId)
    const page = `/connections/${connectionId}`
    const { status, html } = await send(person, page, `${page}/limits`, { max_per_day: '5 euros"', countries: 'UK' })
    expect(status).toBe(422)
    expect(textOf(html)).toContain('Per day: enter an amount in EUR')
    expect(textOf(html)).toContain('Countries: “UK” is not a country code. Enter two-letter codes, such as LT, LV.')
    expect(html).toContain('value="5 euros&quot;"')
    const either = await send(person, page, `${page}/limits`, { max_total: '1,500', ask_above: '0,500' })
    expect(either.status).toBe(422)
    expect(textOf(either.html)).toContain('In total: “1,500” can be read as 1.50 or as 1500.00. Enter one of these.')
    expect(textOf(either.html)).not.toContain('Ask me above: ')
    expect(await spender(connectionId)).toEqual(before)
  })

  it('names the first country that is none, in the language of its reader, and none where there is no entry', async () => {
    const { person, connectionId } = await connected()
    const page = `/connections/${connectionId}`
    const told = async (countries: string, language = 'en') => {
      person.store(new URL(stack.issuer), [`vertexsms_language=${language}; Path=/`])
      const { html } = await send(person, page, `${page}/limits`, { countries })
      return /id="error-countries"[^>]*>([^<]*)</.exec(html)?.[1]
    }
    const such = 'two-letter codes, such as LT, LV.'
    expect(await told('lt, XX; yy')).toBe(`Countries: “XX” is not a country code. Enter ${such}`)
    expect(await told('lt, XX', 'lt')).toMatch(/^Šalys: „XX“ nėra šalies kodas\. Įrašykite dviejų raidžių kodus/)
    expect(await told('"x\u001b\u202e')).toBe(`Countries: “&quot;x\ufffd\ufffd” is not a country code. Enter ${such}`)
    expect(await told(', ;')).toBe(`Countries: enter ${such}`)
    expect(await told('LT, LV')).toBeUndefined()
  })

  it('pauses and resumes, an automatic pause as well', async () => {
    const { person, connectionId } = await connected()
    const page = `/connections/${connectionId}`
    await send(person, page, `${page}/pause`)
    expect(await spender(connectionId)).toMatchObject({ pausedAt: expect.any(Date) })
    expect((await person.get(page)).html).toContain('>Resume</button>')
    await send(person, page, `${page}/resume`)
    expect(await spender(connectionId)).toMatchObject({ pausedAt: null, resumedAt: expect.any(Date) })
    await later(60, stack)
    await stack.db.spender.update({ where: { id: connectionId }, data: { autoPausedAt: new Date() } })
    await stack.db.spender.update({ where: { id: connectionId }, data: { autoPausedReason: 'refused_countries' } })
    const html = textOf((await person.get(page)).html)
    expect(html).toContain('It was paused automatically')
    expect(html).toContain('Within 10 minutes it tried 3 countries that its limits do not allow.')
    await later(60, stack)
    await send(person, page, `${page}/resume`)
    expect((await person.get(page)).html).toContain('>Pause</button>')
  })

  it.each(['limits', 'pause', 'resume'])('changes nothing of a connection that has ended: %s', async (action) => {
    const { person, connectionId, end } = await connected()
    const page = `/connections/${connectionId}`
    const csrf = hiddenField((await person.get(page)).html, 'csrf')
    await end()
    const before = await spender(connectionId)
    const answered = await person.post(`${page}/${action}`, [
      ['csrf', csrf],
      ['max_per_day', '9'],
    ])
    expect(answered.headers.get('location')).toBe(`${page}?done=ended`)
    expect(await spender(connectionId)).toEqual(before)
    const { html } = await person.get(page)
    expect(textOf(html)).toContain('It ended just now . The app disconnected itself.')
    expect(html).not.toContain('name="max_per_day"')
  })

  it('is no page for another account, which can change nothing either', async () => {
    const { connectionId } = await connected()
    const before = await spender(connectionId)
    const stranger = await connected()
    const page = `/connections/${connectionId}`
    expect((await stranger.person.get(page)).status).toBe(404)
    for (const action of ['limits', 'pause', 'resume']) {
      expect((await send(stranger.person, '/settings/api', `${page}/${action}`)).status).toBe(404)
    }
    expect(await spender(connectionId)).toEqual(before)
  })

  it('takes no form without the token of this session', async () => {
    const { person, connectionId } = await connected()
    const before = await spender(connectionId)
    for (const action of ['limits', 'pause', 'resume']) {
      expect((await person.post(`/connections/${connectionId}/${action}`, [['csrf', 'x']])).status).toBe(403)
    }
    expect(await spender(connectionId)).toEqual(before)
  })

  it('is linked from Settings -> API, where /connections leads', async () => {
    const { person, connectionId } = await connected()
    expect((await person.open('/connections')).html).toContain(`href="/connections/${connectionId}"`)
  })
})

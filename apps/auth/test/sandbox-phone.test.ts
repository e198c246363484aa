import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addConnection, addMessage } from './support/owners-data.ts'
import { newSignedIn } from './support/people.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())

async function receive(accountId: string, recipient: string, text: string, secondsAgo: number) {
  const receivedAt = new Date(Date.now() - secondsAgo * 1000)
  await stack.db.sandboxText.create({ data: { accountId, recipient, sender: 'VertexDemo', text, receivedAt } })
}

describe('the sandbox phone', () => {
  it('shows what arrived on every number, newest first, each with its number', async () => {
    const { account, person } = await newSignedIn(stack)
    await receive(account.id, '37061234567', 'the first', 300)
    await receive(account.id, '447700900000', 'the second', 200)
    await receive(account.id, '37061234567', 'Your code is 48213.', 100)
    const { html } = await person.get('/sandbox/phone')
    const rows = [...html.matchAll(/<li class="bubble-row">(.*?)<\/li>/gs)].map(([, row = '']) => row)
    expect(rows.map((row) => /class="bubble">(.*?)<\/p>/s.exec(row)?.[1])).toEqual([
      'Your code is 48213.',
      'the second',
      'the first',
    ])
    expect(rows[0]).toContain('+37061234567')
    expect(rows[1]).toContain('+447700900000')
  })

  it('shows one number when it is picked', async () => {
    const { account, person } = await newSignedIn(stack)
    await receive(account.id, '37061234567', 'for the first number', 10)
    await receive(account.id, '447700900000', 'for the second number', 5)
    const { html } = await person.get('/sandbox/phone?number=37061234567')
    expect(html).toContain('for the first number')
    expect(html).not.toContain('for the second number')
    expect(html).toContain('href="/sandbox/phone?number=447700900000"')
  })

  it('lists the number that is picked ahead of the others, which stay newest first, so that it is in sight', async () => {
    const { account, person } = await newSignedIn(stack)
    for (const [at, digits] of ['37061000001', '37061000002', '37061000003'].entries())
      await receive(account.id, digits, 'Hello', at * 60)
    const listed = async (query: string) => {
      const { html } = await person.get(`/sandbox/phone${query}`)
      return [...html.matchAll(/<a href="\/sandbox\/phone\?number=(\d+)"( aria-current="page")?><span/g)].map(
        ([, digits, current]) => `${digits?.slice(-1)}${current ? '!' : ''}`,
      )
    }
    expect(await listed('')).toEqual(['1', '2', '3'])
    expect(await listed('?number=37061000003')).toEqual(['3!', '1', '2'])
    expect(await listed('?number=37061000009')).toEqual(['1', '2', '3'])
  })

  it('says beside each text which app sent it and what it cost, where that is known', async () => {
    const { account, person } = await newSignedIn(stack)
    const accountId = account.id
    const spenderId = await addConnection(stack, accountId, { redirectHost: 'cursor:' })
    const row = { accountId, recipient: '37061234567', sender: 'Shop', receivedAt: new Date() }
    const messageId = await addMessage(stack, { accountId, spenderId }, { holdMicros: 0n, chargedMicros: 39_500n })
    const gone = await addMessage(stack, { accountId, spenderId: randomUUID() }, { holdMicros: 40_000n })
    await stack.db.sandboxText.createMany({
      data: [
        { ...row, text: 'of Cursor', messageId },
        { ...row, text: 'of a token that is gone', messageId: gone },
        { ...row, text: 'a PIN', sender: 'VertexSMS' },
        { ...row, text: 'of what is kept no more', messageId: 7n },
      ],
    })
    const { html } = await person.get('/sandbox/phone')
    const rows = [...html.matchAll(/<li class="bubble-row">(.*?)<\/li>/gs)].map(([, inner = '']) => inner)
    const foot = (text: string) => {
      const [, inner] = /bubble-foot">(.*)<\/p>/s.exec(rows.find((one) => one.includes(text)) ?? '') ?? []
      return inner?.replace(/<[^>]*>/g, '')
    }
    expect(foot('>of Cursor<')).toBe('An app that opens cursor: links 0.0395 EUR')
    expect(html).toContain(`href="/connections/${spenderId}"`)
    expect(foot('token that is gone')).toBe('An app or token that is gone 0.04 EUR')
    expect([foot('a PIN'), foot('kept no more')]).toEqual([undefined, undefined])
    // No dot that a line could begin with.
    expect(html.slice(html.indexOf('<main'))).not.toContain('·')
  })

  it('tells of no message of another account', async () => {
    const other = await newSignedIn(stack)
    const of = { accountId: other.account.id, spenderId: await addConnection(stack, other.account.id) }
    const messageId = await addMessage(stack, of)
    const { account, person } = await newSignedIn(stack)
    const row = { accountId: account.id, recipient: '37061234567', sender: 'Shop', receivedAt: new Date() }
    await stack.db.sandboxText.create({ data: { ...row, text: 'mine', messageId } })
    expect((await person.get('/sandbox/phone')).html).not.toContain('bubble-foot')
  })

  it('shows nothing of another account, not even for its number', async () => {
    const owner = await newSignedIn(stack)
    await receive(owner.account.id, '37061234567', 'private', 10)
    const { person } = await newSignedIn(stack)
    for (const path of ['/sandbox/phone', '/sandbox/phone?number=37061234567']) {
      const { status, html } = await person.get(path)
      expect(status).toBe(200)
      expect(html).not.toContain('private')
    }
  })

  it('needs a session', async () => {
    const answer = await (await stack.person()).get('/sandbox/phone')
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe('/sign-in?return_to=%2Fsandbox%2Fphone')
  })

  it('shows a hostile text as text', async () => {
    const { account, person } = await newSignedIn(stack)
    await receive(account.id, '37061234567', '<script>alert(1)</script>', 1)
    const { html } = await person.get('/sandbox/phone')
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(html).not.toContain('<script>alert')
  })

  it.each(['abc', '%00', '1'.repeat(21), '<b>'])('takes the odd number %j for no choice', async (number) => {
    const { person } = await newSignedIn(stack)
    expect((await person.get(`/sandbox/phone?number=${encodeURIComponent(number)}`)).status).toBe(200)
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

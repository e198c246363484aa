import { randomBytes } from 'node:crypto'
import { upstreamTokenContext } from '@vertexsms/contract/upstream-account'
import { open } from '@vertexsms/secrets/seal'
import { subkey } from '@vertexsms/secrets/subkey'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../src/service-limits.ts'
import { realTime, untilWindow } from './support/clock.ts'
import { type InternalApiDouble, startInternalApi } from './support/internal-api.ts'
import { newSignedIn, PASSWORD } from './support/people.ts'
import { hiddenField, type Person, type View } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

const PATH = '/settings/vertexsms-account'
const TOKEN = 'canary-of-the-page-7c6d5e'
const OPERATOR_KEY = randomBytes(32)

let api: InternalApiDouble
let stack: Stack
let person: Person
let accountId: string
/** Every page that was answered. */
const pages: string[] = []

beforeAll(async () => {
  api = await startInternalApi(OPERATOR_KEY)
  const key = OPERATOR_KEY.toString('base64url')
  const settings = { OPERATOR_KEY: key, UPSTREAM: 'vertexsms', API_INTERNAL_URL: api.url }
  stack = await startStack({ settings: { ...settings, RATE_LIMITS: 'on' } })
})
afterEach(() => realTime(stack))
afterAll(async () => {
  await stack?.close()
  await api?.close()
})
beforeEach(async () => {
  const { account, person: browser } = await newSignedIn(stack)
  accountId = account.id
  person = browser
  Object.assign(api, { verdict: 'accepted', answer: null, meanwhile: async () => {} })
  api.asked.length = 0
})

async function post(path: string, fields: Record<string, string>): Promise<View> {
  const { html } = await person.get(PATH)
  const answer = await person.post(path, [['csrf', hiddenField(html, 'csrf')], ...Object.entries(fields)])
  pages.push(answer.html)
  return answer
}
const set = (fields: Record<string, string> = {}) => post(PATH, { token: TOKEN, password: PASSWORD, ...fields })
const row = () => stack.db.upstreamAccount.findUnique({ where: { accountId } })
async function show(query = ''): Promise<string> {
  const { html } = await person.get(`${PATH}${query}`)
  pages.push(html)
  return html
}

describe('Settings -> Sending account', () => {
  it('says that nothing can be sent before there is a token', async () => {
    const html = await show()
    expect(html).toContain('Nothing can be sent yet')
    expect(html).toContain('No token is set.')
    expect(html).not.toContain('Remove token')
  })

  it('stores a token that VertexSMS took, sealed for the API, and shows its last four characters alone', async () => {
    const answer = await set({ token: `  ${TOKEN}\n` })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `${PATH}?done=stored`])
    expect(api.asked).toEqual([{ accountId, token: TOKEN }])
    const html = await show('?done=stored')
    for (const part of [
      'The token is stored',
      '<dt>Last four characters</dt><dd><code>6d5e</code></dd>',
      'Replace token',
    ])
      expect(html).toContain(part)
    expect(html).not.toContain('<dd>not yet</dd>')
    const stored = await row()
    const key = subkey(OPERATOR_KEY, 'upstream-token')
    expect(stored && open(key, stored.sealedToken ?? Buffer.of(), upstreamTokenContext(stored))).toBe(TOKEN)
    expect(stored).toMatchObject({ generation: 1, checkedAt: expect.any(Date) })
  })

  it.each([
    ['a wrong password', { password: 'not it' }, 'The password is not right', 0],
    ['no token', { token: '' }, 'Paste the API token', 0],
    ['a token of this site', { token: `vsms_${'x'.repeat(43)}` }, 'a token of this site', 0],
    ['a token that no header holds', { token: 'zwölf Zeichen und mehr' }, 'That is not a token', 0],
    ['a token that is too long', { token: 'x'.repeat(3000) }, 'That is not a token', 0],
  ])('stores nothing with %s, says so at its field, and repeats nothing of it', async (_what, fields, says, asked) => {
    const answer = await set(fields)
    expect(answer.status).toBe(422)
    expect(answer.html).toContain(says)
    expect(answer.html).toMatch(/aria-invalid="true" aria-describedby="\w+-problem" autofocus/)
    for (const value of Object.values(fields)) if (value) expect(answer.html).not.toContain(value)
    expect(api.asked).toHaveLength(asked)
    expect(await row()).toBeNull()
  })

  it('stores nothing that VertexSMS refuses, whatever is ticked before', async () => {
    api.verdict = 'refused'
    const answer = await set()
    expect([answer.status, answer.html.includes('does not take this token')]).toEqual([422, true])
    expect(answer.html).not.toContain('name="unasked"')
    expect(await row()).toBeNull()
  })

  it.each([
    ['the API cannot ask VertexSMS', { verdict: 'not_asked' as const, answer: null }],
    ['the API fails', { answer: { status: 500, body: '{}' } }],
    ['the API answers something else', { answer: { status: 200, body: '<html>' } }],
  ])('stores nothing while %s, and then only by a tick of its owner', async (_what, how) => {
    Object.assign(api, how)
    const answer = await set()
    expect(answer.status).toBe(422)
    expect(answer.html).toContain('We could not reach VertexSMS')
    expect(answer.html).toContain('name="unasked" value="on">')
    expect(await row()).toBeNull()
    // A wrong password unticks nothing.
    const mistyped = await set({ unasked: 'on', password: 'not the password' })
    expect([mistyped.status, mistyped.html.includes('name="unasked" value="on" checked>')]).toEqual([422, true])
    expect(await row()).toBeNull()
    expect((await set({ unasked: 'on' })).status).toBe(303)
    expect(await row()).toMatchObject({ checkedAt: null, lastFour: '6d5e' })
    expect(await show()).toContain('<dd>not yet</dd>')
  })

  it('replaces a token with a new generation, and takes the same one again without', async () => {
    await set()
    expect((await set()).headers.get('location')).toBe(`${PATH}?done=same`)
    expect((await row())?.generation).toBe(1)
    await set({ token: `${TOKEN}-new1` })
    expect(await row()).toMatchObject({ generation: 2, lastFour: 'new1' })
  })

  it('removes a token by the password alone, and keeps its generation', async () => {
    await set()
    const refused = await post(`${PATH}/remove`, { password: 'not it' })
    expect([refused.status, refused.html.includes('The password is not right')]).toEqual([422, true])
    expect((await row())?.lastFour).toBe('6d5e')
    expect((await post(`${PATH}/remove`, { password: PASSWORD })).status).toBe(303)
    expect(await row()).toMatchObject({ sealedToken: null, lastFour: null, generation: 2 })
    expect(await show()).toContain('No token is set.')
  })

  it.each([
    ['0.0035', 3_500n],
    ['1', 1_000_000n],
    ['0.000001', 1n],
    ['', null],
  ])('takes the price %s of a lookup to the last micro', async (typed, micros) => {
    await post(`${PATH}/price`, { hlr_price: '5' })
    expect((await post(`${PATH}/price`, { hlr_price: typed })).status).toBe(303)
    expect((await row())?.hlrPriceMicros).toBe(micros)
  })

  it.each(['0,0,1', '-1', '1e3', '0.0000001', '100.000001', 'NaN', '<b>'])('takes no price %s', async (typed) => {
    const answer = await post(`${PATH}/price`, { hlr_price: typed })
    expect([answer.status, answer.html.includes('an amount in EUR')]).toEqual([422, true])
    expect(answer.html).not.toContain('<b>')
    expect(await row()).toBeNull()
  })

  it('takes no price that can be read two ways, and says which', async () => {
    const answer = await post(`${PATH}/price`, { hlr_price: '1,500' })
    expect(answer.status).toBe(422)
    expect(answer.html).toContain('“1,500” can be read as 1.50 or as 1500.00. Enter one of these.')
    expect(await row()).toBeNull()
  })

  it.each([
    ['the browser was signed out', () => stack.db.session.deleteMany({ where: { accountId } })],
    [
      'the password was changed',
      () => stack.db.account.update({ where: { id: accountId }, data: { passwordHash: 'another' } }),
    ],
  ])('changes nothing where %s while VertexSMS was asked', async (_what, meanwhile) => {
    api.meanwhile = meanwhile
    const answer = await set()
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      `/sign-in?return_to=${encodeURIComponent(PATH)}`,
    ])
    expect(api.asked).toHaveLength(1)
    expect(await row()).toBeNull()
  })

  it('stops whoever tries passwords here', async () => {
    await untilWindow(LIMITS.signIn.seconds, stack)
    const statuses = new Set<number>()
    for (let tried = 0; tried < 21; tried++) statuses.add((await set({ password: 'guess' })).status)
    expect([...statuses]).toEqual([422, 429])
    expect((await post(`${PATH}/remove`, { password: PASSWORD })).status).toBe(429)
  })

  it('shows one account nothing of another', async () => {
    await set()
    const other = await newSignedIn(stack)
    expect((await other.person.get(PATH)).html).not.toContain('6d5e')
    expect(await stack.db.upstreamAccount.count({ where: { accountId: other.account.id } })).toBe(0)
  })

  it('has the token in no page, no log line and no message to the API', async () => {
    expect(pages.length).toBeGreaterThan(20)
    for (const text of [...pages, ...stack.logLines, ...api.seen]) expect(text).not.toContain(TOKEN)
  })
})

describe('with the simulated operator', () => {
  it('the page says what it is for', async () => {
    const sandbox = await startStack()
    try {
      const { person: visitor } = await newSignedIn(sandbox)
      const { html } = await visitor.get(PATH)
      expect(html).toContain('This installation sends to a simulator')
      expect(html).not.toContain('Nothing can be sent yet')
      expect(html).not.toContain('We ask VertexSMS')
    } finally {
      await sandbox.close()
    }
  })

  it('a token is stored without asking VertexSMS, and its removal stops nothing that is simulated', async () => {
    const settings = { OPERATOR_KEY: OPERATOR_KEY.toString('base64url'), API_INTERNAL_URL: api.url }
    const sandbox = await startStack({ settings })
    try {
      const { account, person: visitor } = await newSignedIn(sandbox)
      const csrf = hiddenField((await visitor.get(PATH)).html, 'csrf')
      const sent = { csrf, token: TOKEN, password: PASSWORD }
      const { status } = await visitor.post(PATH, Object.entries(sent))
      expect(status).toBe(303)
      const stored = await sandbox.db.upstreamAccount.findUniqueOrThrow({ where: { accountId: account.id } })
      expect([stored.lastFour, stored.checkedAt]).toEqual([TOKEN.slice(-4), null])
      expect(api.asked).toEqual([])
      const { html } = await visitor.get(PATH)
      expect(html).toContain('New messages still go to the simulator')
      expect(html).not.toContain('nothing can be sent')
    } finally {
      await sandbox.close()
    }
  })
})

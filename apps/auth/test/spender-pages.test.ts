// The page of a connection, of a token and of the account: one template, three kinds of spender.
import { randomBytes, randomUUID } from 'node:crypto'
import { SCOPES } from '@vertexsms/contract/scopes'
import { type Database, POOL_SIZE } from '@vertexsms/db/client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type InternalApiDouble, startInternalApi } from './support/internal-api.ts'
import { CAN_MEET } from './support/meeting.ts'
import { addActivity, addConnection, addMessage, addSpender } from './support/owners-data.ts'
import { hiddenField, type Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

let api: InternalApiDouble
let stack: Stack
beforeAll(async () => {
  const operatorKey = randomBytes(32)
  api = await startInternalApi(operatorKey)
  const OPERATOR_KEY = operatorKey.toString('base64url')
  stack = await startStack({ poolSize: POOL_SIZE, settings: { API_INTERNAL_URL: api.url, OPERATOR_KEY } })
})
afterAll(async () => {
  await stack?.close()
  await api?.close()
})
afterEach(() => {
  api.answer = null
  api.cancelled = true
})

async function owner(changes: Record<string, unknown> = {}, on = stack) {
  const { id: accountId } = await on.account()
  const person = await on.person(accountId)
  const connectionId = await addConnection(on, accountId, changes)
  return {
    accountId,
    person,
    connectionId,
    of: { accountId, spenderId: connectionId },
    page: `/connections/${connectionId}`,
  }
}

async function handMade(accountId: string, name = 'Nightly report') {
  const id = randomUUID()
  const facts = { kind: 'manual' as const, permissions: ['POST /sms'], ipAllowList: [], createdAt: new Date() }
  await stack.db.apiToken.create({
    data: { id, accountId, name, tokenHash: new Uint8Array(randomBytes(32)), ...facts },
  })
  return { id, page: `/settings/api/tokens/${id}` }
}

const textOf = (html: string) => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
const message = (id: bigint) => stack.db.sendMessage.findUniqueOrThrow({ where: { id } })

async function send(person: Person, action: string, fields: Record<string, string> = {}) {
  const csrf = hiddenField((await person.get('/settings/sessions')).html, 'csrf')
  return person.post(action, [['csrf', csrf], ...Object.entries(fields)])
}

describe('the page of a token that was deleted', () => {
  it('tells when it ended, what it spent and did, also where others speak of it, and can change nothing', async () => {
    const { person, accountId } = await owner()
    const { id, page } = await handMade(accountId, 'Night run')
    await stack.db.spender.create({ data: { id, accountId, kind: 'token', createdAt: new Date() } })
    await addActivity(stack, { accountId, spenderId: id })
    expect((await person.get(page)).html).toContain(`href="${page}/delete"`)
    await send(person, `${page}/delete`)
    const { html } = await person.get(page)
    expect(textOf(html)).toMatch(/Night run \(deleted\) .*It ended just now \. You deleted it here\./)
    expect(html).toContain('<table class="activity">')
    expect(html).not.toMatch(/<form [^>]*action="[^"]*\/(pause|limits)"/)
    expect((await person.get('/settings/limits')).html).toContain(`<a href="${page}">Night run (deleted)</a>`)
    const { person: other } = await owner()
    expect((await other.get(page)).status).toBe(404)
  })

  it('is none of a token of which nothing says that it was deleted', async () => {
    const { person, accountId } = await owner()
    const id = randomUUID()
    await stack.db.spender.create({ data: { id, accountId, kind: 'token', createdAt: new Date() } })
    expect((await person.get(`/settings/api/tokens/${id}`)).status).toBe(404)
  })
})

describe('the page of a token that ran out', () => {
  it('tells when, and what it spent and did', async () => {
    const { person, accountId } = await owner()
    const { id, page } = await handMade(accountId, 'Night run')
    await addActivity(stack, { accountId, spenderId: id })
    await stack.db.apiToken.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1000) } })
    const { html } = await person.get(page)
    expect(textOf(html)).toMatch(/It ended just now \. Its time ran out\./)
    expect(textOf(html)).not.toContain('(deleted)')
    expect(html).toContain('<table class="activity">')
    expect(html).not.toMatch(/<form [^>]*action="[^"]*\/(pause|limits)"/)
  })
})

describe('a message that waited and was cancelled', () => {
  it.each([
    ['its token was deleted', true, 'cancelled', 'The app or token ended'],
    ['its time passed', false, 'expired', 'Its time had passed'],
    ['it was taken back', false, 'cancelled', 'Before it was sent'],
    ['its app lost the scope to send', false, 'scope_lost', 'The app may no longer send'],
    ['the account sends by another token', false, 'account_changed', 'The sending account was changed'],
  ] as const)('is told with the reason: %s', async (_what, isDeleted, failureReason, words) => {
    const { person, accountId } = await owner()
    const { id, page } = await handMade(accountId)
    const of = { accountId, spenderId: id }
    const messageId = await addMessage(stack, of, { state: 'released', failureReason }, { tokenId: id })
    if (isDeleted) await send(person, `${page}/delete`)
    const row = { ...of, messageId, upstream: 'sandbox', what: 'cancel', outcome: 'OK', country: 'LT', parts: 1 }
    await stack.db.activity.create({ data: { ...row, at: new Date(Date.now() + 1000) } })
    expect(textOf((await person.get(page)).html)).toContain(`Cancelled ${words} Lithuania`)
  })

  it.each([
    ['a newer one took its place', 'replaced', 'A newer connection took over'],
    ['it was disconnected', 'deleted', 'The app or token ended'],
  ] as const)('is told with the reason where its connection is over: %s', async (_what, endedReason, words) => {
    const { person, page, of, connectionId } = await owner()
    const how = { state: 'released', failureReason: 'cancelled' } as const
    const messageId = await addMessage(stack, of, how, { connectionId })
    await stack.db.connection.update({ where: { id: connectionId }, data: { endedAt: new Date(), endedReason } })
    const row = { ...of, messageId, upstream: 'sandbox', what: 'cancel', outcome: 'OK', country: 'LT', parts: 1 }
    await stack.db.activity.create({ data: { ...row, at: new Date(Date.now() + 1000) } })
    expect(textOf((await person.get(page)).html)).toContain(`Cancelled ${words} Lithuania`)
  })
})

describe('the page of a connection', () => {
  it('names first where its answers go, then what it calls itself', async () => {
    const { person, page } = await owner({ clientName: 'VertexSMS <Support>', redirectHost: 'login.example:8443' })
    const text = textOf((await person.get(page)).html)
    expect(text).toContain('login.example not VertexSMS login.example:8443 calls itself “ VertexSMS &lt;Support&gt; ”')
  })

  it.each([
    ['localhost', '“Claude”, an app on this computer answers go to localhost'],
    ['cursor:', 'An app that opens cursor: links answers go to cursor:'],
  ])('calls the app behind %s what it is', async (redirectHost, words) => {
    const { person, page } = await owner({ redirectHost })
    expect(textOf((await person.get(page)).html)).toContain(words)
  })

  it('names an app on this computer by what it calls itself, in quotation marks, wherever its owner meets it', async () => {
    const { person, page, of, accountId } = await owner({ clientName: 'Claude Code', redirectHost: '127.0.0.1' })
    await addActivity(stack, of)
    await addSpender(stack, { accountId, spenderId: randomUUID() })
    const named = '“Claude Code”, an app on this computer'
    const places = ['/', '/settings/api', '/settings/limits', page, `${page}/disconnect`]
    for (const place of places)
      expect([place, textOf((await person.get(place)).html)]).toEqual([place, expect.stringContaining(named)])
    expect((await person.get(page)).html).toMatch(new RegExp(`<title>${named} `))
    expect((await person.get(`${page}/disconnect`)).html).toMatch(new RegExp(`<title>Disconnect ${named}\\?`))
    // On a button, to who hears it, and once it is gone.
    expect(textOf((await person.get('/settings/api')).html)).toContain(`Pause ${named}`)
    await send(person, `${page}/disconnect`)
    const gone = textOf((await person.get('/settings/api?done=connection')).html)
    expect(gone).toContain(`Disconnected: ${named}. Its very next call fails.`)
  })

  it.each([
    ['our name', 'VertexSMS Support', 'An app on this computer not VertexSMS'],
    ['letters of two alphabets', 'Cl\u0430ude', 'An app on this computer may imitate another'],
    ['no name', '', 'An app on this computer answers go to 127.0.0.1'],
  ])('calls one with %s only what it is', async (_what, clientName, words) => {
    const { person, page } = await owner({ clientName, redirectHost: '127.0.0.1' })
    const { html } = await person.get(page)
    expect(textOf(html)).toContain(words)
    expect(html).toMatch(/<title>An app on this computer /)
    expect(html).not.toContain('”, an app')
  })

  it.each([
    [
      'that ends the quotation',
      'X”, an app at claude.ai «safe» "',
      '“X’, an app at claude.ai ’safe’ ’”, an app on this computer',
    ],
    [
      'that ends it with signs of other kinds',
      'X\u275e, ok\u{1f677}, ok\u00a8, ok\ua78c',
      '“X’, ok’, ok’, ok’”, an app on this computer',
    ],
    [
      'that ends it with signs of other scripts, or marks over nothing',
      'X \u0385, ok \u1426, ok\u02be\uff40, ok \u030b, Ame\u0301lie',
      '“X ’, ok ’, ok’, ok ’, Ame\u0301lie”, an app on this computer',
    ],
    [
      'that is written from right to left',
      '\u05e7\u05dc\u05d5\u05d3',
      '“\u2068\u05e7\u05dc\u05d5\u05d3\u2069”, an app on this computer',
    ],
    ['that is markup', '<b>x</b>', '“&lt;b&gt;x&lt;/b&gt;”, an app on this computer'],
  ])('keeps a name %s within its quotation marks', async (_what, clientName, title) => {
    const { person, page } = await owner({ clientName, redirectHost: '127.0.0.1' })
    const { html } = await person.get(page)
    expect(html).toContain(`<title>${title} `)
    expect(html).toContain(`>${title}</h1>`)
  })

  it('draws what was spent on each of fourteen days, with the same numbers in a table', async () => {
    const { person, page, of } = await owner()
    await addActivity(stack, of)
    const { html } = await person.get(page)
    const [drawing = ''] = /<svg.*?<\/svg>/s.exec(html) ?? []
    expect(drawing).toContain('role="img"')
    expect(drawing).toMatch(
      /aria-label="The last fourteen days: [^"]*9\.6455 EUR in fourteen days; the most was 1\.30 EUR/,
    )
    const heights = [...drawing.matchAll(/<rect [^>]* height="(\d+)"/g)].map(([, height]) => Number(height))
    expect([heights.length, Math.max(...heights)]).toEqual([14, 100])
    const [table = ''] = /<table class="keeps">.*?<\/table>/s.exec(html) ?? []
    expect([...table.matchAll(/<tr><th scope="row">/g)]).toHaveLength(14)
    // No decimals that say nothing; blanks as wide as digits, so that the points stand below each other.
    for (const amount of ['1.30\u2007\u2007 EUR', '1.17\u2007\u2007 EUR', '0.481\u2007 EUR'])
      expect(table).toContain(amount)
    // A lookup is no send, and neither is a price that was told late; that one has the sign of a minus.
    expect(table).toMatch(/<td class="money">5<\/td><td class="money">1\.2345 EUR<\/td><\/tr><\/tbody>/)
    expect(textOf(html)).toContain('\u22120.039')
  })

  it('begins a day at the midnight of its owner', async () => {
    const { person, page, of, accountId } = await owner()
    await stack.db.account.update({ where: { id: accountId }, data: { timeZone: 'Pacific/Kiritimati' } })
    const at = new Date()
    await stack.db.activity.create({
      data: { ...of, upstream: 'sandbox', at, what: 'sms', outcome: 'OK', amountMicros: 39_000n },
    })
    const options = { timeZone: 'Pacific/Kiritimati', day: 'numeric', month: 'short' } as const
    const today = new Intl.DateTimeFormat('en-GB', options).format(at)
    expect((await person.get(page)).html).toContain(`<title>${today}: 0.039 EUR</title>`)
  })

  it('counts nothing in the drawing that went through another upstream', async () => {
    const { person, page, of } = await owner()
    const row = { ...of, at: new Date(), what: 'sms', outcome: 'OK', amountMicros: 39_000n }
    await stack.db.activity.create({ data: { ...row, upstream: 'vertexsms' } })
    const { html } = await person.get(page)
    expect(html).toContain('Nothing was spent in the last fourteen days.')
    expect(html).not.toContain('<svg')
  })

  it.each([
    ['burst', 'Within 10 minutes it sent more than 10 times as much as usual.'],
    [
      'number_block',
      'It sent to 8 new numbers that lie within 20 of each other, as somebody does who tries numbers in turn.',
    ],
    ['refused_countries', 'Within 10 minutes it tried 3 countries that its limits do not allow.'],
    ['a rule of another version', 'What it did was out of the ordinary.'],
  ])('says which rule paused it: %s', async (autoPausedReason, words) => {
    const { person, page, of } = await owner()
    await addSpender(stack, of, { autoPausedAt: new Date(), autoPausedReason })
    const text = textOf((await person.get(page)).html)
    expect(text).toContain('It was paused automatically just now')
    expect(text).toContain(words)
  })

  it.each(['burst', 'number_block', 'refused_countries', 'a rule of another version'])(
    'says in Lithuanian of a token that %s paused nothing that fits an app alone',
    async (autoPausedReason) => {
      const { person, accountId } = await owner()
      const { id, page } = await handMade(accountId)
      await addSpender(stack, { accountId, spenderId: id }, { autoPausedAt: new Date(), autoPausedReason })
      await person.get('/language?to=lt')
      for (const path of [page, `${page}/edit`, '/']) {
        const text = textOf((await person.get(path)).html)
        expect([path, text]).toEqual([path, expect.stringContaining('Pristabdyta automatiškai ką tik')])
        expect([path, text.match(/(?<!\p{L})(?:ji|jai|ją)(?!\p{L})/giu)]).toEqual([path, null])
      }
    },
  )

  it.each([
    ['deleted', 'You disconnected it here.'],
    ['revoked', 'The app disconnected itself.'],
    ['refresh_reuse', 'used again, which suggests that it was stolen'],
    ['code_replay', 'Its sign-in code was used twice'],
    ['account', 'that ended every app'],
    ['replaced', 'A newer connection of this app took over'],
    ['something new', 'It ended.'],
  ])('says why it ended: %s', async (endedReason, words) => {
    const { person, page } = await owner({ endedAt: new Date(), endedReason })
    const { html } = await person.get(page)
    expect(textOf(html)).toContain('It ended just now .')
    expect(textOf(html)).toContain(words)
    expect(html).not.toMatch(/>(Pause|Set limits|Disconnect)</)
  })

  it('leads from one whose place another took to the one that goes on, and to no other', async () => {
    const { person, page, of } = await owner({ endedAt: new Date(), endedReason: 'replaced' })
    const link = /<a class="whole" href="([^"]+)">Go to the newer connection<\/a>/
    await addConnection(stack, of.accountId)
    expect((await person.get(page)).html).not.toMatch(link)
    const id = await addConnection(stack, of.accountId, { spenderId: of.spenderId })
    expect(link.exec((await person.get(page)).html)?.[1]).toBe(`/connections/${id}`)
  })

  it.each(['its own', 'the account'])(
    'says of what waits that it is not sent under the pause (%s), and nothing of it without one',
    async (whose) => {
      const { person, page, of } = await owner()
      await addMessage(
        stack,
        of,
        { state: 'scheduled', handedAt: null },
        { scheduledAt: new Date(Date.now() + 3_600_000) },
      )
      const told = /these are not sent unless you resume before they are due/
      expect(textOf((await person.get(page)).html)).not.toMatch(told)
      await send(person, `${whose === 'its own' ? page : '/settings/limits'}/pause`)
      const text = textOf((await person.get(page)).html)
      expect(text).toMatch(told)
      expect(text.includes('Scheduled messages that fall due while it is paused are not sent')).toBe(
        whose === 'its own',
      )
      await send(person, `${whose === 'its own' ? page : '/settings/limits'}/resume`)
      expect(textOf((await person.get(page)).html)).not.toMatch(told)
    },
  )

  it('says of one that can spend nothing no limit on amounts, on no page, and changes no limit that can bind nothing', async () => {
    for (const [scopes, spends, isBound] of [
      [['sms:rates', 'numbers:read'], false, false],
      // A PIN is sent for nothing, and not to a country that is not allowed.
      [['sender:write'], false, true],
      [['sms:send'], true, true],
    ] as const) {
      const { person, page, of } = await owner({ scopes })
      await addSpender(stack, of, { maxPerDayMicros: 5_000_000n, countries: ['LT'] })
      const { html } = await person.get(page)
      const text = textOf(html)
      expect([scopes, text.includes('At most 5.00 EUR a day')]).toEqual([scopes, spends])
      expect([scopes, text.includes('Only to Lithuania')]).toEqual([scopes, isBound])
      expect([scopes, html.includes('name="max_per_day"')]).toEqual([scopes, isBound])
      const list = textOf((await person.get('/settings/api')).html)
      expect([scopes, list.includes('0.00 EUR of 5.00 EUR')]).toEqual([scopes, spends])
      expect([scopes, list.includes('What it may do costs no money.')]).toEqual([scopes, !spends])
      const overview = textOf((await person.get('/')).html)
      expect([scopes, overview.includes('0.00 EUR today')]).toEqual([scopes, spends])
      expect([scopes, overview.includes('What it may do costs no money.')]).toEqual([scopes, !spends])
      await addActivity(stack, { ...of, accountId: of.accountId })
      const spent = textOf((await person.get(page)).html)
      expect([scopes, spent.includes('Left today')]).toEqual([scopes, spends])
    }
  })

  it('says what it may do, and of one that can spend nothing no limit that it does not have', async () => {
    for (const [scopes, spends] of [
      [['sms:rates', 'numbers:read'], false],
      [['sms:send'], true],
      [['sender:write'], false],
      [['hlr:lookup'], true],
    ] as const) {
      const { person, page } = await owner({ scopes })
      const text = textOf((await person.get(page)).html)
      for (const scope of scopes) expect(text).toContain(SCOPES[scope].description)
      expect([scopes, text.includes('Nothing: what it may do costs no money.')]).toEqual([scopes, !spends])
      expect([scopes, text.includes('No limit set.')]).toEqual([scopes, spends])
      const list = textOf((await person.get('/settings/api')).html)
      expect([scopes, list.includes('No daily limit')]).toEqual([scopes, spends])
    }
    const { accountId, person } = await owner()
    const token = await handMade(accountId)
    expect(textOf((await person.get(token.page)).html)).toContain('What it may do Send SMS')
    await stack.db.apiToken.update({ where: { id: token.id }, data: { permissions: ['GET /rates'] } })
    for (const page of [token.page, `${token.page}/edit`])
      expect(textOf((await person.get(page)).html)).toContain('Nothing: what it may do costs no money.')
  })

  describe('that has no keys', () => {
    const ago = new Date(Date.now() - 9 * 60_000)
    const told = 'It has no keys now, so it cannot use your account: '
    const NO_KEYS = /no keys now|needs connecting again/
    const pages = async ({ person, page }: { readonly person: Person; readonly page: string }) =>
      Promise.all(['/', '/settings/api', page].map(async (path) => textOf((await person.get(path)).html)))
    const code = (grantId: string, changes: Record<string, unknown> = {}) => ({
      ...{ kind: 'AuthorizationCode', id: randomUUID(), payload: {}, grantId },
      ...{ expiresAt: new Date(Date.now() + 30_000), ...changes },
    })
    const token = (of: { accountId: string; connectionId: string }, expiresAt: Date) => ({
      ...{
        id: randomUUID(),
        kind: 'oauth_refresh' as const,
        name: 'oauth:refresh:x',
        permissions: [],
        ipAllowList: [],
      },
      ...{ ...of, tokenHash: new Uint8Array(randomBytes(32)), createdAt: ago, expiresAt },
    })

    it('says so wherever it is listed, and once it was used that those it had ran out', async () => {
      const { person, page, of, accountId, connectionId } = await owner({ approvedAt: ago })
      await stack.db.apiToken.create({ data: token({ accountId, connectionId }, new Date(Date.now() - 1000)) })
      const [overview, list, own] = await pages({ person, page })
      expect(overview).toContain('needs connecting again')
      for (const text of [list, own]) expect(text).toContain(`${told}it never finished connecting, or the keys it had`)
      await addActivity(stack, of)
      for (const text of (await pages({ person, page })).slice(1))
        expect(text).toContain(`${told}the keys it had ran out`)
    })

    it.each([
      ['whose code can still be exchanged', (grantId: string) => stack.db.oidcArtifact.create({ data: code(grantId) })],
      [
        'that holds one',
        (_: string, of: { accountId: string; connectionId: string }) =>
          stack.db.apiToken.create({ data: token(of, new Date(Date.now() + 60_000)) }),
      ],
      [
        'that was approved just now',
        (_: string, { connectionId: id }: { accountId: string; connectionId: string }) =>
          stack.db.connection.update({ where: { id }, data: { approvedAt: new Date() } }),
      ],
      [
        'that has ended',
        (_: string, { connectionId: id }: { accountId: string; connectionId: string }) =>
          stack.db.connection.update({ where: { id }, data: { endedAt: new Date(), endedReason: 'deleted' } }),
      ],
    ])('is not said of one %s', async (_what, happen) => {
      const { person, page, accountId, connectionId } = await owner({ approvedAt: ago })
      const { grantId } = await stack.db.connection.findUniqueOrThrow({ where: { id: connectionId } })
      await happen(grantId, { accountId, connectionId })
      for (const text of await pages({ person, page })) expect(text).not.toMatch(NO_KEYS)
    })

    it.each([
      ['was used', { consumedAt: new Date() }],
      ['is over', { expiresAt: new Date(Date.now() - 1000) }],
    ])('is said of one whose code %s', async (_what, changes) => {
      const { person, page, connectionId } = await owner({ approvedAt: ago })
      const { grantId } = await stack.db.connection.findUniqueOrThrow({ where: { id: connectionId } })
      await stack.db.oidcArtifact.create({ data: code(grantId, changes) })
      for (const text of await pages({ person, page })) expect(text).toMatch(NO_KEYS)
    })
  })

  it('says of one whose time is over that it is', async () => {
    const { person, page } = await owner({ expiresAt: new Date(Date.now() - 86_400_000) })
    expect(textOf((await person.get(page)).html)).toContain('It ended yesterday . Its time ran out.')
  })

  it('says what the account itself is held to, and leads there; the page of the account says it once, and the overview too', async () => {
    const { person, page } = await owner()
    expect(textOf((await person.get(page)).html)).not.toContain('limits of your account hold')
    await send(person, '/settings/limits/limits', { max_per_day: '2.50', ask_above: '1' })
    const rules = ['At most 2.50 EUR a day', 'Asks you first above 1.00 EUR']
    const { html } = await person.get(page)
    const sentence = 'The limits of your account hold as well: at most 2.50 EUR a day; asks you first above 1.00 EUR.'
    expect(textOf(html)).toContain(sentence)
    expect(html).toContain('href="/settings/limits"')
    const own = textOf((await person.get('/settings/limits')).html)
    expect(own).not.toContain('limits of your account hold')
    for (const rule of rules) expect(own).toContain(rule)
    expect(textOf((await person.get('/')).html)).toContain(rules.join(' '))
  })

  it('is told among all apps and tokens, too, with a pause of the whole account', async () => {
    const { person } = await owner()
    expect(textOf((await person.get('/settings/api')).html)).not.toMatch(/limits of your account hold|paused/)
    await send(person, '/settings/limits/limits', { max_per_day: '2.50' })
    await send(person, '/settings/limits/pause')
    const text = textOf((await person.get('/settings/api')).html)
    expect(text).toContain('The limits of your account hold as well: at most 2.50 EUR a day.')
    expect(text).toContain('You paused everything just now .')
    expect(text).toContain('No daily limit of its own')
  })

  it('sets no amount apart from its unit where it stands beside its own name', async () => {
    const { person, page, of, connectionId } = await owner()
    await addSpender(stack, of)
    const now = new Date()
    const day = { day: now, dayEndsAt: new Date(now.getTime() + 3_600_000), daySpentMicros: 1_000_000n }
    const held = { upstream: 'sandbox', ...day, totalSpentMicros: 3_039_500n, totalHeldMicros: 80_500n }
    await stack.db.spenderCount.create({ data: { spenderId: connectionId, ...held } })
    const [list, own] = [await person.get('/settings/api'), await person.get(page)]
    const sums = /<dl class="facts panel sums">.*?<\/dl>/s.exec(own.html)?.[0] ?? ''
    for (const html of [/<dl class="app-money.*?<\/dl>/s.exec(list.html)?.[0] ?? '', sums]) {
      for (const words of ['1.00 EUR', '3.12 EUR', 'Of which held for sends under way', '0.0805 EUR'])
        expect(html).toContain(words)
    }
  })

  it('tells what is left today under the account as well, where that is less', async () => {
    const { accountId, person, page, connectionId } = await owner()
    const now = new Date()
    const day = { day: now, dayEndsAt: new Date(now.getTime() + 3_600_000), upstream: 'sandbox' }
    const spent = (micros: bigint) => ({ ...day, daySpentMicros: micros, totalSpentMicros: micros })
    const left = async () => / Left today (\S+) EUR/.exec(textOf((await person.get(page)).html))?.[1]
    await send(person, `${page}/limits`, { max_per_day: '5' })
    await stack.db.spenderCount.create({ data: { spenderId: connectionId, ...spent(1_000_000n) } })
    expect(await left()).toBe('4.00')
    await send(person, '/settings/limits/limits', { max_per_day: '50' })
    await stack.db.spenderCount.create({ data: { spenderId: accountId, ...spent(2_480_000n) } })
    expect(await left()).toBe('4.00')
    await send(person, '/settings/limits/limits', { max_per_day: '2.50' })
    expect(await left()).toBe('0.02')
  })

  it('ties each error to its field, all at once, and puts the person at the first', async () => {
    const { person, page } = await owner()
    const { status, html } = await send(person, `${page}/limits`, {
      max_per_day: 'five',
      countries: 'UK',
      senders: 'Shop',
    })
    expect(status).toBe(422)
    expect(html).toMatch(
      /<input id="max_per_day" name="max_per_day" value="five"[^>]* aria-invalid="true" aria-describedby="error-max_per_day" autofocus>/,
    )
    expect(html).toMatch(
      /<input id="countries" name="countries" value="UK"[^>]* aria-invalid="true" aria-describedby="error-countries">/,
    )
    expect(html).toMatch(/<input id="senders" name="senders" value="Shop"[^>]*autocomplete="off">/)
    for (const id of ['error-max_per_day', 'error-countries']) expect(html).toContain(`id="${id}"`)
    // And all of them first of all, each a link to its field.
    const [told = ''] = /<div [^>]*role="alert">.*?<\/div>/s.exec(html) ?? []
    expect([...told.matchAll(/href="#(\w+)"/g)].map(([, field]) => field)).toEqual(['max_per_day', 'countries'])
    expect(html.indexOf(told)).toBeLessThan(html.indexOf('id="may"'))
  })

  it('puts the person at what came of a change, which is spoken', async () => {
    const { person, page } = await owner()
    const { headers } = await send(person, `${page}/pause`)
    const { html } = await person.get(headers.get('location') ?? '')
    expect(html).toMatch(/<p role="status" tabindex="-1" autofocus><strong>You paused it <span class="whole"><time/)
    const resumed = await send(person, `${page}/resume`)
    expect((await person.get(resumed.headers.get('location') ?? '')).html).toMatch(
      /<p class="note note-good" role="status" tabindex="-1" autofocus>Resumed\./,
    )
    expect((await person.get(`${page}?done=constructor`)).html).not.toContain('tabindex="-1" autofocus')
  })

  it('says of a pause and of its end only what is so when it is read', async () => {
    const { person, page } = await owner()
    const [pausedHere, resumedHere, pausedAll] = [
      'Paused. Reading works',
      'Resumed. Sends go out',
      'You paused everything',
    ]
    const told = async (at: string) => {
      const text = textOf((await person.get(at)).html)
      return [pausedHere, resumedHere, pausedAll].filter((words) => text.includes(words))
    }
    await send(person, `${page}/pause`)
    expect(await told(`${page}?done=resume`)).toEqual([])
    await send(person, `${page}/resume`)
    expect(await told(`${page}?done=pause`)).toEqual([])
    expect(await told(`${page}?done=resume`)).toEqual([resumedHere])
    // Its own pause is over, and yet it sends nothing.
    await send(person, '/settings/limits/pause')
    expect(await told(`${page}?done=resume`)).toEqual([pausedAll])
    expect(await told(page)).toEqual([pausedAll])
    expect((await person.get(page)).html).toContain('<a href="/settings/limits">')
    expect(await told('/?done=resume')).toEqual([pausedAll])
    await send(person, '/settings/limits/resume')
    for (const at of ['/', '/settings/limits']) {
      expect(await told(`${at}?done=pause`)).toEqual([])
      expect(await told(`${at}?done=resume`)).toEqual([resumedHere])
    }
  })

  it.each(['owner', 'automatic'])(
    'says once that it is paused (%s), and leads first to its end, or to what it did where we paused it',
    async (by) => {
      const { person, page, of } = await owner()
      const fired = { autoPausedAt: new Date(), autoPausedReason: 'burst' }
      await addSpender(stack, of, by === 'automatic' ? fired : {})
      if (by === 'owner') await send(person, `${page}/pause`)
      const { html } = await person.get(`${page}?done=pause`)
      expect([...textOf(html).matchAll(/every send is refused/g)]).toHaveLength(1)
      expect(html).not.toContain('note-good')
      const [, ...primary] = /<main.*<\/main>/s.exec(html)?.[0].split('button-primary') ?? []
      expect(primary).toHaveLength(1)
      expect(primary[0]).toMatch(by === 'owner' ? /^">Resume</ : /^" href="#activity">See what it did</)
      expect(textOf(html)).toMatch(/See what it did.* Resume /)
    },
  )

  it('is not resumed by a page on which an automatic pause could not be seen yet: that is shown first', async () => {
    const { person, page, of } = await owner()
    await send(person, `${page}/pause`)
    const seen = async () => hiddenField((await person.get(page)).html, 'seen')
    const older = await seen()
    await send(person, `${page}/resume`, { seen: older })
    const fired = { autoPausedAt: new Date(Date.now() + 1), autoPausedReason: 'burst' }
    await stack.db.spender.update({ where: { id: of.spenderId }, data: fired })
    const { headers } = await send(person, `${page}/resume`, { seen: older })
    const { html } = await person.get(headers.get('location') ?? '')
    expect(html).toMatch(/<p role="status" tabindex="-1" autofocus><strong>It was paused automatically/)
    // The clocks of nodes count for nothing here: what was shown is known by its own time.
    expect(await seen()).toBe(String(fired.autoPausedAt.getTime()))
    const resumed = await send(person, `${page}/resume`, { seen: await seen() })
    expect(resumed.headers.get('location')).toBe(`${page}?done=resume`)
    expect((await person.get(page)).html).not.toContain('It was paused automatically')
  })

  it.skipIf(!CAN_MEET)('is not resumed past an automatic pause that comes just before it', async () => {
    let before = async (): Promise<unknown> => undefined
    const node = await startStack({
      db: (db) =>
        db.$extends({
          query: { spender: { updateMany: async ({ args, query }) => before().then(() => query(args)) } },
        }) as unknown as Database,
    })
    try {
      const { person, page, of } = await owner({}, node)
      await send(person, `${page}/pause`)
      const { html } = await person.get(page)
      const fired = { autoPausedAt: new Date(Number(hiddenField(html, 'seen')) + 1), autoPausedReason: 'burst' }
      before = () => node.db.spender.update({ where: { id: of.spenderId }, data: fired })
      const { headers } = await send(person, `${page}/resume`, { seen: hiddenField(html, 'seen') })
      expect(headers.get('location')).toBe(`${page}?done=pause`)
      expect((await person.get(page)).html).toContain('It was paused automatically')
    } finally {
      await node.close()
    }
  })

  it('shows an automatic pause that began under that of its owner: whoever resumes ends both', async () => {
    const { person, page, of } = await owner()
    await send(person, `${page}/pause`)
    const fired = { autoPausedAt: new Date(), autoPausedReason: 'burst' }
    await stack.db.spender.update({ where: { id: of.spenderId }, data: fired })
    for (const path of [page, '/']) expect((await person.get(path)).html).toMatch(/paused automatically/i)
    const { html } = await person.get(page)
    await send(person, `${page}/resume`, { seen: hiddenField(html, 'seen') })
    await send(person, `${page}/pause`)
    expect((await person.get(page)).html).not.toMatch(/paused automatically/i)
  })

  describe('its activity, in pages', () => {
    const times = (html: string) => [...(html.split('class="activity').at(1) ?? '').matchAll(/datetime="([^"]+)"/g)]
    const amounts = (html: string) =>
      [...(html.split('class="activity').at(1) ?? '').matchAll(/class="money">([\d.]+) EUR/g)].map(([, one]) => one)
    const link = (html: string, rel: 'prev' | 'next') =>
      new RegExp(`href="([^"]+)#activity" rel="${rel}"`).exec(html)?.[1] ?? null
    /** Rows of which every three have the same moment, each with an amount of its own. */
    async function filled(rows: number) {
      const at = await owner()
      const row = { ...at.of, upstream: 'sandbox', what: 'sms', outcome: 'OK' }
      const now = Date.now()
      const add = (from: number, to: number) =>
        stack.db.activity.createMany({
          data: Array.from({ length: to - from }, (_, index) => ({
            ...row,
            at: new Date(now + Math.floor((from + index) / 3) * 1000 - 86_400_000),
            amountMicros: BigInt(from + index + 1) * 10_000n,
          })),
        })
      await add(0, rows)
      return { ...at, add }
    }

    it('leads through all of it to the end and back, each row once, also where moments are the same', async () => {
      const { person, page } = await filled(50)
      const seen: string[][] = []
      let at: string | null = page
      let last = ''
      while (at !== null) {
        last = (await person.get(at)).html
        seen.push(amounts(last) as string[])
        at = link(last, 'next')
      }
      expect(seen.map((rows) => rows.length)).toEqual([20, 20, 10])
      expect(seen.flat()).toEqual(Array.from({ length: 50 }, (_, index) => ((50 - index) / 100).toFixed(2)))
      const middle = (await person.get(link(last, 'prev') ?? '')).html
      expect(amounts(middle)).toEqual(seen[1])
      expect(amounts((await person.get(link(middle, 'prev') ?? '')).html)).toEqual(seen[0])
    })

    it('moves no row from its page while more is done', async () => {
      const { person, page, add } = await filled(45)
      const second = link((await person.get(page)).html, 'next') ?? ''
      const before = amounts((await person.get(second)).html)
      await add(45, 90)
      expect(amounts((await person.get(second)).html)).toEqual(before)
    })

    it('has no ways where one page holds it, and no newer one on the first', async () => {
      const few = await filled(20)
      expect((await few.person.get(few.page)).html).not.toContain('class="pager"')
      const many = await filled(21)
      expect(link((await many.person.get(many.page)).html, 'prev')).toBeNull()
    })

    it.each(['before=0-0', 'after=9999999999999-9', 'before=x', 'before=1-1&before=2-2', `after=${'9'.repeat(40)}-1`])(
      'shows the latest for an address that leads nowhere: %s',
      async (query) => {
        const { person, page } = await filled(25)
        const { status, html } = await person.get(`${page}?${query}`)
        expect([status, times(html).length]).toEqual([200, 20])
        expect(amounts(html)[0]).toBe('0.25')
      },
    )

    it('shows nothing of another spender, whatever row an address names', async () => {
      const { person, page } = await filled(3)
      const other = await filled(60)
      const second = link((await other.person.get(other.page)).html, 'next') ?? ''
      const { html } = await person.get(page + second.slice(second.indexOf('?')))
      expect(amounts(html)).toEqual(['0.03', '0.02', '0.01'])
    })
  })
})

describe('messages that wait for their time', () => {
  const at = (hours: number) => new Date(Date.now() + hours * 3_600_000)
  const scheduled = (of: { accountId: string; spenderId: string }, hours: number, recipient: string) =>
    addMessage(stack, of, { state: 'scheduled', handedAt: null, recipient }, { scheduledAt: at(hours) })

  it('stand on the page of who scheduled them, the next one first, by the last digits of their number alone', async () => {
    const { person, page, of } = await owner()
    await scheduled(of, 9, '37061234009')
    await scheduled(of, 5, '37061234005')
    const { html } = await person.get(page)
    const text = textOf(html)
    expect(text.indexOf('( in 5 hours ) …005')).toBeGreaterThan(0)
    expect(text.indexOf('( in 9 hours ) …009')).toBeGreaterThan(text.indexOf('( in 5 hours ) …005'))
    expect(html).not.toContain('6123400')
  })

  it('lead on to the next ones, and what was done to the older, by those words', async () => {
    const { person, page, of } = await owner()
    for (let hours = 1; hours <= 21; hours += 1) await scheduled(of, hours, '37061234567')
    const at = new Date()
    const row = { ...of, at, upstream: 'sandbox', what: 'sms', outcome: 'OK' }
    await stack.db.activity.createMany({ data: Array.from({ length: 21 }, () => row) })
    const words = [...(await person.get(page)).html.matchAll(/rel="next">([^<]+)</g)].map(([, word]) => word)
    expect(words).toEqual(['Next', 'Older'])
  })

  it('say at what time they go out beside how far away that is, and once for whoever asks for exact times', async () => {
    const { person, page, of } = await owner()
    const scheduledAt = at(24)
    await addMessage(stack, of, { state: 'scheduled', handedAt: null }, { scheduledAt })
    const near = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' } as const
    const clock = `${new Intl.DateTimeFormat('en-GB', near).format(scheduledAt)} UTC`
    const { html } = await person.get(page)
    const times = html.match(/<time datetime="[^"]*" title="[^"]*">tomorrow<\/time>/g)
    expect(times).toEqual([expect.stringContaining(`datetime="${scheduledAt.toISOString()}"`)])
    expect(textOf(html)).toContain(`${clock} ( tomorrow ) …567`)
    await person.get('/times?as=exact&back=/')
    const exact = textOf((await person.get(page)).html)
    const whole = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
    expect(exact).toContain(`Waiting to be sent sandbox ${whole.format(scheduledAt)} UTC …567`)
    expect(exact).not.toContain(clock)
  })

  it('are cancelled by the part that sends, which says whether it did', async () => {
    const { person, page, of, accountId } = await owner()
    const id = await scheduled(of, 5, '37061234005')
    const { headers } = await send(person, `/messages/${id}/cancel`, { back: page })
    expect(headers.get('location')).toBe(`${page}?done=cancelled`)
    expect(api.cancels.at(-1)).toEqual({ accountId, messageId: String(id) })
    api.cancelled = false
    expect((await send(person, `/messages/${id}/cancel`, { back: page })).headers.get('location')).toBe(
      `${page}?done=too_late`,
    )
    api.answer = { status: 500, body: '' }
    const { headers: gone } = await send(person, `/messages/${id}/cancel`, { back: page })
    expect(gone.get('location')).toBe(`${page}?done=unreachable`)
    // What was asked without an answer may have been done.
    const { html } = await person.get(`${page}?done=unreachable`)
    expect(html).not.toContain('Nothing was changed')
    expect(html).toContain('it may be cancelled, or not')
  })

  it('of another account cannot be cancelled, and are not told from none', async () => {
    const { of } = await owner()
    const id = await scheduled(of, 5, '37061234005')
    const stranger = await owner()
    const before = api.cancels.length
    const answers = await Promise.all(
      [String(id), '99', 'x', '9'.repeat(30)].map((one) => send(stranger.person, `/messages/${one}/cancel`)),
    )
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404])
    expect(api.cancels.length).toBe(before)
  })
})

describe('the limits of a connection', () => {
  it.each([
    ['sent twice', ['max_per_day', '9', '9']],
    ['sent twice, empty once', ['max_per_day', '', '9']],
    ['sent twice, and counts people', ['recipients_per_day', '5', '6']],
  ])('stay where a field is %s: that is no empty one', async (_what, [name = '', ...values]) => {
    const { person, page, of } = await owner()
    await send(person, `${page}/limits`, { max_per_day: '2,50', recipients_per_day: '3' })
    const csrf = hiddenField((await person.get('/settings/sessions')).html, 'csrf')
    const fields = values.map((value): [string, string] => [name, value])
    expect((await person.post(`${page}/limits`, [['csrf', csrf], ...fields])).status).toBe(422)
    const row = await stack.db.spender.findUniqueOrThrow({ where: { id: of.spenderId } })
    expect(row).toMatchObject({ maxPerDayMicros: 2_500_000n, recipientsPerDay: 3 })
  })

  it('stay where a form leaves them out, and go where their field is empty', async () => {
    const { person, page, of } = await owner()
    const row = () => stack.db.spender.findUniqueOrThrow({ where: { id: of.spenderId } })
    await send(person, `${page}/limits`, { max_per_day: '2.50', countries: 'LT' })
    await send(person, `${page}/limits`, { max_total: '7' })
    expect(await row()).toMatchObject({ maxPerDayMicros: 2_500_000n, countries: ['LT'], maxTotalMicros: 7_000_000n })
    await send(person, `${page}/limits`, { max_per_day: '' })
    expect(await row()).toMatchObject({ maxPerDayMicros: null, countries: ['LT'] })
  })

  /** The form of limits as a browser sends it from this page, with what is typed into it. */
  const formOf = (html: string, typed: Record<string, string>) => {
    const [form = ''] = /<form [^>]*action="[^"]*\/limits".*?<\/form>/s.exec(html) ?? []
    const inputs = [...form.matchAll(/<input [^>]*name="([^"]+)" value="([^"]*)"([^>]*)>/g)]
    const sent = inputs.filter(([whole, , , rest]) => !whole.includes('checkbox') || rest?.includes('checked'))
    return { ...Object.fromEntries(sent.map(([, name = '', value = '']) => [name, value])), ...typed }
  }

  it('are not brought back by a page that was opened before they were changed', async () => {
    const { person, page, of } = await owner()
    const row = () => stack.db.spender.findUniqueOrThrow({ where: { id: of.spenderId } })
    await send(person, `${page}/limits`, { max_per_day: '100', ask_above: '9', senders: 'Shop' })
    const older = (await person.get(page)).html
    await send(person, `${page}/limits`, { max_per_day: '5', ask_above: '1', senders: '', ask_new_country: 'on' })
    const since = { maxPerDayMicros: 5_000_000n, askAboveMicros: 1_000_000n, senders: [], askNewCountry: true }
    // Shown again for what is wrong, it shows what stands now, and what was typed.
    const refused = await person.post(`${page}/limits`, Object.entries(formOf(older, { countries: 'UK' })))
    expect(refused.status).toBe(422)
    expect(formOf(refused.html, {})).toMatchObject({ max_per_day: '5.00', countries: 'UK', ask_new_country: 'on' })
    for (const html of [older, refused.html]) {
      expect((await person.post(`${page}/limits`, Object.entries(formOf(html, { countries: 'LT' })))).status).toBe(303)
      expect(await row()).toMatchObject({ ...since, countries: ['LT'] })
    }
    // What is changed on it holds, a box and an emptied field as well.
    const { ask_new_country: _unticked, ...last } = formOf((await person.get(page)).html, { max_per_day: '' })
    await person.post(`${page}/limits`, Object.entries(last))
    expect(await row()).toMatchObject({ ...since, maxPerDayMicros: null, askNewCountry: false })
  })
})

describe('messages whose outcome is not known', () => {
  it('stand on top of the page, also those past their lease that no job has noted', async () => {
    const { person, page, of } = await owner()
    await addMessage(stack, of, { recipient: '37061234001' })
    const lost = { state: 'handed_over', leaseUntil: new Date(Date.now() - 1000), recipient: '37061234002' }
    await addMessage(stack, of, lost)
    const underWay = { state: 'handed_over', leaseUntil: new Date(Date.now() + 60_000), recipient: '37061234003' }
    await addMessage(stack, of, underWay)
    const { html } = await person.get(page)
    for (const digits of ['…001', '…002']) expect(html).toContain(digits)
    expect(html).not.toContain('…003')
    expect(html.indexOf('id="unknown"')).toBeLessThan(html.indexOf('id="may"'))
    expect(html).toMatch(/It was not sent<span class="hidden">: the one to the number that ends in 001, /)
  })

  it.each([
    ['sent', { wasSentAt: expect.any(Date), notSentAt: null }],
    ['not_sent', { notSentAt: expect.any(Date), wasSentAt: null }],
  ] as const)('take the word of their owner once: %s', async (outcome, written) => {
    const { person, page, of } = await owner()
    const id = await addMessage(stack, of)
    const action = `/messages/${id}/outcome`
    expect((await send(person, action, { outcome, back: page })).headers.get('location')).toBe(
      `${page}?done=${outcome}`,
    )
    const row = await message(id)
    expect(row).toMatchObject(written)
    for (const word of ['sent', 'not_sent']) {
      expect((await send(person, action, { outcome: word, back: page })).headers.get('location')).toBe(
        `${page}?done=settled`,
      )
    }
    expect(await message(id)).toEqual(row)
    expect((await person.get(page)).html).not.toContain('id="unknown"')
  })

  it('take one word when both are said at once', async () => {
    const { person, of } = await owner()
    const id = await addMessage(stack, of)
    const csrf = hiddenField((await person.get('/settings/sessions')).html, 'csrf')
    const words = ['sent', 'not_sent', 'sent', 'not_sent']
    await Promise.all(
      words.map((outcome) =>
        person.post(`/messages/${id}/outcome`, [
          ['csrf', csrf],
          ['outcome', outcome],
        ]),
      ),
    )
    const { wasSentAt, notSentAt } = await message(id)
    expect([wasSentAt, notSentAt].filter((word) => word !== null)).toHaveLength(1)
  })

  it.each([
    ['accepted', { state: 'accepted' }],
    ['released', { state: 'released', finalAt: new Date() }],
    ['under way', { state: 'handed_over', leaseUntil: new Date(Date.now() + 3_600_000) }],
    ['scheduled', { state: 'scheduled' }],
    ['closed as charged', { finalAt: new Date() }],
  ])('are not those that are %s, of which no word is taken', async (_what, changes) => {
    const { person, page, of } = await owner()
    const id = await addMessage(stack, of, changes)
    const answered = await send(person, `/messages/${id}/outcome`, { outcome: 'not_sent', back: page })
    expect(answered.headers.get('location')).toBe(`${page}?done=settled`)
    expect(await message(id)).toMatchObject({ notSentAt: null, wasSentAt: null })
  })

  it('take no other word', async () => {
    const { person, of } = await owner()
    const id = await addMessage(stack, of)
    for (const outcome of ['', 'constructor', 'not-sent']) await send(person, `/messages/${id}/outcome`, { outcome })
    expect(await message(id)).toMatchObject({ notSentAt: null, wasSentAt: null })
  })

  it('of another account take no word, and are not told from none', async () => {
    const { of } = await owner()
    const id = await addMessage(stack, of)
    const { person } = await owner()
    for (const one of [String(id), '99', 'x']) {
      expect((await send(person, `/messages/${one}/outcome`, { outcome: 'not_sent' })).status).toBe(404)
    }
    expect(await message(id)).toMatchObject({ notSentAt: null, wasSentAt: null })
  })

  it.each(['https://evil.example/', '//evil.example', '/sign-out', '/connections/../x'])(
    'lead from the form to the overview where it names a page that has none: %s',
    async (back) => {
      const { person, of } = await owner()
      const id = await addMessage(stack, of)
      const { headers } = await send(person, `/messages/${id}/outcome`, { outcome: 'sent', back })
      expect(headers.get('location')).toBe('/?done=sent')
    },
  )
})

describe('the page of a token made by hand', () => {
  it('shows, bounds, pauses and resumes it as that of a connection does', async () => {
    const { accountId, person } = await owner()
    const { id, page } = await handMade(accountId, 'Nightly <report>')
    expect((await person.get(page)).html).toContain('Nightly &lt;report&gt;')
    const { headers } = await send(person, `${page}/limits`, { max_per_day: '2.50' })
    expect(headers.get('location')).toBe(`${page}?done=limits`)
    await send(person, `${page}/pause`)
    const row = await stack.db.spender.findUniqueOrThrow({ where: { id } })
    expect(row).toMatchObject({ kind: 'token', maxPerDayMicros: 2_500_000n, pausedAt: expect.any(Date) })
    await send(person, `${page}/resume`)
    expect(await stack.db.spender.findUniqueOrThrow({ where: { id } })).toMatchObject({ pausedAt: null })
  })

  it('is none for another account, nor for a connection, nor for a token that an app was given', async () => {
    const { accountId, connectionId, person } = await owner()
    const { id } = await handMade(accountId)
    const stranger = await owner()
    for (const suffix of ['', '/activity.csv']) {
      expect((await stranger.person.get(`/settings/api/tokens/${id}${suffix}`)).status).toBe(404)
      expect((await person.get(`/settings/api/tokens/${connectionId}${suffix}`)).status).toBe(404)
      expect((await person.get(`/connections/${id}${suffix}`)).status).toBe(404)
    }
    for (const action of ['limits', 'pause', 'resume']) {
      expect((await send(stranger.person, `/settings/api/tokens/${id}/${action}`)).status).toBe(404)
    }
  })
})

describe('the page of the whole account', () => {
  it('tells what all of it did, each row by who did it, those that are gone too', async () => {
    const { accountId, person, of } = await owner({ redirectHost: 'claude.ai' })
    const row = { accountId, upstream: 'sandbox', at: new Date(), what: 'sms', outcome: 'OK', amountMicros: 39_000n }
    const deleted = { id: randomUUID(), accountId, kind: 'token' as const, createdAt: new Date(), endedAt: new Date() }
    await stack.db.spender.create({ data: { ...deleted, endedName: 'Night run' } })
    for (const spenderId of [of.spenderId, randomUUID(), deleted.id])
      await stack.db.activity.create({ data: { ...row, spenderId } })
    const text = textOf((await person.get('/settings/limits')).html)
    expect(text).toContain('claude.ai')
    expect(text).toContain('An app or token that is gone')
    expect(text).toContain('Night run (deleted)')
    const file = await fetch(`${stack.issuer}/settings/limits/activity.csv`, {
      headers: { cookie: person.cookieHeader('/settings/limits/activity.csv') },
    })
    expect(await file.text()).toContain(',Night run,')
  })

  it('sets the limits of the account, which hold for everything under it', async () => {
    const { accountId, person } = await owner()
    const { headers } = await send(person, '/settings/limits/limits', { max_per_day: '20' })
    expect(headers.get('location')).toBe('/settings/limits?done=limits')
    const row = await stack.db.spender.findUniqueOrThrow({ where: { id: accountId } })
    expect(row).toMatchObject({ kind: 'account', maxPerDayMicros: 20_000_000n })
    expect((await person.get('/settings/limits')).html).toContain('At most 20.00 EUR a day')
  })
})

describe('what became of an SMS', () => {
  const REPORTED = [
    [null, null, 'Handed over', ',,,'],
    [1, 0, 'Delivered', ',delivered,0,'],
    [3, 0, 'Delivered', ',delivered,0,'],
    [2, 40, 'Not delivered', ',failed,40,'],
    [16, 2, 'Not delivered in time', ',expired,2,'],
  ] as const

  it.each(REPORTED)(
    'with the report %s and error %s is told as it is',
    async (delivery, deliveryError, words, cells) => {
      const { person, page, of } = await owner()
      const messageId = await addMessage(stack, of, { state: 'accepted', delivery, deliveryError })
      const row = { ...of, upstream: 'sandbox', what: 'sms', at: new Date(), amountMicros: 39_000n, messageId }
      await stack.db.activity.create({ data: { ...row, outcome: 'OK' } })
      const outcomes = [...(await person.get(page)).html.matchAll(/class="outcome">([^<]*)</g)].map(([, text]) => text)
      expect(outcomes).toEqual([words])
      const file = await fetch(`${stack.issuer}${page}/activity.csv`, {
        headers: { cookie: person.cookieHeader(`${page}/activity.csv`) },
      })
      expect((await file.text()).trim().split('\r\n')[1]?.endsWith(cells)).toBe(true)
    },
  )

  it('is told of one whose outcome was not known at first, once, and it counts among those that were sent', async () => {
    const { person, page, of } = await owner()
    const messageId = await addMessage(stack, of, { state: 'accepted', delivery: 1, deliveryError: 0 })
    const [unknown, givenBack] = [await addMessage(stack, of), await addMessage(stack, of, { state: 'released' })]
    const row = { ...of, upstream: 'sandbox', what: 'sms', outcome: 'SEND_OUTCOME_UNKNOWN' }
    await stack.db.activity.createMany({
      data: [
        { ...row, at: new Date(), messageId: givenBack },
        { ...row, at: new Date(Date.now() - 1), messageId: unknown },
        { ...row, at: new Date(Date.now() - 2), messageId, what: 'settle', outcome: 'OK', amountMicros: 39_000n },
        { ...row, at: new Date(Date.now() - 3), messageId },
      ],
    })
    const { html } = await person.get(page)
    const outcomes = [...html.matchAll(/class="outcome">([^<]*)</g)].map(([, text]) => text)
    expect(outcomes).toEqual(['Outcome not known', 'Outcome not known', 'Done', 'Delivered'])
    expect(html).toMatch(/<td class="money">1<\/td><td class="money">0\.039 EUR<\/td>/)
    const file = await fetch(`${stack.issuer}${page}/activity.csv`, {
      headers: { cookie: person.cookieHeader(`${page}/activity.csv`) },
    })
    const lines = (await file.text()).trim().split('\r\n').slice(1)
    expect(lines.map((line) => line.split(',').slice(-3))).toEqual([
      ...Array(3).fill(['', '', '']),
      ['delivered', '0', ''],
    ])
  })

  it('is told of nobody else’s message, of no refusal and of no lookup', async () => {
    const [mine, other] = [await owner(), await owner()]
    const failed = { state: 'accepted', delivery: 2, deliveryError: 40 }
    const [theirs, own] = [await addMessage(stack, other.of, failed), await addMessage(stack, mine.of, failed)]
    const row = { ...mine.of, upstream: 'sandbox', at: new Date() }
    await stack.db.activity.createMany({
      data: [
        { ...row, what: 'sms', outcome: 'OK', messageId: theirs },
        { ...row, what: 'sms', outcome: 'SEND_REFUSED', messageId: own },
        { ...row, what: 'hlr', outcome: 'OK', messageId: own },
      ],
    })
    const { html } = await mine.person.get(mine.page)
    for (const words of ['Handed over', 'Refused by VertexSMS', 'Done']) expect(html).toContain(words)
    expect(html).not.toContain('Not delivered')
  })
})

it.each([
  'SEND_REFUSED',
  'LOOKUP_REFUSED',
  'INVALID_INPUT',
  'UPSTREAM_ACCOUNT_MISSING',
  'UPSTREAM_ACCOUNT_REFUSED',
  'UPSTREAM_CHANGED',
  'UPSTREAM_ANSWER_WRONG',
  'RATE_LIMITED',
  'UNAVAILABLE',
])('what VertexSMS did not take is told in words, not by its code: %s', async (outcome) => {
  const { person, page, of } = await owner()
  await stack.db.activity.create({ data: { ...of, at: new Date(), what: 'sms', outcome, upstream: 'vertexsms' } })
  expect((await person.get(page)).html).toMatch(/class="outcome">[^<]*(refused|Refused|wrongly|changed|not be)[^<]*</)
})

describe('the activity as a file', () => {
  const csv = async (person: Person, path: string) => {
    const response = await fetch(stack.issuer + path, { headers: { cookie: person.cookieHeader(path) } })
    return { headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
  }

  it('is a CSV to keep: UTF-8, lines as RFC 4180 has them, stored nowhere', async () => {
    const { person, page, of } = await owner({ clientName: 'Žinutės, "greitai"\nir pigiai' })
    await addActivity(stack, of)
    const { headers, bytes } = await csv(person, `${page}/activity.csv`)
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
    expect(headers.get('content-disposition')).toMatch(
      /^attachment; filename="vertexsms-activity-20\d\d-\d\d-\d\d\.csv"$/,
    )
    expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff'])
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
    const lines = bytes.subarray(3).toString('utf8').split('\r\n')
    expect(lines[0]).toBe(
      'at,app_or_token,answers_go_to,what,outcome,count,country,parts,amount,currency,number_ends_in,upstream,send_id,delivery,delivery_error,limit',
    )
    expect(lines).toHaveLength(1 + 26 + 1)
    expect(lines[1]).toMatch(
      /^20[\d-]+T[\d:.]+Z,"Žinutės, ""greitai"" ir pigiai",claude\.ai,sms,DESTINATION_NOT_ALLOWED,12,GB,1,0\.00/,
    )
    expect(lines.some((one) => one.includes(',settle,OK,1,LT,1,-0.039,EUR,567,sandbox,'))).toBe(true)
  })

  it.each([
    ['SPEND_CAP_REACHED per_send', 'limit per send', 'vieno siuntimo riba', 'per_send'],
    ['SPEND_CAP_REACHED per_day', 'limit per day', 'dienos riba', 'per_day'],
    ['SPEND_CAP_REACHED total', 'limit in total', 'bendra riba', 'total'],
    ['SPEND_CAP_REACHED', 'a spending limit', 'išlaidų riba', ''],
  ])('and the page name the limit that refused, where that is known: %s', async (outcome, english, lithuanian, cap) => {
    const { person, page, of } = await owner()
    await stack.db.activity.create({ data: { ...of, at: new Date(), what: 'sms', outcome, upstream: 'sandbox' } })
    const { bytes } = await csv(person, `${page}/activity.csv`)
    expect(bytes.toString('utf8')).toMatch(new RegExp(`,sms,SPEND_CAP_REACHED,1,.*,${cap}\\r\\n$`))
    expect(textOf((await person.get(page)).html)).toContain(`SMS Refused: ${english}`)
    person.store(new URL(stack.issuer), ['vertexsms_language=lt; Path=/'])
    expect(textOf((await person.get(page)).html)).toContain(`Atmesta: ${lithuanian}`)
  })

  it.each(['a;=HYPERLINK("x")', 'a; @SUM(A1)', 'a;"=1', 'a;+1', 'a;-1', '＝1', 'a;＋1'])(
    'has none either where cells end at a semicolon, as in Lithuanian, nor in full width: %j (CWE-1236)',
    async (clientName) => {
      const { person, page, of } = await owner({ clientName })
      await addActivity(stack, of)
      const text = (await csv(person, `${page}/activity.csv`)).bytes.toString('utf8')
      expect(text).not.toMatch(/(^|[;,])["\s]*[=+@＝＋－＠]/m)
      expect(text).not.toMatch(/(^|[;,])["\s]*-(?!\d+\.\d+,EUR)/m)
      expect(text).toMatch(/(^|[;,])"?'/m)
    },
  )

  it.each(['=HYPERLINK("https://evil.example")', '+1', '-1', '@SUM(A1)', '\t=1', ' =1', '|cmd', '%x'])(
    'has no cell that a spreadsheet takes for a formula: %j (CWE-1236)',
    async (clientName) => {
      const { person, page, of } = await owner({ clientName })
      await addActivity(stack, of)
      const text = (await csv(person, `${page}/activity.csv`)).bytes.toString('utf8')
      expect(text).not.toMatch(/(^|,|")\s*[=+@|%]/m)
      expect(text).not.toMatch(/(^|,|")\s*-(?!\d+\.\d+,EUR)/m)
      expect(text).toMatch(/,"?'/)
    },
  )

  it('holds every row, newest first, however many there are', async () => {
    const { person, page, of } = await owner()
    const row = { ...of, upstream: 'sandbox', what: 'sms', outcome: 'OK' }
    const now = Date.now()
    const rows = Array.from({ length: 2500 }, (_, at) => ({
      ...row,
      at: new Date(now - Math.floor(at / 3) * 1000),
      amountMicros: BigInt(at),
    }))
    await stack.db.activity.createMany({ data: rows })
    await stack.db.activity.create({
      data: { ...row, spenderId: randomUUID(), at: new Date(), amountMicros: 999_999n },
    })
    const read = async (path: string) => (await csv(person, path)).bytes.toString('utf8').trim().split('\r\n').slice(1)
    const own = await read(`${page}/activity.csv`)
    const amounts = new Set(own.map((one) => one.split(',')[8]))
    expect([own.length, amounts.size]).toEqual([2500, 2500])
    expect(own.map((one) => one.slice(0, 24))).toEqual(
      own
        .map((one) => one.slice(0, 24))
        .sort()
        .reverse(),
    )
    expect(await read('/settings/limits/activity.csv')).toHaveLength(2501)
  })

  it('is none for another account, nor for nobody', async () => {
    const { page } = await owner()
    const { person } = await owner()
    expect((await person.get(`${page}/activity.csv`)).status).toBe(404)
    expect((await (await stack.person()).get(`${page}/activity.csv`)).status).toBe(303)
  })
})

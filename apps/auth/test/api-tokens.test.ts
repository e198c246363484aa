// Settings -> API whole: its list, its forms and every field that they take, each with what is refused.
import { randomBytes, randomUUID } from 'node:crypto'
import { accessTokenName, refreshTokenName } from '@vertexsms/contract/api-token'
import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { POOL_SIZE } from '@vertexsms/db/client'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { addMessage, addSpender } from './support/owners-data.ts'
import { newSignedIn } from './support/people.ts'
import { checkboxes, hiddenField, type Person } from './support/person.ts'
import { API_RESOURCE, type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ poolSize: POOL_SIZE })
})
afterAll(() => stack.close())

/** A connection as approving one leaves it: its row, an access and a refresh token, one scheduled message. */
async function makeConnection(accountId: string, clientName = 'Claude') {
  const now = new Date()
  const inAYear = new Date(now.getTime() + 31_536_000_000)
  const connection = await stack.db.connection.create({
    data: {
      id: randomUUID(),
      accountId,
      grantId: randomUUID(),
      clientId: 'client-1',
      clientName,
      redirectHost: 'claude.ai',
      scopes: ['sms:send', 'sms:rates'],
      createdAt: now,
      approvedAt: now,
      expiresAt: inAYear,
    },
  })
  const row = {
    accountId,
    connectionId: connection.id,
    permissions: ['GET /rates'],
    createdAt: now,
    expiresAt: inAYear,
  }
  const token = (kind: 'oauth_access' | 'oauth_refresh', name: string) =>
    stack.db.apiToken.create({
      data: { ...row, id: randomUUID(), kind, name, tokenHash: new Uint8Array(randomBytes(32)) },
    })
  const access = await token('oauth_access', accessTokenName(connection.id))
  const refresh = await token('oauth_refresh', refreshTokenName(connection.id))
  const message = await stack.db.message.create({
    data: {
      accountId,
      connectionId: connection.id,
      recipient: '37061234567',
      sender: 'VertexDemo',
      text: 'later',
      coding: 0,
      parts: 1,
      priceMicros: 35_000n,
      mccmnc: '24601',
      status: 'scheduled',
      priority: 1,
      outcomeCode: 0,
      createdAt: now,
      sendAt: inAYear,
      reportAt: inAYear,
      expiresAt: inAYear,
    },
  })
  return { connection, access, refresh, message }
}

/** Fills in the form for a new token as the page offers it, with what differs; the page that it ends on. */
async function create(person: Person, changes: Record<string, string | string[]> = {}) {
  const { html } = await person.get('/settings/api/new')
  const fields = {
    form: hiddenField(html, 'form'),
    name: 'Nightly report',
    permissions: ['POST /sms', 'GET /rates'],
    ip_allow_list: '',
    expires_in: '90d',
    ...changes,
  }
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, one]),
  )
  const answer = await person.post('/settings/api/new', [['csrf', hiddenField(html, 'csrf')], ...pairs])
  const location = answer.headers.get('location')
  return answer.status === 303 && location ? person.get(location) : answer
}

/** Opens the confirmation of a row and confirms. */
async function confirmDelete(person: Person, tokenId: string) {
  const { html } = await person.get(`/settings/api/tokens/${tokenId}/delete`)
  return person.post(`/settings/api/tokens/${tokenId}/delete`, [['csrf', hiddenField(html, 'csrf')]])
}

describe('the list of tokens', () => {
  it('shows each token with its name, what it may do and times, those of a connection in its card', async () => {
    const { account, person } = await newSignedIn(stack)
    const { connection } = await makeConnection(account.id)
    await create(person)
    const { html } = await person.get('/settings/api')
    for (const text of [
      accessTokenName(connection.id),
      refreshTokenName(connection.id),
      'Claude',
      'claude.ai',
      'Read SMS rates.',
      'Nightly report',
      'Send SMS, read SMS rates',
      'title="POST /sms, GET /rates"',
      'just now',
      'never',
      `datetime="${connection.expiresAt.toISOString()}"`,
    ]) {
      expect(html, text).toContain(text)
    }
  })

  it('shows nothing of another account', async () => {
    const other = await newSignedIn(stack)
    const { connection } = await makeConnection(other.account.id, 'Somebody else')
    const { person } = await newSignedIn(stack)
    const { html } = await person.get('/settings/api')
    expect(html).not.toContain(connection.id)
    expect(html).not.toContain('Somebody else')
  })

  it('shows a hostile client name as text', async () => {
    const { account, person } = await newSignedIn(stack)
    const { access } = await makeConnection(account.id, '<script>alert(1)</script>"\'<img src=x>')
    for (const path of ['/settings/api', `/settings/api/tokens/${access.id}/delete`]) {
      const { html } = await person.get(path)
      expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;’&lt;img src=x&gt;')
      expect(html).not.toMatch(/<script|<img src=x/)
    }
  })

  it('leaves out what has expired', async () => {
    const { account, person } = await newSignedIn(stack)
    await create(person)
    const past = { expiresAt: new Date(Date.now() - 1) }
    await stack.db.apiToken.updateMany({ where: { accountId: account.id }, data: past })
    expect((await person.get('/settings/api')).html).toContain('No token yet.')
  })
})

describe('a new token', () => {
  it('offers the five scopes, the typical ones ticked, every route by itself, and 5.00 EUR a day', async () => {
    const { person } = await newSignedIn(stack)
    const { html } = await person.get('/settings/api/new')
    expect(checkboxes(html, 'scope')).toEqual([...SCOPE_NAMES])
    expect(checkboxes(html, 'permissions')).toHaveLength(11)
    expect(html).toContain('What you will know it by, in 60 characters at most.')
    const ticked = [...html.matchAll(/value="([^"]*)"(?: data-at="none")? checked/g)].map(([, value]) => value)
    expect(ticked).toEqual(['sms:send', 'sms:rates', '5.00'])
  })

  it('may do what the scopes and the single routes open together', async () => {
    const { account, person } = await newSignedIn(stack)
    await create(person, { scope: ['sms:rates', 'hlr:lookup'], permissions: ['GET /rates', 'GET /prefixes'] })
    const row = await stack.db.apiToken.findFirstOrThrow({ where: { accountId: account.id } })
    expect(row.permissions).toEqual(['GET /rates', 'POST /hlr', 'GET /hlr', 'GET /prefixes'])
    const { html } = await person.get('/settings/api')
    expect(html).toContain('Read SMS rates, run HLR lookups, read mobile prefixes')
    await person.get('/language?to=lt&back=/')
    for (const path of ['/settings/api', `/settings/api/tokens/${row.id}/edit`]) {
      const { html } = await person.get(path)
      expect(html).toContain(
        'Peržiūrėti SMS kainas, atlikti HLR užklausas, peržiūrėti mobiliojo ryšio numerių pradžias',
      )
    }
  })

  it.each([
    ['5.00 EUR a day where nothing is said', {}, 5_000_000n, []],
    ['the amount that is chosen', { limit: '20.00' }, 20_000_000n, []],
    ['none', { limit: 'none' }, null, []],
    ['another amount', { limit: 'other', own_limit: ' 2,50 EUR ' }, 2_500_000n, []],
    ['another amount where nothing is chosen', { own_limit: '70' }, 70_000_000n, []],
    ['what is typed where no limit is chosen', { limit: 'none', own_limit: '2.50' }, 2_500_000n, []],
    ['what is typed where more is chosen', { limit: '20.00', own_limit: '2.50' }, 2_500_000n, []],
    ['what is chosen where more is typed', { limit: '1.00', own_limit: '2.50' }, 1_000_000n, []],
    ['countries', { countries: 'lv, LT' }, 5_000_000n, ['LT', 'LV']],
  ] as const)('is limited to %s', async (_name, changes, maxPerDayMicros, countries) => {
    const { account, person } = await newSignedIn(stack)
    await create(person, changes)
    const spender = await stack.db.spender.findFirstOrThrow({ where: { accountId: account.id, kind: 'token' } })
    expect(spender).toMatchObject({ maxPerDayMicros, countries })
  })

  it('is one, however often its form is sent or its page is loaded again', async () => {
    const { account, person } = await newSignedIn(stack)
    const { html } = await person.get('/settings/api/new')
    const fields: [string, string][] = [
      ['csrf', hiddenField(html, 'csrf')],
      ['form', hiddenField(html, 'form')],
      ['name', 'Once'],
      ['scope', 'sms:rates'],
    ]
    const answers = await Promise.all([1, 2, 3].map(() => person.post('/settings/api/new', fields)))
    const [location = '', ...others] = answers.map((answer) => answer.headers.get('location') ?? '')
    expect(new Set([location, ...others]).size).toBe(1)
    for (let load = 0; load < 3; load += 1) await person.get(location)
    expect(await stack.db.apiToken.count({ where: { accountId: account.id } })).toBe(1)
    // Another form makes another, of the same name too.
    await create(person, { name: 'Once' })
    expect(await stack.db.apiToken.count({ where: { accountId: account.id } })).toBe(2)
  })

  it('is shown once, with a command that works, and kept as a hash only', async () => {
    const { account, person } = await newSignedIn(stack)
    const { status, html, url } = await create(person)
    expect(status).toBe(200)
    const [value = ''] = /vsms_[\w-]{49}/.exec(html) ?? []
    expect(html).toContain(`>${value}</textarea>`)
    expect(html).toContain(`curl -H &quot;Authorization: Bearer ${value}&quot; ${API_RESOURCE}/token`)
    expect(html).toContain(`export TOKEN=${value}`)
    const row = await stack.db.apiToken.findUniqueOrThrow({ where: { tokenHash: hashToken(value) } })
    expect(row).toMatchObject({
      accountId: account.id,
      kind: 'manual',
      name: 'Nightly report',
      permissions: ['POST /sms', 'GET /rates'],
      ipAllowList: [],
      lastFour: value.slice(-10, -6),
    })
    expect(row.expiresAt?.getTime()).toBe(row.createdAt.getTime() + 90 * 86_400_000)
    const list = (await person.get('/settings/api')).html
    expect(list).not.toContain(value)
    expect(list).toContain(`…${row.lastFour}…</code>`)
    // The links at the foot open a page again, which would take the value away.
    expect(html).not.toMatch(/href="\/(language|times)\?/)
    const again = await person.get(url)
    expect(again.html).not.toContain(value)
    expect(again.html).toContain('cannot be shown again')
    for (const link of ['language', 'times']) expect(again.html).toContain(`href="/${link}?`)
    expect(JSON.stringify(person.cookies)).not.toContain(value)
  })

  it('shows its value in the session that made it alone, and never from another value of the cookie', async () => {
    const { account, person } = await newSignedIn(stack)
    const { html } = await person.get('/settings/api/new')
    const answer = await person.post('/settings/api/new', [
      ['csrf', hiddenField(html, 'csrf')],
      ['name', 'Mine'],
      ['scope', 'sms:rates'],
    ])
    const location = answer.headers.get('location') ?? ''
    expect(location).not.toContain('vsms_')
    const [set = ''] = answer.headers.getSetCookie().filter((line) => line.startsWith('vertexsms_once='))
    expect(set).toMatch(/; Max-Age=120; Path=\/settings\/api\/tokens\/[\w-]+\/value; HttpOnly; SameSite=Strict/)
    const url = new URL(location, stack.issuer)
    const elsewhere = await stack.person(account.id)
    elsewhere.store(url, [set])
    expect((await elsewhere.get(url)).html).not.toContain('vsms_')
    const stranger = await newSignedIn(stack)
    stranger.person.store(url, [set])
    expect((await stranger.person.get(url)).status).toBe(404)
    const cookie = person.cookieHeader(url.pathname)
    for (const changed of [cookie.replace(/once=../, 'once=AA'), cookie.replace(/once=[^;]*/, 'once=x')]) {
      const page = await fetch(url, { headers: { cookie: changed } })
      expect([page.status, (await page.text()).includes('vsms_')]).toEqual([200, false])
    }
    // HEAD takes nothing away.
    await fetch(url, { method: 'HEAD', headers: { cookie } })
    expect((await person.get(url)).html).toMatch(/>vsms_[\w-]{49}</)
  })

  it.each([
    ['shows its value', 110_000, true],
    ['does not show its value', 121_000, false],
  ])('%s %i ms after it was made to a browser that kept the cookie', async (_says, passesMs, isShown) => {
    const { person } = await newSignedIn(stack)
    const { html } = await person.get('/settings/api/new')
    const fields = [['csrf', hiddenField(html, 'csrf')] as const, ['name', 'Mine'] as const]
    const answer = await person.post('/settings/api/new', [...fields, ['scope', 'sms:rates']])
    const url = new URL(answer.headers.get('location') ?? '', stack.issuer)
    const cookie = person.cookieHeader(url.pathname)
    try {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + passesMs })
      await stack.followDate()
      const page = await fetch(url, { headers: { cookie } })
      expect([page.status, />vsms_[\w-]{49}</.test(await page.text())]).toEqual([200, isShown])
    } finally {
      vi.useRealTimers()
      await stack.followDate()
    }
  })

  it('takes addresses and blocks of both families, however they are separated', async () => {
    const { account, person } = await newSignedIn(stack)
    await create(person, {
      ip_allow_list: ' 203.0.113.7,198.51.100.0/24\n2001:DB8::/32 ; ::1\t203.0.113.7 ',
      expires_in: 'never',
    })
    const row = await stack.db.apiToken.findFirstOrThrow({ where: { accountId: account.id } })
    expect(row.ipAllowList).toEqual(['203.0.113.7', '198.51.100.0/24', '2001:db8::/32', '::1'])
    expect(row.expiresAt).toBeNull()
    expect((await person.get('/settings/api')).html).toContain('203.0.113.7, 198.51.100.0/24')
  })

  it('is held to every address and country of fields that were sent twice, not to none', async () => {
    const { account, person } = await newSignedIn(stack)
    await create(person, { ip_allow_list: ['203.0.113.7', '203.0.113.8'], countries: ['LT', 'LV'] })
    const { id, ipAllowList } = await stack.db.apiToken.findFirstOrThrow({ where: { accountId: account.id } })
    expect(ipAllowList).toEqual(['203.0.113.7', '203.0.113.8'])
    expect(await stack.db.spender.findUniqueOrThrow({ where: { id } })).toMatchObject({ countries: ['LT', 'LV'] })
  })

  it('says which entries of an older list no address can match', async () => {
    const { account, person } = await newSignedIn(stack)
    await create(person, { ip_allow_list: '203.0.113.7' })
    expect((await person.get('/settings/api')).html).not.toContain('No address matches')
    const ipAllowList = ['203.0.113.7', '::ffff:1.2.3.4/64', 'fe80::1%eth0']
    await stack.db.apiToken.updateMany({ where: { accountId: account.id }, data: { ipAllowList } })
    const { html } = await person.get('/settings/api')
    expect(html).toContain('No address matches ::ffff:1.2.3.4/64, fe80::1%eth0. To change the list')
  })

  it.each([
    ['a name that belongs to connections', { name: 'oauth:access:mine' }, 'belong to connected apps'],
    ['the same in capitals and behind spaces', { name: '  OAuth:x' }, 'belong to connected apps'],
    ['no name', { name: '   ' }, 'Give the token a name.'],
    ['a name of 61 characters', { name: 'x'.repeat(61) }, '60 characters at most'],
    ['a name with a line break', { name: 'a\nb' }, 'control characters'],
    ['no route', { permissions: [] }, 'Choose what it may do: tick at least one.'],
    [
      'an unknown route',
      { permissions: ['POST /sms', 'DELETE /everything'] },
      'Choose what it may do: tick at least one.',
    ],
    ['a wrong address', { ip_allow_list: '203.0.113.256' }, 'is not an IP address'],
    ['a wrong prefix', { ip_allow_list: '203.0.113.0/33' }, 'is not an IP address'],
    ['a wrong IPv6 prefix', { ip_allow_list: '2001:db8::/129' }, 'is not an IP address'],
    ['an address with a zone', { ip_allow_list: 'fe80::1%eth0' }, 'is not an IP address'],
    ['two prefixes', { ip_allow_list: '10.0.0.0/8/8' }, 'is not an IP address'],
    [
      'a mapped block with more than the IPv4 addresses',
      { ip_allow_list: '::ffff:1.2.3.4/64' },
      'is not an IP address',
    ],
    ['a host name', { ip_allow_list: 'example.com' }, 'is not an IP address'],
    [
      '51 addresses',
      { ip_allow_list: Array.from({ length: 51 }, (_, n) => `10.0.0.${n}`).join(' ') },
      '50 addresses at most',
    ],
    ['an unknown expiry', { expires_in: '1000y' }, 'Choose when the token expires.'],
    ['an unknown scope', { scope: ['sms:rates', 'sms:everything'] }, 'Choose what it may do: tick at least one.'],
    ['a limit that is no amount', { own_limit: 'five' }, 'Enter an amount in EUR'],
    ['a limit that can be read two ways', { own_limit: '1,500' }, '“1,500” can be read as 1.50 or as 1500.00.'],
    ['a limit that nobody offered', { limit: 'all' }, 'Enter an amount in EUR'],
    ['another amount that is none', { limit: 'other', own_limit: ' ' }, 'Enter an amount in EUR'],
    ['no limit, as an amount', { limit: 'other', own_limit: 'none' }, 'Enter an amount in EUR'],
    ['a typed amount that is none beside a choice', { limit: '5.00', own_limit: 'x' }, 'Enter an amount in EUR'],
    ['a country that is none', { countries: 'lt, XX, YY' }, '“XX” is not a country code. Enter two-letter codes'],
    ['a country that is markup', { countries: 'LT <b>' }, '“&lt;b&gt;” is not a country code.'],
    ['a country that is long', { countries: `LT ${'é'.repeat(900)}` }, `“${'é'.repeat(20)}…” is not a country code.`],
    ['no country between commas', { countries: ' , ;' }, 'Enter two-letter country codes'],
    ['more text than countries have', { countries: `XX ${'LT '.repeat(900)}` }, 'Enter two-letter country codes'],
    ['a limit sent twice', { own_limit: ['1', '1'], limit: 'none' }, 'Enter an amount in EUR'],
    ['a choice sent twice', { limit: ['none', '5.00'] }, 'Enter an amount in EUR'],
    ['an expiry sent twice', { expires_in: ['never', '1d'] }, 'Choose when the token expires.'],
  ])('is refused with %s', async (_name, changes, sentence) => {
    const { account, person } = await newSignedIn(stack)
    const { status, html } = await create(person, changes)
    expect(status).toBe(422)
    // Once in the summary, which leads to the field, and once at the field, to which it is tied.
    expect(html.split(sentence)).toHaveLength(3)
    const [, id = ''] = /class="small problem" id="([\w-]+)"/.exec(html) ?? []
    expect(html).toContain(`<a href="#${id.replace('-problem', '')}">`)
    expect(html).toMatch(new RegExp(`aria-describedby="${id}[ "]`))
    expect(html).toContain('aria-invalid="true"')
    expect(html.split(' autofocus')).toHaveLength(2)
    expect(html).toContain('<title>Not done: New token')
    expect(await stack.db.apiToken.count({ where: { accountId: account.id } })).toBe(0)
  })

  it('keeps what was typed when something is wrong', async () => {
    const { person } = await newSignedIn(stack)
    const { html } = await create(person, {
      name: 'My <b>name</b>',
      permissions: ['GET /hlr'],
      ip_allow_list: 'nonsense',
      expires_in: '7d',
    })
    expect(html).toContain('value="My &lt;b&gt;name&lt;/b&gt;"')
    expect(html).toContain('value="GET /hlr" checked')
    expect(html).toContain('>nonsense</textarea>')
    expect(html).toContain('<option value="7d" selected>')
    expect(html).toMatch(/<details class="single" open>/)
  })

  it('is refused beyond a hundred', async () => {
    const { account, person } = await newSignedIn(stack)
    const rows = Array.from({ length: 100 }, () => ({
      id: randomUUID(),
      accountId: account.id,
      kind: 'manual' as const,
      name: 'x',
      tokenHash: new Uint8Array(randomBytes(32)),
      createdAt: new Date(),
    }))
    await stack.db.apiToken.createMany({ data: rows })
    const { status, html } = await create(person)
    expect(status).toBe(422)
    expect(html).toContain('An account may have 100 tokens.')
  })
})

describe('deleting', () => {
  it('a manual token removes it after a confirmation that says what happens', async () => {
    const { account, person } = await newSignedIn(stack)
    await create(person)
    await create(person, { name: 'Stays' })
    const { id, lastFour } = await stack.db.apiToken.findFirstOrThrow({
      where: { accountId: account.id, name: 'Nightly report' },
    })
    const page = await person.get(`/settings/api/tokens/${id}/delete`)
    expect(page.html).toContain('refused from its very next call on')
    for (const fact of ['Nightly report', `<code>…${lastFour}…</code>`, 'POST /sms', 'just now']) {
      expect(page.html).toContain(fact)
    }
    expect(await stack.db.apiToken.count({ where: { id } })).toBe(1)
    const answer = await confirmDelete(person, id)
    expect(answer.headers.get('location')).toBe('/settings/api?done=token')
    const left = await stack.db.apiToken.findMany({ where: { accountId: account.id } })
    expect(left.map(({ name }) => name)).toEqual(['Stays'])
    const told = `Nightly report (…${lastFour}…) was deleted.`
    expect((await person.get('/settings/api?done=token')).html).toContain(told)
    // Told once; no address can make the page say a name.
    const again = await person.get('/settings/api?done=token&name=Bank')
    expect(again.html).not.toMatch(/Nightly|>[^<]*Bank|was deleted|role="status"/)
  })

  it('a manual token says how many messages are cancelled with it, and nothing of that where none waits', async () => {
    const { account, person } = await newSignedIn(stack)
    for (const name of ['Nightly', 'Other']) await create(person, { name })
    const rows = await stack.db.apiToken.findMany({ where: { accountId: account.id }, orderBy: { name: 'asc' } })
    const [token = '', other = ''] = rows.map(({ id }) => id)
    const words = async (id: string, language = 'en') => {
      person.store(new URL(stack.issuer), [`vertexsms_language=${language}; Path=/`])
      const { html } = await person.get(`/settings/api/tokens/${id}/delete`)
      return /<strong>([^<]*)<\/strong><\/p>\s*<form/.exec(html)?.[1]
    }
    const scheduled = { state: 'scheduled', handedAt: null }
    const of = { accountId: account.id, spenderId: token }
    // Of the same token: one that went out, one that waits.
    await addMessage(stack, of, { state: 'accepted' }, { tokenId: token })
    expect(await words(token)).toBeUndefined()
    await addMessage(stack, of, scheduled, { tokenId: token })
    expect(await words(token)).toBe('1 scheduled message that has not been sent yet will be cancelled.')
    await addMessage(stack, of, scheduled, { tokenId: token })
    expect(await words(token)).toBe('2 scheduled messages that have not been sent yet will be cancelled.')
    expect(await words(token, 'lt')).toBe('Bus atšauktos 2 suplanuotos žinutės, kurios dar neišsiųstos.')
    expect(await words(other)).toBeUndefined()
    for (const [language, id, said] of [
      [
        'en',
        token,
        'Nightly \\(…[\\w-]{4}…\\) was deleted\\. .*2 scheduled messages that waited are cancelled with it\\.',
      ],
      ['lt', other, 'Ištrinta: Other \\(…[\\w-]{4}…\\)\\. [^.]*\\.</p>'],
    ] as const) {
      person.store(new URL(stack.issuer), [`vertexsms_language=${language}; Path=/`])
      await confirmDelete(person, id)
      expect((await person.get('/settings/api?done=token')).html).toMatch(new RegExp(said))
    }
  })

  it('a token names every limit that is set, on the page that asks and in the list', async () => {
    const { account, person } = await newSignedIn(stack)
    await create(person)
    const { id } = await stack.db.apiToken.findFirstOrThrow({ where: { accountId: account.id } })
    const amounts = { maxPerSendMicros: 1_000_000n, maxPerDayMicros: 2_000_000n, maxTotalMicros: 30_000_000n }
    const others = { recipientsPerDay: 40, countries: ['LT'], senders: ['Shop'], askNewCountry: true }
    await stack.db.spender.update({ where: { id }, data: { ...amounts, ...others, askAboveMicros: 500_000n } })
    for (const path of ['/settings/api', `/settings/api/tokens/${id}/delete`]) {
      const { html } = await person.get(path)
      for (const amount of ['1.00', '2.00', '30.00', '0.50'])
        expect([path, html]).toEqual([path, expect.stringContaining(`${amount} EUR`)])
      for (const part of ['40 recipients', 'Lithuania', 'Shop', 'a country it has never sent to'])
        expect([path, html]).toEqual([path, expect.stringContaining(part)])
    }
  })

  it.each(['access', 'refresh'] as const)(
    'the %s token of a connection ends the whole connection and no other',
    async (kind) => {
      const { account, person } = await newSignedIn(stack)
      const ended = await makeConnection(account.id)
      const stays = await makeConnection(account.id, 'Cursor')
      const page = await person.get(`/settings/api/tokens/${ended[kind].id}/delete`)
      const title = { access: 'Access key 1', refresh: 'Renewal key 1' }[kind]
      expect((await person.get('/settings/api')).html).toContain(`>${title},`)
      expect(page.html).toContain(`Deleting “${title}” ends the whole connection`)
      expect(page.html).not.toContain('oauth:')
      expect(page.html).toContain('<strong>1 scheduled message that')
      const answer = await confirmDelete(person, ended[kind].id)
      expect(answer.headers.get('location')).toBe('/settings/api?done=connection')
      expect((await person.get('/settings/api?done=connection')).html).toContain(
        'Disconnected: claude.ai (Claude). Its very next call',
      )
      const tokens = await stack.db.apiToken.findMany({ where: { accountId: account.id } })
      expect(tokens.map((token) => token.connectionId)).toEqual([stays.connection.id, stays.connection.id])
      const after = await stack.db.connection.findUniqueOrThrow({ where: { id: ended.connection.id } })
      expect(after.endedAt).not.toBeNull()
      const statuses = await stack.db.message.findMany({ where: { accountId: account.id }, orderBy: { id: 'asc' } })
      expect(statuses.map(({ status }) => status)).toEqual(['cancelled', 'scheduled'])
    },
  )

  it('refuses the token of another account as if it did not exist', async () => {
    const owner = await newSignedIn(stack)
    const { access } = await makeConnection(owner.account.id)
    const { person } = await newSignedIn(stack)
    expect((await person.get(`/settings/api/tokens/${access.id}/delete`)).status).toBe(404)
    const { html } = await person.get('/settings/api')
    const answer = await person.post(`/settings/api/tokens/${access.id}/delete`, [['csrf', hiddenField(html, 'csrf')]])
    expect(answer.headers.get('location')).toBe('/settings/api?done=not_found')
    expect(await stack.db.apiToken.count({ where: { id: access.id } })).toBe(1)
  })

  it('happens by POST only: opening the confirmation, or any other address, changes nothing', async () => {
    const { account, person } = await newSignedIn(stack)
    await create(person)
    const { id } = await stack.db.apiToken.findFirstOrThrow({ where: { accountId: account.id } })
    expect((await person.get(`/settings/api/tokens/${id}/delete?confirm=yes`)).status).toBe(200)
    expect((await person.get('/settings/api/tokens/not-an-id/delete')).status).toBe(404)
    expect(await stack.db.apiToken.count({ where: { id } })).toBe(1)
  })

  it('twice ends well', async () => {
    const { account, person } = await newSignedIn(stack)
    const { access, refresh } = await makeConnection(account.id)
    const { html } = await person.get('/settings/api')
    const csrf: [string, string] = ['csrf', hiddenField(html, 'csrf')]
    const answers = await Promise.all(
      [access, refresh].map(({ id }) => person.post(`/settings/api/tokens/${id}/delete`, [csrf])),
    )
    expect(answers.map(({ status }) => status)).toEqual([303, 303])
    expect(await stack.db.apiToken.count({ where: { accountId: account.id } })).toBe(0)
  })
})

describe('a token that was made', () => {
  const made = async () => {
    const { account, person } = await newSignedIn(stack)
    const { html } = await create(person)
    const [value = ''] = /vsms_[\w-]{49}/.exec(html) ?? []
    const row = await stack.db.apiToken.findFirstOrThrow({ where: { accountId: account.id } })
    const path = `/settings/api/tokens/${row.id}`
    const send = async (action: string, fields: [string, string][] = []) => {
      const page = await person.get(`${path}/edit`)
      const own: [string, string][] = [['csrf', hiddenField(page.html, 'csrf')]]
      if (action === 'replace') own.push(['value', hiddenField(page.html, 'value')])
      return person.post(`${path}/${action}`, [...own, ...fields])
    }
    return { account, person, row, path, value, send }
  }

  it('is renamed, and the page says so once', async () => {
    const { person, row, path, send } = await made()
    const answer = await send('edit', [['name', '  Weekly <b> ']])
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `${path}/edit`])
    const { html } = await person.get(`${path}/edit`)
    expect(html).toMatch(/role="status"[^>]*>Renamed to Weekly &lt;b&gt;\./)
    expect((await person.get(`${path}/edit`)).html).not.toContain('role="status"')
    expect(await stack.db.apiToken.findUniqueOrThrow({ where: { id: row.id } })).toMatchObject({ name: 'Weekly <b>' })
  })

  it.each([
    ['', 'Give the token a name.'],
    ['oauth:access:x', 'belong to connected apps'],
    ['x'.repeat(61), '60 characters at most'],
  ])('is not renamed to %j', async (name, sentence) => {
    const { row, send } = await made()
    const { status, html } = await send('edit', [['name', name]])
    expect(status).toBe(422)
    expect(html).toContain(sentence)
    expect(html).toMatch(/aria-invalid="true" aria-describedby="name-problem" autofocus/)
    expect(html).toContain('<title>Not done:')
    expect(await stack.db.apiToken.findUniqueOrThrow({ where: { id: row.id } })).toMatchObject({ name: row.name })
  })

  it('is marked in the list while it is paused, and its page says so and resumes it', async () => {
    const { person, row, path } = await made()
    const other = (await create(person, { name: 'Other' })).html
    expect(other).toContain('Other')
    const rows = async () => {
      const { html } = await person.get('/settings/api')
      const all = [...html.matchAll(/<th scope="row">([\s\S]*?)<\/th>/g)].map(([, cell = '']) => cell)
      return Object.fromEntries(all.map((cell) => [/">([^<]*)<\/a>/.exec(cell)?.[1], cell.includes('>paused</span>')]))
    }
    expect(await rows()).toEqual({ 'Nightly report': false, Other: false })
    const before = (await person.get(`${path}/edit`)).html
    expect(before).not.toMatch(/You paused it|\/resume"/)
    expect(before).toContain('What you will know it by, in 60 characters at most.')
    expect(before).toContain('<button class="button button-primary">Replace value</button>')
    await person.post(`${path}/pause`, [['csrf', hiddenField(before, 'csrf')]])
    expect(await rows()).toEqual({ 'Nightly report': true, Other: false })
    const { html } = await person.get(`${path}/edit`)
    expect(html).toMatch(/You paused it <span class="whole"><time[^>]*>just now<\/time>\.<\/span><\/strong>/)
    expect(html).toContain(`<a class="button" href="${path}#activity">`)
    expect(html).toContain('<button class="button">Replace value</button>')
    const [, action] = /<form method="post" action="([^"]*\/resume)">/.exec(html) ?? []
    const resumed = await person.post(action ?? '', [['csrf', hiddenField(html, 'csrf')]])
    expect([resumed.status, resumed.headers.get('location')]).toEqual([303, `${path}?done=resume`])
    expect(await stack.db.spender.findUnique({ where: { id: row.id } })).toMatchObject({ pausedAt: null })
    expect(await rows()).toEqual({ 'Nightly report': false, Other: false })
    expect((await person.get(`${path}/edit`)).html).not.toMatch(/You paused it|\/resume"/)
  })

  it.each(['edit', 'replace'])(
    'is told to be gone by its form for %s where it was deleted in another tab',
    async (action) => {
      const { person, row, path } = await made()
      const { html } = await person.get(`${path}/edit`)
      await confirmDelete(person, row.id)
      const fields: [string, string][] = [
        ['csrf', hiddenField(html, 'csrf')],
        ['name', 'Another'],
        ['value', hiddenField(html, 'value')],
      ]
      const answer = await person.post(`${path}/${action}`, fields)
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/settings/api?done=not_found'])
      expect(await stack.db.apiToken.count({ where: { accountId: row.accountId } })).toBe(0)
    },
  )

  it('gets another value, shown once, beside which the one before is good for an hour', async () => {
    const { person, row, value, path, send } = await made()
    const answer = await send('replace', [['overlap', 'on']])
    const shown = await person.get(answer.headers.get('location') ?? '')
    const [next = ''] = /vsms_[\w-]{49}/.exec(shown.html) ?? []
    expect(next).not.toBe(value)
    expect(shown.html).toContain('<h1>New value</h1>')
    const now = await stack.db.apiToken.findUniqueOrThrow({ where: { id: row.id } })
    expect(now.tokenHash).toEqual(hashToken(next))
    const before = await stack.db.apiToken.findUniqueOrThrow({ where: { tokenHash: hashToken(value) } })
    expect(before.replacedById).toBe(row.id)
    const goodMs = (before.expiresAt?.getTime() ?? 0) - now.createdAt.getTime()
    expect(Math.round(goodMs / 60_000)).toBe(60)
    const list = (await person.get('/settings/api')).html
    expect(list).toContain(`The old value (…${row.lastFour}…) works until`)
    expect([...list.matchAll(/>Nightly report</g)]).toHaveLength(1)
    expect((await person.get(`${path}/delete`)).html).toMatch(
      /The old value, still good until \d+ \w+, \d\d:\d\d UTC, stops too\./,
    )
    await confirmDelete(person, row.id)
    expect(await stack.db.apiToken.count({ where: { accountId: row.accountId } })).toBe(0)
  })

  it('loses the value before at once where no hour is asked for', async () => {
    const { value, send } = await made()
    await send('replace')
    expect(await stack.db.apiToken.count({ where: { tokenHash: hashToken(value) } })).toBe(0)
  })

  it('gets one value from a form that is sent twice, and loses none', async () => {
    const { person, path, value, row } = await made()
    const page = await person.get(`${path}/edit`)
    const fields: [string, string][] = [
      ['csrf', hiddenField(page.html, 'csrf')],
      ['value', hiddenField(page.html, 'value')],
      ['overlap', 'on'],
    ]
    const answers = await Promise.all([1, 2].map(() => person.post(`${path}/replace`, fields)))
    expect(answers.map(({ status }) => status)).toEqual([303, 303])
    expect(await stack.db.apiToken.count({ where: { accountId: row.accountId } })).toBe(2)
    expect(await stack.db.apiToken.count({ where: { tokenHash: hashToken(value) } })).toBe(1)
  })

  it('is nothing to another account, and its value before has no page', async () => {
    const { row, path, send } = await made()
    await send('replace', [['overlap', 'on']])
    const before = await stack.db.apiToken.findFirstOrThrow({ where: { replacedById: row.id } })
    const { person } = await newSignedIn(stack)
    const csrf: [string, string] = ['csrf', hiddenField((await person.get('/settings/api')).html, 'csrf')]
    for (const page of ['edit', 'value', 'delete']) expect((await person.get(`${path}/${page}`)).status).toBe(404)
    const gone = '/settings/api?done=not_found'
    for (const [action, field] of [
      ['edit', ['name', 'Mine now']],
      ['edit', ['name', '']],
      ['replace', ['value', row.lastFour ?? '']],
    ] as const) {
      const answer = await person.post(`${path}/${action}`, [csrf, [...field]])
      expect([answer.status, answer.headers.get('location')]).toEqual([303, gone])
    }
    expect((await person.get(gone)).html).toContain('Nothing was changed: it was already gone.')
    expect(await stack.db.apiToken.findUniqueOrThrow({ where: { id: row.id } })).toMatchObject({ name: row.name })
    const owner = await stack.person(row.accountId)
    for (const page of ['edit', 'value', 'delete']) {
      expect((await owner.get(`/settings/api/tokens/${before.id}/${page}`)).status).toBe(404)
    }
    expect(await stack.db.apiToken.count({ where: { accountId: row.accountId } })).toBe(2)
  })
})

describe('a long list of tokens', () => {
  const listed = async () => {
    const { account, person } = await newSignedIn(stack)
    const now = Date.now()
    const day = (days: number) => new Date(now + days * 86_400_000)
    const token = (name: string, lastFour: string | null, facts: object) => ({
      id: randomUUID(),
      accountId: account.id,
      kind: 'manual' as const,
      name,
      lastFour,
      tokenHash: new Uint8Array(randomBytes(32)),
      permissions: ['GET /rates'],
      createdAt: new Date(now),
      ...facts,
    })
    await stack.db.apiToken.createMany({
      data: [
        token('b 10', 'aaAA', { createdAt: day(-3), lastUsedAt: day(-2), expiresAt: day(9) }),
        token('B 9', 'bb_B', { createdAt: day(-2), lastUsedAt: null, expiresAt: null }),
        token('same', 'cc%C', { createdAt: day(-1), lastUsedAt: day(-1), expiresAt: day(1) }),
        token('same', null, { createdAt: day(-4), lastUsedAt: null, expiresAt: null }),
      ],
    })
    const names = async (query: string) => {
      const { html } = await person.get(`/settings/api${query}`)
      return [...html.matchAll(/class="token-name"[^>]*>([^<]*)</g)].map(([, name]) => name)
    }
    return { account, person, names }
  }

  it('is put into the order that is asked for', async () => {
    const { names } = await listed()
    expect(await names('')).toEqual(['same', 'B 9', 'b 10', 'same'])
    expect(await names('?order=used')).toEqual(['same', 'b 10', 'B 9', 'same'])
    expect(await names('?order=name')).toEqual(['B 9', 'b 10', 'same', 'same'])
    expect(await names('?order=expires')).toEqual(['same', 'b 10', 'B 9', 'same'])
    expect(await names('?order=constructor')).toEqual(await names(''))
  })

  it('is searched by name and by the last four characters, as text and not as a pattern', async () => {
    const { names, person } = await listed()
    expect(await names('?find=SAME')).toEqual(['same', 'same'])
    expect(await names('?find=%E2%80%A6aaAA%E2%80%A6')).toEqual(['b 10'])
    expect(await names('?find=aaaa')).toEqual([])
    for (const pattern of ['%25', '_', '.*', "'"]) expect(await names(`?find=${pattern}`)).toEqual([])
    const { html } = await person.get('/settings/api?find=%22%3E%3Cb%3E')
    expect(html).toContain('No token has this in its name')
    expect(html).not.toContain('"><b>')
  })

  it('has no two buttons of the same name, tokens and apps of the same name included', async () => {
    const { account, person } = await listed()
    // Called as the list numbers the one behind it.
    await makeConnection(account.id, '2) (Claude')
    await makeConnection(account.id)
    await makeConnection(account.id)
    const { html } = await person.get('/settings/api')
    const named = [
      ...html.matchAll(/<(?:button|summary|a) class="(?:button[^"]*|small)"[^>]*>([\s\S]*?)<\/(?:button|summary|a)>/g),
    ]
    const names = named.map(([, inner = '']) => inner.replace(/<[^>]*>/g, ''))
    expect(names).toContain('Delete same …cc%C…')
    expect(names).toContain('Delete same')
    expect(names).toContain('Pause claude.ai (2) (Claude)')
    expect(names).toContain('Pause claude.ai (3) (Claude)')
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })
})

/** Connects apps that call themselves so, at such places. */
async function connected(accountId: string, apps: readonly (readonly [name: string, place: string])[]) {
  for (const [name, redirectHost] of apps) {
    const { connection } = await makeConnection(accountId, name)
    await stack.db.connection.update({ where: { id: connection.id }, data: { redirectHost } })
  }
}

function headings(html: string): string[] {
  return [...html.matchAll(/<h3[^>]*>(.*?)<\/h3>/gs)].map(([, inner = '']) =>
    inner
      .replace(/<[^>]*>/g, '')
      .replace(/\s+/g, ' ')
      .trim(),
  )
}

describe('more connections than a few', () => {
  const listed = async () => {
    const { account, person } = await newSignedIn(stack)
    await connected(account.id, [
      ['Claude', 'claude.ai'],
      ['Claude', 'localhost'],
      ['100 %', '127.0.0.1'],
      ['Cursor <b>', 'cursor:'],
      ['x', 'app.example.com'],
    ])
    return { account, person }
  }
  const find = async (person: Person, q: string) =>
    (await person.get(`/settings/api?${new URLSearchParams({ q })}`)).html

  it('are a row each, which says the place, the name, what was spent of what and when it was used, and opens', async () => {
    const { account, person } = await listed()
    const before = (await person.get('/settings/api')).html
    expect(before).not.toMatch(/class="app-row|name="q"/)
    const { connection } = await makeConnection(account.id, 'Sixth')
    const id = connection.id
    const spender = { id, accountId: account.id, kind: 'connection' as const, createdAt: new Date() }
    await stack.db.spender.create({ data: { ...spender, maxPerDayMicros: 5_000_000n, pausedAt: new Date() } })
    const { html } = await person.get('/settings/api')
    expect(html).toContain('name="q"')
    const rows = [...html.matchAll(/<details class="app-row">[\s\S]*?<\/summary>/g)].map(([row]) => row)
    expect(rows).toHaveLength(6)
    const row = rows[0]?.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
    const said = 'claude.ai (2) paused calls itself “ Sixth ” Spent today 0.00 EUR of 5.00 EUR Last used never'
    expect(row?.trim()).toBe(said)
    for (const action of ['resume', 'disconnect']) expect(html).toContain(`/connections/${id}/${action}"`)
  })

  it('are found by place and by name as the page writes them, as text and not as a pattern', async () => {
    const { account, person } = await listed()
    await connected(account.id, [['\u017dinut\u0117s', 'zinutes.example']])
    const named = (name: string) => `“${name}”, an app on this computer`
    for (const [q, titles] of [
      ['CLAUDE', ['claude.ai', named('Claude')]],
      ['this computer', [named('100 %'), named('Claude')]],
      ['app.example', ['example.com']],
      ['opens cursor', ['An app that opens cursor: links']],
      ['100 %', [named('100 %')]],
      ['%', [named('100 %')]],
      ['_', []],
      ['.*', []],
      ['\u0000', []],
      // A name that is copied from elsewhere, with its marks beside its letters.
      ['z\u030c', ['zinutes.example']],
      ['\u017dINUT', ['zinutes.example']],
    ] as const) {
      const html = await find(person, q)
      expect([q, headings(html).sort()]).toEqual([q, [...titles].sort()])
    }
    const none = await find(person, '"><b>')
    expect(none).toContain('No connected app has this')
    expect(none).toContain('value="&quot;&gt;&lt;b&gt;"')
    expect(none).toContain('href="/settings/api#apps"')
    expect(await find(person, `a${'😀'.repeat(80)}`)).toContain(`value="a${'😀'.repeat(59)}"`)
  })

  it('are put into order by when they were used, or by what they spent today, and stay so from page to page', async () => {
    const { account, person } = await listed()
    const rows = await stack.db.connection.findMany({
      where: { accountId: account.id },
      orderBy: { approvedAt: 'desc' },
    })
    const [first, second, third] = rows.map(({ id }) => id)
    const now = Date.now()
    for (const [spenderId, micros, dayEndsAt] of [
      [first, 9_000_000n, new Date(now - 1000)],
      [second, 1_000_000n, new Date(now + 3_600_000)],
      [third, 2_000_000n, new Date(now + 3_600_000)],
    ] as const) {
      const data = {
        spenderId: spenderId ?? '',
        upstream: 'sandbox',
        day: new Date(),
        dayEndsAt,
        daySpentMicros: micros,
      }
      await addSpender(stack, { accountId: account.id, spenderId: data.spenderId })
      await stack.db.spenderCount.create({ data: { ...data, totalSpentMicros: micros } })
      const act = { accountId: account.id, spenderId: spenderId ?? '', upstream: 'sandbox', what: 'sms', outcome: 'OK' }
      await stack.db.activity.create({ data: { ...act, at: new Date(now - Number(micros) / 1000), count: 1 } })
    }
    await connected(
      account.id,
      Array.from({ length: 20 }, (_, at) => [`App ${at}`, 'app.example'] as const),
    )
    const shown = async (query: string) =>
      [...(await person.get(`/settings/api?${query}`)).html.matchAll(/id="app-([\w-]+)"/g)].map(([, id]) => id)
    expect((await shown('sort=spent')).slice(0, 2)).toEqual([third, second])
    expect((await shown('sort=used')).slice(0, 3)).toEqual([second, third, first])
    const pages = [await shown('sort=spent'), await shown('sort=spent&apps=2')]
    expect(new Set(pages.flat()).size).toBe(25)
    const { html } = await person.get('/settings/api?sort=spent')
    expect(html).toContain('<option value="spent" selected>')
    expect(html).toMatch(/href="[^"]*sort=spent[^"]*apps=2|href="[^"]*apps=2[^"]*sort=spent/)
    // What is no order is as none.
    expect(await shown('sort=__proto__')).toEqual(await shown(''))
  })

  it('of another account are found by nobody else', async () => {
    await listed()
    const { account, person } = await newSignedIn(stack)
    await connected(account.id, [['Mine', 'mine.example']])
    expect(headings(await find(person, 'claude'))).toEqual([])
    expect(headings(await find(person, 'mine'))).toEqual(['mine.example'])
  })
})

describe('the card of a connection', () => {
  it('shows where it answers first, then its name, what it may, and what it spent of its limit', async () => {
    const { account, person } = await newSignedIn(stack)
    const { connection } = await makeConnection(account.id, '<b>Claude</b>')
    const spenderId = connection.id
    await stack.db.spender.create({
      data: {
        id: spenderId,
        accountId: account.id,
        kind: 'connection',
        createdAt: new Date(),
        maxPerDayMicros: 5_000_000n,
        pausedAt: new Date(),
      },
    })
    await stack.db.spenderCount.create({
      data: {
        spenderId,
        upstream: 'sandbox',
        day: new Date(),
        dayEndsAt: new Date(Date.now() + 3_600_000),
        daySpentMicros: 1_250_000n,
        totalSpentMicros: 7_000_000n,
      },
    })
    const { html } = await person.get('/settings/api')
    expect(html).toMatch(/<h3[^>]*>claude\.ai<\/h3>/)
    expect(html.indexOf('claude.ai</h3>')).toBeLessThan(html.indexOf('&lt;b&gt;Claude&lt;/b&gt;'))
    expect(html).toContain('<meter min="0" max="5000000" value="1250000" aria-label="1.25 EUR of 5.00 EUR today">')
    expect(html).toContain('<dd>7.00 EUR</dd>')
    expect(html).toContain('paused</span>')
    expect(html).toMatch(/action="\/connections\/[\w-]+\/resume"/)
    expect(html).not.toMatch(/<h\d[^>]*>[^<]*[\da-f]{8}-[\da-f]{4}/)
  })

  it('says what of its total is held, and nothing where nothing is', async () => {
    const { account, person } = await newSignedIn(stack)
    const { connection } = await makeConnection(account.id)
    await addSpender(stack, { accountId: account.id, spenderId: connection.id })
    const day = { day: new Date(), dayEndsAt: new Date(Date.now() + 3_600_000), daySpentMicros: 77_500n }
    const spent = { spenderId: connection.id, upstream: 'sandbox', ...day, totalSpentMicros: 77_500n }
    await stack.db.spenderCount.create({ data: spent })
    const text = async () => (await person.get('/settings/api')).html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
    expect(await text()).toContain(
      'Spent today sandbox 0.0775 EUR In total sandbox 0.0775 EUR No daily limit of its own 2 tokens',
    )
    await stack.db.spenderCount.updateMany({ where: { spenderId: connection.id }, data: { totalHeldMicros: 80_500n } })
    expect(await text()).toContain(
      'In total sandbox 0.158 EUR Of which held for sends under way sandbox 0.0805 EUR No daily limit of its own 2 tokens',
    )
  })

  it('calls its keys by what they are for and when they end, with their names in small', async () => {
    const { account, person } = await newSignedIn(stack)
    const { connection } = await makeConnection(account.id)
    const expiresAt = new Date(Date.now() + 3_600_000)
    await stack.db.apiToken.updateMany({ where: { connectionId: connection.id }, data: { expiresAt } })
    const { html } = await person.get('/settings/api')
    const keys = [...html.matchAll(/<li class="app-token">([\s\S]*?)<\/li>/g)].map(([, key = '']) => key)
    const near = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' } as const
    const end = `, expires ${new Intl.DateTimeFormat('en-GB', near).format(expiresAt)} UTC`
    const text = (part: string) =>
      part
        .replace(/<[^>]*>/g, '')
        .replace(/\s+/g, ' ')
        .trim()
    const titles = keys.map((key) => text(/<p>([\s\S]*?)<\/p>/.exec(key)?.[1] ?? ''))
    expect(titles).toEqual([`Access key 1${end}`, `Renewal key 1${end}`])
    expect(keys[0]).toContain(`>oauth:access:${connection.id}</code>`)
    expect(text(keys[0] ?? '')).toContain('Delete Access key 1, claude.ai (Claude)')
  })

  it('shows the newest keys of each kind and counts the others, however many there are', async () => {
    const { account, person } = await newSignedIn(stack)
    const { connection, access } = await makeConnection(account.id)
    const { tokenHash: _hash, id: _id, ...row } = access
    const made = Array.from({ length: 400 }, (_, at) => ({
      ...row,
      id: randomUUID(),
      tokenHash: new Uint8Array(randomBytes(32)),
      createdAt: new Date(Date.now() - at * 1000),
      lastUsedAt: new Date(Date.now() - at * 1000),
    }))
    await stack.db.apiToken.createMany({ data: made })
    // One that ran out is none of them.
    const [last] = made.slice(-1)
    await stack.db.apiToken.update({ where: { id: last?.id ?? '' }, data: { expiresAt: new Date(0) } })
    const { html } = await person.get('/settings/api')
    const keys = [...html.matchAll(/<li class="app-token">([\s\S]*?)<\/li>/g)].map(([, key = '']) => key)
    expect(keys).toHaveLength(5 + 1)
    for (const { id } of made.slice(0, 4)) expect(html).toContain(`/settings/api/tokens/${id}/delete`)
    expect(html).toContain('>401 tokens<')
    expect(html).toContain('395 more, older ones, which end with these.')
    expect(html.length).toBeLessThan(60_000)
    await person.post(`/settings/api/tokens/${made[0]?.id}/delete`, [['csrf', hiddenField(html, 'csrf')]])
    const ended = await stack.db.connection.findUniqueOrThrow({ where: { id: connection.id } })
    expect(ended.endedReason).toBe('deleted')
  })

  it('is headed by its place, also where several share it, with what it calls itself below; on this computer by both', async () => {
    const { account, person } = await newSignedIn(stack)
    await connected(account.id, [
      ['First <b>', 'localhost'],
      ['VertexSMS Support', '127.0.0.1'],
      ['Third', 'cursor:'],
      ['Claude', 'claude.ai'],
      ['Other', 'claude.ai'],
    ])
    const { html } = await person.get('/settings/api')
    const local = '“First &lt;b&gt;”, an app on this computer'
    const imitation = 'An app on this computer not VertexSMS'
    const link = 'An app that opens cursor: links'
    expect(headings(html).sort()).toEqual([local, imitation, link, 'claude.ai', 'claude.ai (2)'].sort())
    expect(html).toContain('calls itself “<bdi class="name">VertexSMS Support</bdi>')
    expect(html).not.toContain('calls itself “<bdi class="name">First')
    expect(html.indexOf(link)).toBeLessThan(html.indexOf('>Third</bdi>'))
  })

  it('pauses and resumes where it stands, and leads nowhere else', async () => {
    const { account, person } = await newSignedIn(stack)
    const { connection } = await makeConnection(account.id)
    const path = `/connections/${connection.id}`
    const send = async (action: string, back: string) => {
      const csrf = hiddenField((await person.get('/settings/api')).html, 'csrf')
      const fields: [string, string][] = [
        ['csrf', csrf],
        ['back', back],
      ]
      return (await person.post(`${path}/${action}`, fields)).headers.get('location')
    }
    expect(await send('pause', '/settings/api')).toBe('/settings/api?done=pause')
    const { html } = await person.get('/settings/api?done=pause')
    expect(html).toMatch(/role="status" tabindex="-1" autofocus>Paused\./)
    expect(html).toContain(`action="${path}/resume"`)
    expect(await send('resume', '/settings/api')).toBe('/settings/api?done=resume')
    for (const back of ['//evil.example', '/settings/api/../x', '/sign-out']) {
      expect(await send('pause', back)).toBe(`${path}?done=pause`)
    }
  })

  it('is disconnected after a question, a token or not, and never for another account', async () => {
    const { account, person } = await newSignedIn(stack)
    const { connection } = await makeConnection(account.id)
    await stack.db.apiToken.deleteMany({ where: { connectionId: connection.id } })
    const path = `/connections/${connection.id}/disconnect`
    const stranger = await newSignedIn(stack)
    const theirs: [string, string] = ['csrf', hiddenField((await stranger.person.get('/settings/api')).html, 'csrf')]
    expect((await stranger.person.get(path)).status).toBe(404)
    const refused = await stranger.person.post(path, [theirs])
    expect(refused.headers.get('location')).toBe('/settings/api?done=not_found')
    expect((await person.get('/settings/api')).html).toContain(`href="${path}"`)
    await addSpender(stack, { accountId: account.id, spenderId: connection.id })
    await stack.db.spenderCount.create({
      data: {
        ...{ spenderId: connection.id, upstream: 'sandbox', day: new Date(), daySpentMicros: 1_250_000n },
        ...{ dayEndsAt: new Date(Date.now() + 3_600_000), totalSpentMicros: 1_250_000n },
      },
    })
    const { html } = await person.get(path)
    expect(html).toContain('1 scheduled message that')
    // By what it is told from another app of the same name.
    const facts = html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
    expect(facts).toMatch(/Connected (just|now).* Last used never Spent today sandbox 1\.25 EUR/)
    const answer = await person.post(path, [['csrf', hiddenField(html, 'csrf')]])
    expect(answer.headers.get('location')).toBe('/settings/api?done=connection')
    expect((await person.get('/settings/api?done=connection')).html).toContain(
      'Disconnected: claude.ai (Claude). Its very next call',
    )
    const row = await stack.db.connection.findUniqueOrThrow({ where: { id: connection.id } })
    expect(row.endedReason).toBe('deleted')
    expect((await person.get(path)).status).toBe(404)
    // A second press is told of what it pressed for, which was no token.
    const again = await person.post(path, [['csrf', hiddenField(html, 'csrf')]])
    const { html: told } = await person.get(again.headers.get('location') ?? '')
    expect(told).toContain('Nothing was changed: it was already gone.')
  })
})

import { randomBytes, randomUUID } from 'node:crypto'
import { accessTokenName, refreshTokenName } from '@vertexsms/contract/api-token'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newSignedIn } from './support/people.ts'
import { checkboxes, hiddenField, type Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
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
      scopes: ['sms:rates'],
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

/** Fills in the form for a new token as the page offers it, with what differs. */
async function create(person: Person, changes: Record<string, string | string[]> = {}) {
  const { html } = await person.get('/settings/api')
  const fields = {
    name: 'Nightly report',
    permissions: ['POST /sms', 'GET /rates'],
    ip_allow_list: '',
    expires_in: '90d',
    ...changes,
  }
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, one]),
  )
  return person.post('/settings/api', [['csrf', hiddenField(html, 'csrf')], ...pairs])
}

/** Opens the confirmation of a row and confirms. */
async function confirmDelete(person: Person, tokenId: string) {
  const { html } = await person.get(`/settings/api/tokens/${tokenId}/delete`)
  return person.post(`/settings/api/tokens/${tokenId}/delete`, [['csrf', hiddenField(html, 'csrf')]])
}

describe('the list of tokens', () => {
  it('shows each token with its name, kind, permissions and times, a connection under its client', async () => {
    const { account, person } = await newSignedIn(stack)
    const { connection } = await makeConnection(account.id)
    await create(person)
    const { html } = await person.get('/settings/api')
    for (const text of [
      accessTokenName(connection.id),
      refreshTokenName(connection.id),
      'Claude',
      'claude.ai',
      'OAuth access',
      'OAuth refresh',
      'Manual',
      'Nightly report',
      'POST /sms',
      'GET /rates',
      'just now',
      'Never',
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
      expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&lt;img src=x&gt;')
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
  it('offers the typical routes ticked', async () => {
    const { person } = await newSignedIn(stack)
    const { html } = await person.get('/settings/api')
    expect(checkboxes(html, 'permissions')).toHaveLength(11)
    const ticked = [...html.matchAll(/name="permissions" value="([^"]*)" checked/g)].map(([, value]) => value)
    expect(ticked).toEqual(['POST /sms', 'GET /rates'])
  })

  it('is shown once and kept as a hash only', async () => {
    const { account, person } = await newSignedIn(stack)
    const { status, html } = await create(person)
    expect(status).toBe(200)
    const [value = ''] = /vsms_[\w-]{49}/.exec(html) ?? []
    const row = await stack.db.apiToken.findUniqueOrThrow({ where: { tokenHash: hashToken(value) } })
    expect(row).toMatchObject({
      accountId: account.id,
      kind: 'manual',
      name: 'Nightly report',
      permissions: ['POST /sms', 'GET /rates'],
      ipAllowList: [],
    })
    expect(row.expiresAt?.getTime()).toBe(row.createdAt.getTime() + 90 * 86_400_000)
    expect((await person.get('/settings/api')).html).not.toContain(value)
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
    ['no route', { permissions: [] }, 'Choose at least one of the routes.'],
    ['an unknown route', { permissions: ['POST /sms', 'DELETE /everything'] }, 'Choose at least one of the routes.'],
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
  ])('is refused with %s', async (_name, changes, sentence) => {
    const { account, person } = await newSignedIn(stack)
    const { status, html } = await create(person, changes)
    expect(status).toBe(422)
    expect(html).toContain(sentence)
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
    const { id } = await stack.db.apiToken.findFirstOrThrow({
      where: { accountId: account.id, name: 'Nightly report' },
    })
    const page = await person.get(`/settings/api/tokens/${id}/delete`)
    expect(page.html).toContain('refused from its very next call on')
    expect(await stack.db.apiToken.count({ where: { id } })).toBe(1)
    const answer = await confirmDelete(person, id)
    expect(answer.headers.get('location')).toBe('/settings/api?done=token')
    const left = await stack.db.apiToken.findMany({ where: { accountId: account.id } })
    expect(left.map(({ name }) => name)).toEqual(['Stays'])
    expect((await person.get('/settings/api?done=token')).html).toContain('The token was deleted.')
  })

  it.each(['access', 'refresh'] as const)(
    'the %s token of a connection ends the whole connection and no other',
    async (kind) => {
      const { account, person } = await newSignedIn(stack)
      const ended = await makeConnection(account.id)
      const stays = await makeConnection(account.id, 'Cursor')
      const page = await person.get(`/settings/api/tokens/${ended[kind].id}/delete`)
      expect(page.html).toContain('ends the whole connection')
      expect(page.html).toMatch(/<strong>1 scheduled message<\/strong>/)
      const answer = await confirmDelete(person, ended[kind].id)
      expect(answer.headers.get('location')).toBe('/settings/api?done=connection')
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

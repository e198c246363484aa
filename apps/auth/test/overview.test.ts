// The first page of the dashboard: every box that it may show, and when it does not; and the lists that it leads to.
import { randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { NO_LIMITS } from '@vertexsms/contract/spender-limits'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createInternalApi } from '../src/connections/internal-api.ts'
import { ASKED, askApproval } from './support/approvals.ts'
import { later, realTime } from './support/clock.ts'
import { type InternalApiDouble, startInternalApi } from './support/internal-api.ts'
import { addActivity, addConnection, addCount, addMessage, addSpender, addToken } from './support/owners-data.ts'
import { hiddenField, type Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

let api: InternalApiDouble
let stack: Stack
beforeAll(async () => {
  const operatorKey = randomBytes(32)
  api = await startInternalApi(operatorKey)
  api.balance = '12.345678'
  const OPERATOR_KEY = operatorKey.toString('base64url')
  stack = await startStack({ settings: { API_INTERNAL_URL: api.url, OPERATOR_KEY } })
})
afterAll(async () => {
  await stack?.close()
  await api?.close()
})
afterEach(async () => {
  api.answer = null
  api.balance = '12.345678'
  await realTime(stack)
})

async function owner() {
  const { id: accountId, email } = await stack.account()
  return { accountId, email, person: await stack.person(accountId) }
}

async function connected(changes: Record<string, unknown> = {}) {
  const at = await owner()
  const connectionId = await addConnection(stack, at.accountId, changes)
  return { ...at, connectionId, of: { accountId: at.accountId, spenderId: connectionId } }
}

const textOf = (html: string) => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
const approval = (id: string) => stack.db.approval.findUniqueOrThrow({ where: { id } })

async function send(person: Person, action: string, fields: Record<string, string> = {}) {
  const csrf = hiddenField((await person.get('/settings/sessions')).html, 'csrf')
  return person.post(action, [['csrf', csrf], ...Object.entries(fields)])
}

describe('the first page of the dashboard', () => {
  it('tells a new account how to connect, as /connect does', async () => {
    const { person } = await owner()
    const { status, html } = await person.get('/')
    expect(status).toBe(200)
    const everybody = (await person.get('/connect')).html
    const links = [...html.matchAll(/href="([^"]+)" rel="noreferrer"/g)].map(([, href]) => href)
    expect(links.length).toBeGreaterThan(2)
    for (const link of links) expect(everybody).toContain(`href="${link}"`)
    expect(html).toContain(`<code class="secret" id="mcp-address">${stack.env.MCP_RESOURCE_URL}</code>`)
    expect(textOf(html)).toContain('No app is connected.')
  })

  it('tells the balance, what was spent today and this month, and the limits of the account', async () => {
    const { person, accountId, of } = await connected()
    await addSpender(stack, { accountId, spenderId: accountId }, { maxPerDayMicros: 20_000_000n })
    await addActivity(stack, of)
    const text = textOf((await person.get('/')).html)
    for (const part of ['Money sandbox Balance 12.345678 EUR', 'Spent today 1.2345 EUR', 'At most 20.00 EUR a day'])
      expect(text).toContain(part)
    expect(text).toMatch(/Spent this month -?\d+\.\d\d/)
  })

  it('counts in the month what its owner spent since its first midnight, and nothing before', async () => {
    const { person, of, accountId } = await connected()
    await stack.db.account.update({ where: { id: accountId }, data: { timeZone: 'Europe/Vilnius' } })
    const row = { ...of, upstream: 'sandbox', what: 'sms', outcome: 'OK' }
    const now = new Date()
    const date = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Vilnius' }).format(now)
    // Midnight of the first in Vilnius is two or three hours before that in UTC.
    const first = Date.parse(`${date.slice(0, 7)}-01T00:00:00Z`)
    await stack.db.activity.createMany({
      data: [
        { ...row, at: now, amountMicros: 1_000_000n },
        { ...row, at: new Date(first - 90 * 60_000), amountMicros: 10_000_000n },
        { ...row, at: new Date(first - 4 * 3_600_000), amountMicros: 100_000_000n },
      ],
    })
    expect(textOf((await person.get('/')).html)).toContain('Spent this month 11.00 EUR')
  })

  it('counts what is under way today in the month as well, and what is scheduled in neither', async () => {
    const { person, accountId, of } = await connected()
    await addSpender(stack, { accountId, spenderId: accountId })
    await addSpender(stack, of)
    const now = new Date()
    const row = { ...of, upstream: 'sandbox', what: 'sms', outcome: 'OK' }
    await stack.db.activity.create({ data: { ...row, at: now, amountMicros: 77_500n } })
    const day = { day: now, dayEndsAt: new Date(now.getTime() + 3_600_000), daySpentMicros: 77_500n }
    const total = { totalSpentMicros: 77_500n }
    const counted = [accountId, of.spenderId].map((spenderId) => ({ spenderId, upstream: 'sandbox', ...day, ...total }))
    await stack.db.spenderCount.createMany({ data: counted })
    const where = { spenderId: { in: [accountId, of.spenderId] } }
    const sums = async () => {
      const text = textOf((await person.get('/')).html)
      return [/Spent today (\S+) EUR/.exec(text)?.[1], /Spent this month (\S+) EUR/.exec(text)?.[1]]
    }
    expect(await sums()).toEqual(['0.0775', '0.0775'])

    const nextMonth = { scheduledAt: new Date(now.getTime() + 32 * 86_400_000) }
    await addMessage(stack, of, { state: 'scheduled', handedAt: null, holdMicros: 80_500n }, nextMonth)
    await stack.db.spenderCount.updateMany({ where, data: { totalHeldMicros: 80_500n, scheduled: 1 } })
    expect(await sums()).toEqual(['0.0775', '0.0775'])

    await addMessage(stack, of, { state: 'handed_over', day: now })
    await stack.db.spenderCount.updateMany({ where, data: { dayHeldMicros: 39_000n, totalHeldMicros: 119_500n } })
    expect(await sums()).toEqual(['0.1165', '0.1165'])

    // What was under way on a day that is over is held on that day, not on this one.
    const over = { dayEndsAt: new Date(now.getTime() - 1000) }
    await stack.db.spenderCount.updateMany({ where, data: over })
    expect(await sums()).toEqual(['0.00', '0.0775'])
  })

  it.each([
    ['nobody tells it', () => (api.balance = null), 'Money sandbox Balance not known here'],
    ['the answer makes no sense', () => (api.answer = { status: 200, body: '[]' }), 'not available right now'],
    ['the API fails', () => (api.answer = { status: 500, body: '' }), 'not available right now'],
  ])('says so in words where %s', async (_what, happen, words) => {
    const { person } = await owner()
    happen()
    const { status, html } = await person.get('/')
    expect(status).toBe(200)
    expect(textOf(html)).toContain(words)
  })

  describe('of an API that answers with more than an answer is', () => {
    const MIB = 1024 * 1024
    const [opening, space, closing] = ['{"balance":"1.00","currency":"EUR"', ' '.repeat(MIB), '}'].map((text) =>
      Buffer.from(text),
    ) as [Buffer, Buffer, Buffer]
    function* endless() {
      yield opening
      for (;;) yield space
    }
    function* long() {
      yield opening
      for (let pieces = 0; pieces < 8; pieces += 1) yield space
      yield closing
    }

    it('reads a few MiB of what never ends, and says that it has no balance', async () => {
      const { person } = await owner()
      api.taken = 0
      api.answer = { status: 200, body: endless() }
      expect(textOf((await person.get('/')).html)).toContain('not available right now')
      expect(api.taken).toBeLessThan(64 * MIB)
    })

    it('waits no longer for the end of one than for its beginning', async () => {
      const server = createServer((_request, response) => response.writeHead(200).write(opening))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const internalApi = createInternalApi({ url, operatorKey: randomBytes(32), timeoutMs: 50 })
      expect(await internalApi.ask('balance', { accountId: randomUUID() })).toBeNull()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })

    it('is read where it waits to be, though this process stood still until after its time', async () => {
      const server = createServer((_request, response) => {
        // Both ends stand still together: once they go on, the end of the time and the answer come in one turn.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_100)
        response.end(Buffer.concat([opening, closing]))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const internalApi = createInternalApi({ url, operatorKey: randomBytes(32), timeoutMs: 1_000 })
      expect(await internalApi.ask('balance', { accountId: randomUUID() })).toMatchObject({ balance: '1.00' })
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })

    it.each([
      ['as it is', {}, (body: Buffer) => body],
      ['packed', { 'content-encoding': 'gzip' }, gzipSync],
    ] as const)('takes none that is too long %s, however right it is', async (_how, headers, packed) => {
      const { person } = await owner()
      api.answer = { status: 200, headers, body: [packed(Buffer.concat([...long()]))] }
      expect(textOf((await person.get('/')).html)).toContain('not available right now')
      const right = Buffer.concat([opening, closing])
      api.answer = { status: 200, headers, body: [packed(right)] }
      expect(textOf((await person.get('/')).html)).toContain('1.00 EUR')
    })
  })

  it('tells connections of one app apart by one number on every page, which no order and no newer one changes, and by when each began', async () => {
    const { person, accountId } = await owner()
    const approved = (hours: number) => ({ approvedAt: new Date(Date.now() - hours * 3_600_000) })
    const older = await addConnection(stack, accountId, approved(5))
    const newer = await addConnection(stack, accountId, approved(2))
    const other = await addConnection(stack, accountId, { ...approved(1), clientName: 'Other' })
    await addConnection(stack, accountId, { ...approved(9), redirectHost: 'other.example' })
    for (const spenderId of [older, newer]) {
      const of = { accountId, spenderId }
      await addSpender(stack, of, { pausedAt: new Date(), maxPerDayMicros: 1_000_000n })
      await addCount(stack, { spenderId, daySpentMicros: 990_000n })
      await addMessage(stack, of)
      await askApproval(stack, of)
      const row = { ...of, upstream: 'sandbox', what: 'sms', outcome: 'OK', parts: 1, at: new Date() }
      await stack.db.activity.create({ data: { ...row, amountMicros: 39_000n } as never })
      const messageId = await addMessage(stack, of, { state: 'accepted' })
      const text = { recipient: '37061234567', sender: 'Shop', text: 'Hello' }
      await stack.db.sandboxText.create({ data: { accountId, receivedAt: new Date(), messageId, ...text } })
    }
    const names = new Map([
      [older, 'claude.ai'],
      [newer, 'claude.ai (2)'],
      [other, 'claude.ai (3)'],
    ])
    /** How a page names each of the three, and how often. */
    const named = (html: string) =>
      [
        ...html.matchAll(
          /name"(?: id="[^"]*")?><a href="\/connections\/([-0-9a-f]{36})">([^<]*)<\/a>|id="app-([-0-9a-f]{36})">([^<]*)</g,
        ),
      ]
        .map(([, link, text, id = link ?? '', title = text]) => [id, title] as const)
        .filter(([id]) => names.has(id))
    const overview = (await person.get('/')).html
    expect(named(overview).length).toBe(2 + 2 + 3)
    expect(textOf(overview)).toMatch(
      /claude\.ai \(2\) calls itself “ Claude ” connected 2 hours ago last used just now paused/,
    )
    const unknown = overview.slice(overview.indexOf('id="unknown"'), overview.indexOf('id="sums"'))
    expect([...unknown.matchAll(/asks-title name">([^<]*)</g)].map(([, name]) => name)).toEqual([
      'claude.ai',
      'claude.ai (2)',
    ])
    const allAreNamed = async (ways: Record<string, number>) => {
      for (const [path, count] of Object.entries(ways)) {
        const found = named((await person.get(path)).html)
        expect([path, found.length]).toEqual([path, count])
        expect([path, found]).toEqual([path, found.map(([id]) => [id, names.get(id)])])
      }
    }
    await allAreNamed({ '/': 7, '/approvals': 2, '/settings/limits': 2, '/sandbox/phone': 2 })
    await allAreNamed({ '/settings/api': 3, '/settings/api?sort=spent': 3, '/settings/api?q=Other': 1 })
    const { html } = await person.get(`/connections/${newer}`)
    expect(html).toMatch(/<h1 class="asks-title name">claude\.ai \(2\)</)
    await send(person, `/connections/${newer}/disconnect`)
    const gone = textOf((await person.get('/settings/api?done=connection')).html)
    expect(gone).toContain('claude.ai (2) (Claude)')
    // Of those that live none is called by the number of one that is over.
    names.set(newer, 'claude.ai').set(other, 'claude.ai (2)')
    await allAreNamed({ '/settings/api': 2, '/settings/limits': 2, '/connections/ended': 1 })
    await send(person, `/connections/${older}/disconnect`)
    names.set(other, 'claude.ai')
    await allAreNamed({ '/settings/api': 1, '/settings/limits': 2, '/connections/ended': 2 })
  })

  it('shows connections at a glance, host first, and counts those that ended', async () => {
    const { person, accountId, of } = await connected({ clientName: 'Claude', redirectHost: 'claude.ai' })
    await addSpender(stack, of, { pausedAt: new Date() })
    await addConnection(stack, accountId, { endedAt: new Date(), endedReason: 'revoked' })
    await addConnection(stack, accountId, { expiresAt: new Date(Date.now() - 1000) })
    const { html } = await person.get('/')
    const text = textOf(html)
    expect(text).toMatch(/claude\.ai calls itself “ Claude ” connected just now never used paused 0\.00 EUR today/)
    expect(text).toContain('Ended connections (2)')
    expect(text).not.toContain('No app is connected.')
  })

  it('lists the tokens made by hand with what each spent today, and tells the rest of the day, so that all adds up', async () => {
    const { person, accountId, connectionId } = await connected({ redirectHost: 'claude.ai' })
    const [script, reader] = [await addToken(stack, accountId, { name: 'Nightly', lastFour: 'ab12' }), randomUUID()]
    await addToken(stack, accountId, { id: reader, name: 'Reader', permissions: ['GET /rates'] })
    await addToken(stack, accountId, { name: 'Old', expiresAt: new Date(Date.now() - 1000) })
    const spend = async (spenderId: string, daySpentMicros: bigint, rules = {}) => {
      await addSpender(stack, { accountId, spenderId }, rules)
      await addCount(stack, { spenderId, daySpentMicros })
    }
    await spend(accountId, 1_000_000n)
    await spend(connectionId, 250_000n)
    await spend(script, 500_000n, { pausedAt: new Date() })
    const { html } = await person.get('/')
    const text = textOf(html)
    expect(text).toMatch(/Your tokens sandbox .*Nightly …ab12… never used paused 0\.50 EUR today/)
    expect(text).toMatch(/Reader never used What it may do costs no money\./)
    expect(text).toContain('Everything else, ended ones too: 0.25 EUR today.')
    expect(text).not.toContain('Old')
    expect(html).toContain(`href="/settings/api/tokens/${script}"`)
    await spend(await addConnection(stack, accountId), 250_000n)
    expect(textOf((await person.get('/')).html)).not.toContain('Everything else')
  })

  it('lists them where no app is connected as well', async () => {
    const { person, accountId } = await owner()
    await addToken(stack, accountId, { name: 'Nightly' })
    const text = textOf((await person.get('/')).html)
    expect(text).toContain('No app is connected.')
    expect(text).toMatch(/Your tokens sandbox .*Nightly never used 0\.00 EUR today/)
  })

  it.each([
    ['of the day', { maxPerDayMicros: 5n }, { daySpentMicros: 2n, dayHeldMicros: 2n }, { daySpentMicros: 3n }],
    ['in total', { maxTotalMicros: 5n }, { totalSpentMicros: 2n, totalHeldMicros: 2n }, { totalSpentMicros: 3n }],
    ['of recipients', { recipientsPerDay: 5 }, { dayRecipients: 4 }, { dayRecipients: 5 }],
  ])(
    'says that a limit %s needs its owner once four fifths are used, and what is refused once all is',
    async (_which, limit, most, all) => {
      const { person, accountId, of } = await connected({ redirectHost: 'claude.ai' })
      const text = async () => textOf((await person.get('/')).html)
      await addSpender(stack, { accountId, spenderId: accountId }, limit)
      await addCount(stack, { spenderId: accountId, daySpentMicros: 3n, totalSpentMicros: 3n, dayRecipients: 3 })
      expect(await text()).toContain('Nothing needs your attention.')
      const where = { spenderId: accountId }
      await stack.db.spenderCount.updateMany({ where, data: most })
      expect(await text()).toMatch(
        /The whole account (Today|In total|Recipients used today: 4 of 5\.) .*A send that would pass the limit is refused\./,
      )
      await stack.db.spenderCount.updateMany({ where, data: all })
      const full = await text()
      expect(full).toMatch(
        /The whole account used up (Today|In total|Recipients used today: 5 of 5\.) .*Every send .* is refused until/,
      )
      expect(full).not.toContain('Nothing needs your attention.')
      // A day that is over binds nobody any more; what was spent in all does.
      await stack.db.spenderCount.updateMany({ where, data: { dayEndsAt: new Date(Date.now() - 1000) } })
      expect((await text()).includes('Nothing needs your attention.')).toBe(!('maxTotalMicros' in limit))
      await stack.db.spender.update({ where: { id: accountId }, data: { ...NO_LIMITS, countries: [], senders: [] } })
      await addSpender(stack, of, limit)
      await addCount(stack, { spenderId: of.spenderId, ...all, dayHeldMicros: 2n, totalHeldMicros: 2n })
      expect(await text()).toMatch(/attention claude\.ai used up (Today|In total|Recipients used today)/)
      await stack.db.connection.update({
        where: { id: of.spenderId },
        data: { expiresAt: new Date(Date.now() - 1000) },
      })
      expect(await text()).not.toContain('used up')
    },
  )

  it('says so of a limit of nothing before anything was sent', async () => {
    const { person, accountId } = await connected()
    await addSpender(stack, { accountId, spenderId: accountId }, { maxPerDayMicros: 0n })
    expect(textOf((await person.get('/')).html)).toMatch(
      /The whole account used up Today 0\.00 EUR .* is refused until/,
    )
  })

  it('names nothing as paused whose time is over: there is nothing to look at or to resume', async () => {
    const { person, accountId } = await owner()
    const paused = async (of: { id: string; kind: 'connection' | 'token' }) =>
      stack.db.spender.create({ data: { ...of, accountId, createdAt: new Date(), pausedAt: new Date() } })
    const over = { expiresAt: new Date(Date.now() - 1000) }
    await paused({
      id: await addConnection(stack, accountId, { redirectHost: 'over.example', ...over }),
      kind: 'connection',
    })
    await paused({ id: await addToken(stack, accountId, { name: 'Script that is over', ...over }), kind: 'token' })
    await paused({ id: await addConnection(stack, accountId, { redirectHost: 'alive.example' }), kind: 'connection' })
    await paused({ id: await addToken(stack, accountId, { name: 'Script that lives' }), kind: 'token' })
    const [needs = ''] = /<section aria-labelledby="needs">.*?<\/section>/s.exec((await person.get('/')).html) ?? []
    expect(textOf(needs)).toMatch(/alive\.example.*You paused it/)
    expect(textOf(needs)).toMatch(/Script that lives.*You paused it/)
    expect(needs).not.toMatch(/over\.example|Script that is over/)
  })

  it('pauses everything and resumes it, and leads back', async () => {
    const { person, accountId } = await connected()
    const paused = await send(person, '/settings/limits/pause', { back: '/' })
    expect(paused.headers.get('location')).toBe('/?done=pause')
    const row = () => stack.db.spender.findUniqueOrThrow({ where: { id: accountId } })
    expect(await row()).toMatchObject({ kind: 'account', pausedAt: expect.any(Date) })
    const { html } = await person.get('/?done=pause')
    expect(html).toMatch(
      /<p role="status" tabindex="-1" autofocus><strong>You paused everything <span class="whole"><time/,
    )
    expect([...textOf(html).matchAll(/every send is refused/g)]).toHaveLength(1)
    expect(html).toContain('<button class="button button-primary">Resume everything</button>')
    expect(html).toContain('<a class="button" href="/settings/limits#activity">See what was done</a>')
    const resumed = await send(person, '/settings/limits/resume', { back: '/' })
    expect(resumed.headers.get('location')).toBe('/?done=resume')
    expect(await row()).toMatchObject({ pausedAt: null, resumedAt: expect.any(Date) })
    expect((await person.get('/')).html).toContain('>Pause everything</button>')
  })

  it('offers to pause everything only where something may spend, and what needs its owner only then or where something does', async () => {
    const { person, accountId } = await owner()
    const empty = (await person.get('/')).html
    for (const word of ['Pause everything', 'Needs your attention']) expect(empty).not.toContain(word)
    await addMessage(stack, { accountId, spenderId: randomUUID() })
    expect((await person.get('/')).html).toContain('Needs your attention')
    await addToken(stack, accountId)
    expect((await person.get('/')).html).toContain('>Pause everything</button>')
  })

  it('begins with what needs its owner, before any sum', async () => {
    const { person, of } = await connected()
    await addMessage(stack, of)
    const { html } = await person.get('/')
    expect(html.indexOf('id="needs"')).toBeGreaterThan(0)
    expect(html.indexOf('id="unknown"')).toBeGreaterThan(html.indexOf('id="needs"'))
    expect(html.indexOf('class="tiles"')).toBeGreaterThan(html.indexOf('id="unknown"'))
  })

  it('begins with it while no app is connected as well, and with how to connect one where nothing needs its owner', async () => {
    const { person, accountId } = await owner()
    const places = async () => {
      const { html } = await person.get('/')
      return [...html.matchAll(/<section[^>]* aria-labelledby="(\w+)"/g)].map(([, name]) => name)
    }
    expect(await places()).toEqual(['connect', 'sums'])
    await addMessage(stack, { accountId, spenderId: randomUUID() })
    expect(await places()).toEqual(['needs', 'unknown', 'connect', 'sums'])
  })

  it('names what needs its owner: approvals, pauses, messages of unknown outcome, also those of a token that is gone', async () => {
    const { person, accountId, of } = await connected()
    expect(textOf((await person.get('/')).html)).toContain('Nothing needs your attention.')
    await addSpender(stack, of, { autoPausedAt: new Date(), autoPausedReason: 'burst' })
    await askApproval(stack, of)
    const id = await addMessage(stack, { accountId, spenderId: randomUUID() })
    const { html } = await person.get('/')
    const text = textOf(html)
    expect(text).not.toContain('Nothing needs your attention.')
    for (const part of [
      '1 send is waiting for your approval',
      'claude.ai It was paused automatically just now . Within 10 minutes it sent more than 10 times as much as usual.',
      'An app or token that is gone',
    ])
      expect(text).toContain(part)
    expect(html).toContain(`action="/messages/${id}/outcome"`)
    const { headers } = await send(person, `/messages/${id}/outcome`, { outcome: 'not_sent', back: '/' })
    expect(headers.get('location')).toBe('/?done=not_sent')
    expect((await person.get('/')).html).not.toContain(`/messages/${id}/outcome`)
  })

  it('shows nothing of another account', async () => {
    const { of } = await connected({ redirectHost: 'others.example' })
    await askApproval(stack, of)
    await addMessage(stack, of)
    const { person } = await owner()
    const text = textOf((await person.get('/')).html)
    for (const part of ['others.example', 'waits for your approval', 'Was it sent?']) expect(text).not.toContain(part)
  })

  it('leads whoever is not signed in to the sign-in page', async () => {
    const { status, headers } = await (await stack.person()).get('/')
    expect([status, headers.get('location')]).toEqual([303, '/sign-in'])
  })
})

describe('the list of what ended', () => {
  it('says of each why, the latest first, and of nobody else', async () => {
    const { person, accountId } = await connected({
      endedAt: new Date(Date.now() - 86_400_000),
      endedReason: 'revoked',
    })
    await addConnection(stack, accountId, {
      redirectHost: 'later.example',
      endedAt: new Date(),
      endedReason: 'deleted',
    })
    await connected({ redirectHost: 'others.example', endedAt: new Date(), endedReason: 'deleted' })
    const text = textOf((await person.get('/connections/ended')).html)
    expect(text.indexOf('later.example')).toBeGreaterThan(0)
    expect(text.indexOf('You disconnected it here.')).toBeLessThan(text.indexOf('The app disconnected itself.'))
    expect(text).not.toContain('others.example')
  })

  it('says what each spent in all, and nothing of one whose counters go on', async () => {
    const { person, accountId, of } = await connected({ endedAt: new Date(), endedReason: 'revoked' })
    await addActivity(stack, of)
    await addConnection(stack, accountId, { endedAt: new Date(), endedReason: 'replaced' })
    const text = textOf((await person.get('/connections/ended')).html)
    expect(text.match(/\d EUR in total/g)).toHaveLength(1)
    expect(text).not.toContain(' 0.00 EUR in total')
  })
})

describe('the queue of approvals', () => {
  it('shows all that wait, what ends first before the others, with who asks, what it costs, to whom and what', async () => {
    const { person, of } = await connected({ clientName: 'Claude', redirectHost: 'claude.ai' })
    const soon = await askApproval(stack, of, { expiresAt: new Date(Date.now() + 60_000), reason: 'country' })
    const late = await askApproval(stack, of)
    const { html } = await person.get('/approvals')
    expect(html.indexOf(soon)).toBeGreaterThan(0)
    expect(html.indexOf(late)).toBeGreaterThan(html.indexOf(soon))
    const text = textOf(html)
    for (const part of [
      'claude.ai',
      'Claude',
      '0.078 EUR',
      'Shop',
      'It goes to a country',
      ...ASKED.to.map((one) => `+${one}`),
    ])
      expect(text).toContain(part)
    expect(html).toMatch(/Approve<span class="hidden">: the send of claude\.ai to \+37061234567 \(1\)<\/span>/)
  })

  it('tells the buttons of two sends to one number from each other, in both languages', async () => {
    const { person, of } = await connected()
    for (const _ of [1, 2]) await askApproval(stack, of)
    for (const language of ['en', 'lt']) {
      await person.get(`/language?to=${language}`)
      const { html } = await person.get('/approvals')
      const names = [...html.matchAll(/<button[^>]*name="decision"[^>]*>(.*?)<\/button>/gs)].map(([, name]) => name)
      expect(names).toHaveLength(4)
      expect(new Set(names).size).toBe(4)
    }
  })

  it('is counted beside its name on every page', async () => {
    const { person, of } = await connected()
    for (const path of ['/', '/settings/sessions', '/no-such-page']) {
      expect((await person.get(path)).html).not.toContain('class="count"')
    }
    await askApproval(stack, of)
    await askApproval(stack, of)
    for (const path of ['/', '/approvals', '/settings/api', '/settings/sessions', '/sandbox/phone', '/no-such-page']) {
      const { html } = await person.get(path)
      expect([path, textOf(html).includes('Approvals 2 (2 wait for you)')]).toEqual([path, true])
    }
  })

  it('decides from the queue and leads back to it, saying what came of which send', async () => {
    const { person, of } = await connected({ redirectHost: 'claude.ai' })
    for (const [decision, state] of [
      ['approve', 'approved'],
      ['refuse', 'refused'],
    ] as const) {
      const id = await askApproval(stack, of)
      const { headers } = await send(person, `/approvals/${id}`, { decision, back: '/approvals' })
      expect(headers.get('location')).toBe(`/approvals?done=${state}`)
      expect(await approval(id)).toMatchObject({ state })
      const { html } = await person.get(`/approvals?done=${state}`)
      // What was approved can only be withdrawn from there; what was refused is gone.
      const words = [...html.matchAll(/name="decision" value="(\w+)"/g)].map(([, word]) => word)
      expect(words).toEqual(state === 'approved' ? ['withdraw'] : [])
      await stack.db.approval.deleteMany({ where: { id } })
      const [, said = ''] = /role="status" tabindex="-1" autofocus>(.*?)<\/p>/s.exec(html) ?? []
      expect(textOf(said)).toMatch(/^(Approved, for one send|Refused\.).* claude\.ai, 2 recipients, 0\.078 EUR/)
      // Said once: on a page that is opened again it would be about another send.
      expect((await person.get(`/approvals?done=${state}`)).html).not.toContain('claude.ai')
    }
  })

  it('says that what is approved is refused while the whole account is paused', async () => {
    const { person, of } = await connected({ redirectHost: 'claude.ai' })
    const said = async () => (await person.get('/approvals')).html.includes('Everything is paused: what you approve')
    await askApproval(stack, of)
    expect(await said()).toBe(false)
    await send(person, '/settings/limits/pause')
    expect(await said()).toBe(true)
    await stack.db.approval.deleteMany({ where: { accountId: of.accountId } })
    expect(await said()).toBe(false)
  })

  it('says of an asker that is paused that what is approved is refused, in the list and on its own page', async () => {
    const { person, of, connectionId } = await connected({ redirectHost: 'claude.ai' })
    const page = `/connections/${connectionId}`
    const waits = await askApproval(stack, of)
    const usable = await askApproval(stack, of, { state: 'approved', sealedText: null })
    const said = async (path: string) =>
      textOf((await person.get(path)).html).match(/It is paused: what you approve/g)?.length
    const places = ['/approvals', `/approvals/${waits}`, `/approvals/${usable}`]
    for (const place of places) expect([place, await said(place)]).toEqual([place, undefined])
    await send(person, `${page}/pause`)
    expect(await Promise.all(places.map(said))).toEqual([1, 1, undefined])
    for (const place of ['/approvals', places[2] ?? '']) {
      const text = textOf((await person.get(place)).html)
      expect([place, text.match(/This send is refused until you resume/g)?.length]).toEqual([place, 1])
      expect([place, text.includes('It may be sent once')]).toEqual([place, false])
    }
    await send(person, '/settings/limits/pause')
    for (const place of places) expect([place, await said(place)]).toEqual([place, undefined])
    for (const place of places)
      expect((await person.get(place)).html).toContain('Everything is paused: what you approve')
  })

  it('lists what was approved and not sent yet, and withdraws it from there', async () => {
    const { person, of } = await connected({ redirectHost: 'claude.ai' })
    const id = await askApproval(stack, of, { state: 'approved', sealedText: null })
    const gone = await askApproval(stack, of, { state: 'used', sealedText: null })
    const { html } = await person.get('/approvals')
    const usable = (page: string) => /<section aria-labelledby="usable">.*?<\/section>/s.exec(page)?.[0] ?? ''
    expect(usable(html)).toContain(id)
    expect(usable(html)).not.toContain(gone)
    // Who sends it is a way to its page.
    expect(usable(html)).toContain(`<a href="/connections/${of.spenderId}">`)
    // What is alike but for who sends it, where it goes or when it was asked is told apart, by its button too.
    const { sender, countries } = await approval(id)
    expect(countries.length).toBeGreaterThan(0)
    const places = new Intl.ListFormat('en-GB').format(
      countries.map((code) => new Intl.DisplayNames('en-GB', { type: 'region' }).of(code) ?? code),
    )
    expect(textOf(html)).toContain(`2 recipients, 0.078 EUR sandbox From ${sender} ${places} Asked`)
    expect(textOf(html)).toMatch(
      new RegExp(`Withdraw claude\\.ai, 2 recipients, 0\\.078 EUR, ${sender}, ${places}, \\d`),
    )
    const { headers } = await send(person, `/approvals/${id}`, { decision: 'withdraw', back: '/approvals' })
    expect(headers.get('location')).toBe('/approvals?done=withdrawn')
    expect(await approval(id)).toMatchObject({ state: 'refused' })
    expect(usable((await person.get('/approvals')).html)).toBe('')
  })

  it('lists the latest that were decided or are over, with who asked and what became of each, and leads to each', async () => {
    const { person, of, accountId } = await connected({ redirectHost: 'claude.ai' })
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000)
    const decided = (state: string, minutes: number, changes = {}) =>
      askApproval(stack, of, { state, sealedText: null, decidedAt: ago(minutes), ...changes })
    const token = { accountId, spenderId: await addToken(stack, accountId, { name: 'Nightly' }) }
    expect((await person.get('/approvals')).html).not.toContain('id="closed"')
    const closed = [
      [await decided('refused', 1), 'claude.ai', 'Refused'],
      [await decided('used', 2), 'claude.ai', 'Approved and used'],
      [await decided('approved', 30, { expiresAt: ago(15) }), 'claude.ai', 'Approved, but not used in time'],
      [await askApproval(stack, of, { expiresAt: ago(40) }), 'claude.ai', 'Not answered in time'],
      [await askApproval(stack, token, { state: 'refused', decidedAt: ago(50) }), 'Nightly', 'Refused'],
    ] as const
    const open = [await askApproval(stack, of), await decided('approved', 0)]
    const foreign = await connected()
    await askApproval(stack, foreign.of, { state: 'refused', decidedAt: ago(0) })
    const listed = async () => {
      const { html } = await person.get('/approvals')
      const list = /<section aria-labelledby="closed">.*?<\/section>/s.exec(html)?.[0] ?? ''
      return [...list.matchAll(/<li .*?<\/li>/gs)].map(([row]) => row)
    }
    const rows = await listed()
    expect(rows.map((row) => /"\/approvals\/([^"]+)"/.exec(row)?.[1])).toEqual(closed.map(([id]) => id))
    for (const [at, [, who, came]] of closed.entries())
      expect(textOf(rows[at] ?? '')).toMatch(
        new RegExp(`^ ?${who} 2 recipients, 0\\.078 EUR sandbox ${came} (Decided|Asked) `),
      )
    expect(rows[0]).toContain(`href="/connections/${of.spenderId}"`)
    for (const id of open) expect(rows.join('')).not.toContain(id)
    for (let count = 0; count < 10; count += 1) await decided('refused', 0)
    expect((await listed()).length).toBe(10)
  })

  it('asks once more before it refuses all that one app asks, tells how many, and leaves the others', async () => {
    const { person, of, accountId } = await connected({ redirectHost: 'claude.ai' })
    const others = { accountId, spenderId: await addConnection(stack, accountId, { redirectHost: 'cursor:' }) }
    const foreign = await connected()
    const all = [await askApproval(stack, of), await askApproval(stack, of), await askApproval(stack, of)]
    const kept = [
      await askApproval(stack, others),
      await askApproval(stack, of, { state: 'approved' }),
      await askApproval(stack, of, { expiresAt: new Date(Date.now() - 1_000) }),
      await askApproval(stack, foreign.of),
    ]
    const before = await Promise.all(kept.map(approval))
    const { html } = await person.get('/approvals')
    // Nothing to press for what asks once.
    expect(textOf(html).match(/Refuse all \d+ sends of [\w.]+/g)).toEqual(['Refuse all 3 sends of claude.ai'])
    // The button is behind what opens, and there is no other.
    const buttons =
      /<details class="refuse-all">\s*<summary[^>]*>Refuse all.*?<\/summary>\s*<form.*?<button[^>]*>Yes, refuse 3 sends/gs
    expect(html.match(buttons)).toHaveLength(1)
    expect(html.match(/action="\/approvals"/g)).toHaveLength(1)
    const { headers } = await send(person, '/approvals', { spender: of.spenderId })
    expect(headers.get('location')).toBe('/approvals?done=refusedAll')
    for (const id of all) expect(await approval(id)).toMatchObject({ state: 'refused', sealedText: null })
    expect(await Promise.all(kept.map(approval))).toEqual(before)
    expect(textOf((await person.get('/approvals?done=refusedAll')).html)).toContain('claude.ai: 3 sends')
  })

  it('says of a second press that nothing waits any more, beside what became of it', async () => {
    const { person, of } = await connected({ redirectHost: 'claude.ai' })
    for (const _ of ['one', 'other']) await askApproval(stack, of)
    for (const [done, told] of [
      ['refusedAll', /All refused\. Nothing is sent\. claude\.ai: 2 sends/],
      ['noneWaits', /Nothing of it waits for you any more\. What became of it stands below\. claude\.ai(?!:)/],
    ] as const) {
      const { headers } = await send(person, '/approvals', { spender: of.spenderId })
      expect(headers.get('location')).toBe(`/approvals?done=${done}`)
      const text = textOf((await person.get(`/approvals?done=${done}`)).html)
      expect(text).toMatch(told)
      expect(text.split('Decided lately, or over')[1]?.match(/Refused/g)).toHaveLength(2)
    }
  })

  it('offers to refuse as many sends of an app as it would, those of other pages too', async () => {
    const { person, of, accountId } = await connected({ redirectHost: 'claude.ai' })
    const others = { accountId, spenderId: await addConnection(stack, accountId, { redirectHost: 'cursor:' }) }
    const end = (hours: number) => ({ expiresAt: new Date(Date.now() + hours * 3_600_000) })
    for (let at = 0; at < 19; at += 1) await askApproval(stack, others, end(1))
    for (const hours of [2, 3, 4]) await askApproval(stack, of, end(hours))
    for (const page of [1, 2]) {
      const text = textOf((await person.get(`/approvals?page=${page}`)).html)
      expect(text.match(/Refuse all \d+ sends of claude\.ai/g)).toEqual(['Refuse all 3 sends of claude.ai'])
    }
    await send(person, '/approvals', { spender: of.spenderId })
    expect(textOf((await person.get('/approvals?done=refusedAll')).html)).toContain('claude.ai: 3 sends')
  })

  it('refuses nothing of another account, and takes no name of a spender that is none', async () => {
    const { of } = await connected()
    const id = await askApproval(stack, of)
    const { person } = await owner()
    const { headers } = await send(person, '/approvals', { spender: of.spenderId })
    expect(headers.get('location')).toBe('/approvals?done=noneWaits')
    for (const spender of ['', 'x', "' OR 1=1"])
      expect((await send(person, '/approvals', { spender })).status).toBe(404)
    expect(await approval(id)).toMatchObject({ state: 'pending' })
  })

  it('says that an answer came too late, from a second device or after its time', async () => {
    const { person, of, accountId } = await connected()
    const id = await askApproval(stack, of)
    const phone = await stack.person(accountId)
    await send(phone, `/approvals/${id}`, { decision: 'refuse' })
    const { headers } = await send(person, `/approvals/${id}`, { decision: 'approve', back: '/approvals' })
    expect(headers.get('location')).toBe('/approvals?done=late')
    expect((await person.get('/approvals?done=late')).html).toContain('That answer changed nothing')
    const alone = await send(person, `/approvals/${id}`, { decision: 'approve' })
    expect(textOf((await person.get(alone.headers.get('location') ?? '')).html)).toContain(
      'Your answer changed nothing',
    )
    expect(await approval(id)).toMatchObject({ state: 'refused' })

    const other = await askApproval(stack, of)
    await later(86_401, stack)
    expect((await person.get('/approvals')).html).not.toContain(`action="/approvals/${other}"`)
    const { headers: over } = await send(person, `/approvals/${other}`, { decision: 'approve', back: '/approvals' })
    expect(over.get('location')).toBe('/approvals?done=late')
    expect(await approval(other)).toMatchObject({ state: 'pending' })
  })

  it('leaves out what was asked by something that has ended, in its count as well', async () => {
    const { person, of } = await connected()
    await addSpender(stack, of, { endedAt: new Date() })
    const id = await askApproval(stack, of)
    const { html } = await person.get('/approvals')
    expect(html).not.toContain(`action="/approvals/${id}"`)
    expect(textOf(html)).toContain('Over: what asked is gone')
    expect(html).not.toContain('class="count"')
  })

  it('offers no approval of what cannot be read, and shows the others all the same', async () => {
    const { person, of } = await connected()
    const broken = await askApproval(stack, of, {
      sealedText: new Uint8Array(64),
      expiresAt: new Date(Date.now() + 60_000),
    })
    const whole = await askApproval(stack, of)
    const { status, html } = await person.get('/approvals')
    expect(status).toBe(200)
    const forms = [...html.matchAll(/<form method="post" action="\/approvals\/([\w-]+)">(.*?)<\/form>/gs)]
    const words = Object.fromEntries(forms.map(([, id, form]) => [id, /value="approve"/.test(form ?? '')]))
    expect(words).toEqual({ [broken]: false, [whole]: true })
    // What can only be refused stands in nobody's way, although it ends first.
    expect(forms.map(([, id]) => id)).toEqual([whole, broken])
    for (const id of [broken, whole])
      await send(person, `/approvals/${id}`, { decision: 'approve', back: '/approvals' })
    expect([(await approval(broken)).state, (await approval(whole)).state]).toEqual(['pending', 'approved'])
    await send(person, `/approvals/${broken}`, { decision: 'refuse', back: '/approvals' })
    expect((await approval(broken)).state).toBe('refused')
  })

  it('shows and decides nothing of another account', async () => {
    const { of } = await connected()
    const id = await askApproval(stack, of)
    const { person } = await owner()
    expect((await person.get('/approvals')).html).not.toContain(id)
    expect((await send(person, `/approvals/${id}`, { decision: 'approve', back: '/approvals' })).status).toBe(404)
    expect(await approval(id)).toMatchObject({ state: 'pending' })
  })

  it('shows its pages when there are more than fit on one', async () => {
    const { person, of } = await connected()
    for (let count = 0; count < 21; count += 1) await askApproval(stack, of)
    expect((await person.get('/approvals')).html).toContain('href="/approvals?page=2#page"')
    expect([...(await person.get('/approvals?page=2')).html.matchAll(/<article /g)]).toHaveLength(1)
  })
})

describe('an address that nobody knows', () => {
  it('keeps the frame for whoever is signed in, and says the same of what is another’s', async () => {
    const { connectionId } = await connected()
    const { person, email } = await owner()
    const pages = await Promise.all(
      ['/no-such-page', `/connections/${connectionId}`, `/connections/${randomUUID()}`].map((path) => person.get(path)),
    )
    for (const { status, html } of pages) {
      expect(status).toBe(404)
      for (const part of [email, 'Sign out', 'There is no such page', 'href="/settings/api"'])
        expect(html).toContain(part)
    }
    const plain = ({ html }: { html: string }) =>
      html
        .replace(/name="csrf" value="[^"]*"/g, '')
        .replace(/back=[^"]*"/g, '')
        .replace(/<code class="name">[^<]*<\/code>/g, '')
    expect(new Set(pages.map(plain)).size).toBe(1)
  })

  it('has none for whoever is not', async () => {
    const { status, html } = await (await stack.person()).get('/no-such-page')
    expect(status).toBe(404)
    expect(html).not.toContain('Sign out')
  })
})

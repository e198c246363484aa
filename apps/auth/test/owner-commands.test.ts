// The operator’s commands about spending, each as it is typed and as it is refused.
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { endConnection } from '../src/connections/end.ts'
import { ASKED, askApproval } from './support/approvals.ts'
import { later, realTime } from './support/clock.ts'
import { operator } from './support/operator.ts'
import { addBoundedConnection } from './support/owners-data.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack?.close())
afterEach(() => realTime(stack))

async function connected() {
  const account = await stack.account()
  const connectionId = await addBoundedConnection(stack, account.id, 'Somebody')
  const end = () => endConnection(stack.db, connectionId, 'revoked')
  return { account, connectionId, end }
}

const run = (...args: string[]) => operator(stack, args)
const spender = (id: string) => stack.db.spender.findUniqueOrThrow({ where: { id } })

describe('a command that writes', () => {
  it('says of a database that takes no writes what it is', async () => {
    const { account } = await connected()
    const url = new URL(stack.env.DATABASE_URL)
    url.searchParams.set('options', '-c default_transaction_read_only=on')
    const limited = ['limits', account.email, '--max-per-day', '3']
    const { code, err } = await operator(stack, limited, { env: { DATABASE_URL: url.href } })
    expect(code).toBe(1)
    expect(err).toMatch(/^The command failed: .*\. The database takes no writes; is it a standby\?$/)
  })
})

describe('the command limits', () => {
  it('shows an account with its connections and tokens: state, limits, spent and held, left', async () => {
    const { account, connectionId } = await connected()
    await stack.db.spenderCount.create({
      data: {
        spenderId: connectionId,
        upstream: 'sandbox',
        day: new Date(),
        dayEndsAt: new Date(Date.now() + 3_600_000),
        daySpentMicros: 1_000_000n,
        dayHeldMicros: 500_000n,
        totalSpentMicros: 7_000_000n,
        dayRecipients: 3,
      },
    })
    const { code, out } = await run('limits', account.email)
    expect(code).toBe(0)
    const rows = out.split('\n')
    expect(rows).toHaveLength(3)
    expect(rows[1]).toMatch(new RegExp(`^${account.email} .*may spend +no limit set`))
    expect(rows[2]).toContain(connectionId)
    expect(rows[2]).toContain('Somebody')
    expect(rows[2]).toContain('At most 5.00 EUR a day')
    expect(rows[2]).toContain('1.50 EUR today, 7.00 EUR in total, 3 recipients today')
    expect(rows[2]).toContain('3.50 EUR today')
  })

  it('counts nothing of an earlier day of the owner as spent today', async () => {
    const { connectionId } = await connected()
    const day = new Date(Date.now() - 2 * 86_400_000)
    const data = {
      spenderId: connectionId,
      upstream: 'sandbox',
      day,
      dayEndsAt: new Date(),
      daySpentMicros: 1_000_000n,
      dayRecipients: 3,
    }
    await stack.db.spenderCount.create({ data: { ...data, totalSpentMicros: 1_000_000n } })
    expect((await run('limits', connectionId)).out).toContain('0.00 EUR today, 1.00 EUR in total, 0 recipients today')
  })

  it('counts one recipient as one, and tells as left what the account leaves where that is less', async () => {
    const { account, connectionId } = await connected()
    await run('limits', account.email, '--max-per-day', '2', '--max-total', '10')
    const today = { upstream: 'sandbox', day: new Date(), dayEndsAt: new Date(Date.now() + 3_600_000) }
    const used = { daySpentMicros: 500_000n, totalSpentMicros: 500_000n, dayRecipients: 1 }
    for (const spenderId of [connectionId, account.id]) {
      await stack.db.spenderCount.create({ data: { ...today, ...used, spenderId } })
    }
    // Its own limit is 5.00 EUR a day.
    expect((await run('limits', connectionId)).out).toMatch(
      / {2}sandbox: 0\.50 EUR today, 0\.50 EUR in total, 1 recipient today {2}sandbox: 1\.50 EUR today, 9\.50 EUR in total$/,
    )
    await run('limits', account.email, '--max-per-day', 'none', '--max-total', 'none')
    expect((await run('limits', connectionId)).out).toMatch(/1 recipient today {2}sandbox: 4\.50 EUR today$/)
  })

  it('sets what is given and leaves the rest, and none takes a limit away', async () => {
    const { connectionId } = await connected()
    const set = ['--max-per-send', '0.5', '--max-total', '20', '--recipients-per-day', '7', '--countries', 'lt, LV']
    const more = ['--senders', 'Shop,My Shop', '--ask-above', '0.25', '--ask-new-country', 'on']
    expect((await run('limits', connectionId, ...set, ...more)).code).toBe(0)
    const expected = {
      maxPerSendMicros: 500_000n,
      maxPerDayMicros: 5_000_000n,
      maxTotalMicros: 20_000_000n,
      recipientsPerDay: 7,
      countries: ['LT', 'LV'],
      senders: ['My Shop', 'Shop'],
      askAboveMicros: 250_000n,
      askNewCountry: true,
    }
    expect(await spender(connectionId)).toMatchObject(expected)
    const { out } = await run('limits', connectionId, '--max-per-day', 'none', '--countries', 'none')
    expect(await spender(connectionId)).toMatchObject({ ...expected, maxPerDayMicros: null, countries: [] })
    expect(out).toContain('Asks the owner above 0.25 EUR')
  })

  it('gives an account, a token or an older connection without a row one when it sets something', async () => {
    const { account, connectionId } = await connected()
    await stack.db.spender.deleteMany({ where: { id: connectionId } })
    const tokenId = await tokenOf(account.id)
    for (const [who, id, kind] of [
      [account.email, account.id, 'account'],
      [connectionId, connectionId, 'connection'],
      [tokenId, tokenId, 'token'],
    ] as const) {
      expect((await run('limits', who, '--max-per-day', '1')).code).toBe(0)
      expect(await spender(id)).toMatchObject({ kind, accountId: account.id, maxPerDayMicros: 1_000_000n })
    }
  })

  it('sets the spender that a token or connection took over, not one of its own', async () => {
    const { account } = await connected()
    const first = await tokenOf(account.id)
    const second = await tokenOf(account.id, { spenderId: first })
    await run('limits', second, '--max-per-day', '2')
    expect(await spender(first)).toMatchObject({ maxPerDayMicros: 2_000_000n })
    expect(await stack.db.spender.count({ where: { id: second } })).toBe(0)
  })

  it.each([
    ['--max-per-day', '-1', 'Per day'],
    ['--max-per-day', '1,00.50', 'Per day'],
    ['--max-per-day', '1,500', 'Per day: “1,500” can be read as 1.50 or as 1500.00. Enter one of these.'],
    ['--max-per-day', '1e3', 'Per day'],
    ['--recipients-per-day', '1.5', 'Recipients per day'],
    ['--countries', 'LT,UK', 'Countries: “UK” is not a country code.'],
    ['--countries', 'Lithuania', 'Countries'],
    ['--senders', 'ABCDEFGHIJKL', 'Senders'],
    ['--ask-new-country', 'yes', 'Ask me before a new country'],
  ])('refuses %s %s and changes nothing', async (option, value, named) => {
    const { connectionId } = await connected()
    const before = await spender(connectionId)
    const { code, err } = await run('limits', connectionId, `${option}=${value}`, '--max-total', '1')
    expect([code, err.includes(named)]).toEqual([1, true])
    expect(await spender(connectionId)).toEqual(before)
  })

  it.each([
    ['nobody@example.com', 'There is no account with this email address.'],
    [randomUUID(), 'There is no connection and no token made by hand with this id.'],
    ['x', 'WHO is the email address of an account, or the id of a connection or token'],
  ])('refuses %s, which is nobody, and says what would be somebody', async (who, words) => {
    const { code, err } = await run('limits', who)
    expect([code, err]).toEqual([1, expect.stringContaining(words)])
  })

  it.each([
    [
      ['limits', 'x', '--max-a-day', '1'],
      'no option --max-a-day. Options of this command, each with a value: --max-per',
    ],
    [['limits', 'x', '-m', '1'], 'There is no option -m.'],
    [['limits', 'x', '--max-per-day'], 'The option --max-per-day is without its value.'],
    [['limits', 'x', '--max-per-day', '--countries', 'LT'], 'The option --max-per-day is without its value.'],
    [['limits', 'x', '--max-per-day', ''], 'The option --max-per-day is without its value.'],
    [['limits', 'x', '--max-per-day= '], 'The option --max-per-day is without its value.'],
    [['limits', 'x', '--countries', 'LT', '--countries=LV'], 'The option --countries is there twice.'],
    [['pause', 'x', '--for', '1h'], 'There is no option --for. This command takes no options.'],
  ])('answers %j with what is wrong and the options that there are, and tries nothing', async (line, words) => {
    const { code, err } = await run(...line)
    expect([code, err]).toEqual([2, expect.stringContaining(words)])
    expect(err).toContain(`Usage: ${line[0]}`)
  })
})

describe('every change', () => {
  it.each([['limits', '--max-per-day', '1'], ['pause'], ['resume']])(
    'of what has ended is refused: %s',
    async (command, ...options) => {
      const { connectionId, end } = await connected()
      await end()
      const before = await spender(connectionId)
      const { code, err } = await run(command, connectionId, ...options)
      expect([code, err]).toEqual([1, expect.stringContaining('has ended')])
      expect(await spender(connectionId)).toEqual(before)
    },
  )

  it('of a token that ran out is refused', async () => {
    const { account } = await connected()
    const tokenId = await tokenOf(account.id, { expiresAt: new Date(Date.now() - 1000) })
    expect((await run('pause', tokenId)).code).toBe(1)
    expect(await stack.db.spender.count({ where: { id: tokenId } })).toBe(0)
  })
})

describe('the commands pause and resume', () => {
  it('pause an account, a connection, a token, and end the pause of each', async () => {
    const { account, connectionId } = await connected()
    const tokenId = await tokenOf(account.id)
    for (const [who, id] of [
      [account.email, account.id],
      [connectionId, connectionId],
      [tokenId, tokenId],
    ] as const) {
      expect((await run('pause', who)).out).toBe('Paused.')
      expect(await spender(id)).toMatchObject({ pausedAt: expect.any(Date) })
      expect((await run('limits', who)).out).toContain('paused by its owner')
      expect((await run('resume', who)).out).toBe('Resumed.')
      expect(await spender(id)).toMatchObject({ pausedAt: null, resumedAt: expect.any(Date) })
      expect((await run('limits', who)).out).toContain('may spend')
    }
  })

  it('end an automatic pause from before, and not one that comes later', async () => {
    const { connectionId } = await connected()
    const pauseAutomatically = (at: Date) =>
      stack.db.spender.update({ where: { id: connectionId }, data: { autoPausedAt: at, autoPausedReason: 'burst' } })
    await pauseAutomatically(new Date())
    expect((await run('limits', connectionId)).out).toContain('paused automatically (burst)')
    await later(60, stack)
    await run('resume', connectionId)
    expect((await run('limits', connectionId)).out).toContain('may spend')
    await later(60, stack)
    await pauseAutomatically(new Date())
    expect((await run('limits', connectionId)).out).toContain('paused automatically')
  })
})

describe('the commands about approvals', () => {
  it('list what waits with its numbers and text, and nothing of what is decided or over', async () => {
    const { account, connectionId } = await connected()
    const of = { accountId: account.id, spenderId: connectionId }
    const id = await askApproval(stack, of)
    await askApproval(stack, of, { expiresAt: new Date(Date.now() - 1000), sender: 'Late' })
    await askApproval(stack, of, { state: 'refused', sealedText: null, sender: 'Decided' })
    const { out } = await run('approvals', account.email)
    for (const part of [
      id,
      'Somebody',
      'Shop',
      '0.078 EUR',
      'LT, LV',
      ...ASKED.to,
      'Your code is 1234 Do not share it',
    ]) {
      expect(out).toContain(part)
    }
    expect(out).not.toContain('Late')
    expect(out).not.toContain('Decided')
  })

  it('list an app by what it calls itself between quotation marks, which its name cannot end', async () => {
    const { account, connectionId } = await connected()
    await askApproval(stack, { accountId: account.id, spenderId: connectionId })
    const of = { where: { id: connectionId } }
    const { redirectHost } = await stack.db.connection.update({ ...of, data: { clientName: 'Bank” because of price' } })
    expect((await run('approvals', account.email)).out).toContain(
      '  asked by    “Bank’ because of price” because of price\n',
    )
    await stack.db.connection.update({ ...of, data: { clientName: '' } })
    expect((await run('approvals', account.email)).out).toContain(`  asked by    ${redirectHost} because of price\n`)
  })

  it('approve one for 15 minutes from now, and its text goes', async () => {
    const { account, connectionId } = await connected()
    const id = await askApproval(stack, { accountId: account.id, spenderId: connectionId })
    expect((await run('approve', id)).out).toBe('Approved.')
    const row = await stack.db.approval.findUniqueOrThrow({ where: { id } })
    expect(row).toMatchObject({ state: 'approved', sealedText: null, decidedAt: expect.any(Date) })
    expect(row.expiresAt.getTime() - Number(row.decidedAt?.getTime())).toBe(900_000)
    const { out } = await run('approvals', account.email)
    expect(out).toMatch(new RegExp(`^Nothing waits for approval\\.\\n${id}  approved, not sent yet, until`))
    expect(out).not.toContain('text')
    expect((await run('refuse', id)).out).toBe('Refused.')
    expect((await run('approvals', account.email)).out).toBe('Nothing waits for approval.')
  })

  it.each([
    ['was decided before', { state: 'refused' }],
    ['was used and is over', { state: 'used', expiresAt: new Date(Date.now() - 1000) }],
    ['ran out', { expiresAt: new Date(Date.now() - 1000) }],
  ])('refuse to decide one that %s', async (_what, changes) => {
    const { account, connectionId } = await connected()
    const id = await askApproval(stack, { accountId: account.id, spenderId: connectionId }, changes)
    const before = await stack.db.approval.findUniqueOrThrow({ where: { id } })
    for (const command of ['approve', 'refuse']) expect((await run(command, id)).code).toBe(1)
    expect(await stack.db.approval.findUniqueOrThrow({ where: { id } })).toEqual(before)
  })

  it('refuse to decide one that was used, which a refusal lets be used no second time', async () => {
    const { account, connectionId } = await connected()
    const id = await askApproval(stack, { accountId: account.id, spenderId: connectionId }, { state: 'used' })
    const before = await stack.db.approval.findUniqueOrThrow({ where: { id } })
    expect((await run('approve', id)).code).toBe(1)
    expect(await stack.db.approval.findUniqueOrThrow({ where: { id } })).toEqual(before)
    expect((await run('refuse', id)).code).toBe(1)
    const { expiresAt, ...after } = await stack.db.approval.findUniqueOrThrow({ where: { id } })
    expect(after).toEqual({ ...before, expiresAt: undefined })
    expect(expiresAt.getTime()).toBeLessThanOrEqual(Date.now())
  })

  it('refuse takes back what was approved and has not gone out, and nothing that has', async () => {
    const { account, connectionId } = await connected()
    const of = { accountId: account.id, spenderId: connectionId }
    const id = await askApproval(stack, of, { state: 'approved', sealedText: null })
    expect((await run('approve', id)).code).toBe(1)
    expect((await run('refuse', id)).code).toBe(0)
    expect(await stack.db.approval.findUniqueOrThrow({ where: { id } })).toMatchObject({ state: 'refused' })
    const sent = await askApproval(stack, of, { state: 'used', sealedText: null })
    expect((await run('refuse', sent)).code).toBe(1)
  })

  it('refuse to decide for a connection that has ended', async () => {
    const { account, connectionId, end } = await connected()
    const id = await askApproval(stack, { accountId: account.id, spenderId: connectionId })
    await end()
    expect((await run('approve', id)).code).toBe(1)
  })
})

describe('the command settle-unknown', () => {
  const message = async (changes: Record<string, unknown>) => {
    const { account, connectionId } = await connected()
    const of = { accountId: account.id, spenderId: connectionId, upstream: 'sandbox', createdAt: new Date() }
    const send = { kind: 'sms' as const, generation: 0, route: 'POST /sms', sender: 'Shop', coding: 0, priority: 1 }
    const { id: sendId } = await stack.db.send.create({ data: { id: randomUUID(), ...of, ...send } })
    const id = BigInt(Math.floor(Math.random() * 1e15)) + 10n ** 17n
    const money = { holdMicros: 0n, chargedMicros: 39_000n }
    await stack.db.sendMessage.create({
      data: {
        id,
        sendId,
        ...of,
        ...money,
        position: 0,
        recipient: '37061234567',
        country: 'LT',
        parts: 1,
        state: 'unknown',
        ...changes,
      },
    })
    return id
  }
  const verdictOf = async (id: bigint) => (await stack.db.sendMessage.findUniqueOrThrow({ where: { id } })).notSentAt

  it.each([
    ['unknown', {}],
    ['handed over and past its lease', { state: 'handed_over', leaseUntil: new Date(Date.now() - 1000) }],
  ])('says of a message that is %s that it was not sent, once', async (_what, changes) => {
    const id = await message(changes)
    expect((await run('settle-unknown', String(id))).code).toBe(0)
    const first = await verdictOf(id)
    expect(first).toBeInstanceOf(Date)
    expect((await run('settle-unknown', String(id))).code).toBe(1)
    expect(await verdictOf(id)).toEqual(first)
  })

  it('says the other word of one, too, and never both', async () => {
    const id = await message({})
    expect((await run('settle-unknown', String(id), '--was', 'perhaps')).code).toBe(1)
    expect((await run('settle-unknown', String(id), '--was', 'sent')).code).toBe(0)
    for (const word of ['sent', 'not-sent'])
      expect((await run('settle-unknown', String(id), '--was', word)).code).toBe(1)
    const row = await stack.db.sendMessage.findUniqueOrThrow({ where: { id } })
    expect([row.wasSentAt, row.notSentAt]).toEqual([expect.any(Date), null])
  })

  it.each([
    ['accepted', { state: 'accepted' }],
    ['under way', { state: 'handed_over', leaseUntil: new Date(Date.now() + 3_600_000) }],
    ['closed as charged', { finalAt: new Date() }],
  ])('says nothing of one that is %s', async (_what, changes) => {
    const id = await message(changes)
    expect((await run('settle-unknown', String(id))).code).toBe(1)
    expect(await verdictOf(id)).toBeNull()
  })
})

describe('the commands activity and time-zone', () => {
  it('list what a spender, or everything of an account, did, latest first, three digits of the number', async () => {
    const { account, connectionId } = await connected()
    const row = { accountId: account.id, what: 'sms', upstream: 'sandbox', country: 'LT', parts: 1, lastDigits: '567' }
    await stack.db.activity.createMany({
      data: [
        { ...row, spenderId: connectionId, at: new Date(Date.now() - 2000), outcome: 'OK', amountMicros: 39_000n },
        { ...row, spenderId: connectionId, at: new Date(Date.now() - 1000), outcome: 'SPEND_CAP_REACHED', count: 4 },
        { ...row, spenderId: account.id, at: new Date(), outcome: 'OK', amountMicros: -39_000n },
      ],
    })
    const own = (await run('activity', connectionId)).out.split('\n').slice(1)
    expect(own.map((line) => /SPEND_CAP_REACHED|OK/.exec(line)?.[0])).toEqual(['SPEND_CAP_REACHED', 'OK'])
    expect(own[1]).toContain('0.039 EUR')
    expect(own[1]).toContain('…567')
    const all = (await run('activity', account.email, '--rows', '1')).out.split('\n').slice(1)
    expect(all).toHaveLength(1)
    expect(all[0]).toContain('-0.039 EUR')
    expect((await run('activity', account.email, '--rows', '0')).code).toBe(1)
  })

  it('show and set where the day begins, by name', async () => {
    const { account } = await connected()
    expect((await run('time-zone', account.email)).out).toBe('UTC')
    expect((await run('time-zone', account.email, '--set', 'Europe/Vilnius')).code).toBe(0)
    expect((await run('time-zone', account.email)).out).toBe('Europe/Vilnius')
    expect((await run('time-zone', account.email, '--set', 'EUROPE/VILNIUS')).out).toContain('midnight Europe/Vilnius')
    expect((await run('time-zone', account.email)).out).toBe('Europe/Vilnius')
    for (const wrong of ['+02:00', 'Europe/Nowhere', 'Mars', "UTC'; --"]) {
      expect((await run('time-zone', account.email, '--set', wrong)).code).toBe(1)
    }
    expect((await run('time-zone', account.email)).out).toBe('Europe/Vilnius')
    expect((await run('time-zone', account.email, '--set', 'none')).code).toBe(0)
    expect((await run('time-zone', account.email)).out).toBe('UTC')
  })
})

async function tokenOf(accountId: string, changes: Record<string, unknown> = {}): Promise<string> {
  const id = randomUUID()
  await stack.db.apiToken.create({
    data: {
      id,
      accountId,
      kind: 'manual',
      name: 'Nightly',
      tokenHash: new Uint8Array(Buffer.from(id)),
      createdAt: new Date(),
      ...changes,
    },
  })
  return id
}

// Export and deletion, which must agree on what belongs to an account and so read the same full one.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Prisma } from '@vertexsms/db/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PARTS } from '../src/cli/account-data.ts'
import { askApproval } from './support/approvals.ts'
import { connect, refresh, register, start } from './support/client.ts'
import { operator } from './support/operator.ts'
import { fillSignIn, makeAccount, PASSWORD } from './support/people.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())

const bytes = () => new Uint8Array(randomBytes(32))
const DAY_MS = 86_400_000

/** Somebody who has used everything there is; what is theirs, by the texts that find it. */
async function busyAccount() {
  const account = await makeAccount(stack)
  const { id: accountId, email } = account
  const mark = randomBytes(6).toString('hex')
  const number = `3706${String(Math.floor(Math.random() * 1e7)).padStart(7, '0')}`
  const person = await stack.person(accountId)
  // A registration is the program's, and names no account.
  const client = await register(stack)
  const tokens = await connect(client, person)
  const current = await refresh(client, tokens.refresh)
  await person.open((await start(client)).url)
  const connection = await stack.db.connection.findFirstOrThrow({ where: { accountId } })
  const spenderId = connection.id
  const { db } = stack
  const now = new Date()
  const times = { createdAt: now }
  const later = new Date(now.getTime() + DAY_MS)
  const secrets = [current.access, current.refresh, ...person.cookies.map(({ value }) => value)]

  await db.account.update({ where: { id: accountId }, data: { timeZone: 'Europe/Vilnius', language: 'lt' } })
  await db.passkey.create({
    data: { id: mark, accountId, name: `Laptop ${mark}`, publicKey: bytes(), counter: 1n, ...times },
  })
  const tokenHash = bytes()
  await db.apiToken.create({
    data: {
      id: randomUUID(),
      accountId,
      kind: 'manual',
      name: `Script ${mark}`,
      tokenHash,
      permissions: ['GET /rates'],
      ...times,
    },
  })
  const asked = { name: mark, company: mark, reason: mark, email, ...times }
  await db.accessRequest.create({ data: { id: randomUUID(), ...asked } })
  await db.passwordLink.create({ data: { id: randomUUID(), secretHash: bytes(), email, expiresAt: later, ...times } })
  await db.passwordRequest.create({ data: { id: randomUUID(), email, origin: 'x', nextAt: later, ...times } })
  const day = { day: now, dayEndsAt: later }
  await db.spenderCount.create({ data: { spenderId, upstream: 'sandbox', ...day, totalSpentMicros: 39_000n } })
  const sendId = randomUUID()
  const of = { accountId, spenderId, upstream: 'sandbox' }
  await db.send.create({
    data: {
      id: sendId,
      ...of,
      kind: 'sms',
      generation: 0,
      route: 'POST /sms',
      sender: mark.slice(0, 11),
      coding: 0,
      priority: 1,
      keyHash: bytes(),
      sealedText: bytes(),
      ...times,
    },
  })
  const message = { sendId, ...of, position: 0, recipient: number, country: 'LT', parts: 1, holdMicros: 0n }
  const id = BigInt(`9${String(Math.floor(Math.random() * 1e15)).padStart(16, '0')}`)
  await db.sendMessage.create({
    data: {
      id,
      ...message,
      state: 'accepted',
      chargedMicros: 39_000n,
      reference: mark,
      fingerprint: bytes(),
      ...times,
    },
  })
  await askApproval(stack, { accountId, spenderId }, { sender: mark.slice(0, 11) })
  await db.activity.create({ data: { ...of, at: now, what: 'sms', outcome: 'OK', lastDigits: '567', sendId } })
  await db.notice.create({
    data: { id: randomUUID(), accountId, spenderId, kind: 'first_send', about: mark, details: {}, ...times },
  })
  await operator(stack, ['upstream-token', email, '--check', 'off'], { input: `of-the-operator-${mark}` })
  await db.upstreamSender.create({
    data: { id: id / 100n, accountId, generation: 1, reference: mark, type: 'AlphaNumeric', name: mark, ...times },
  })
  await db.senderId.create({
    data: {
      id: id / 100n,
      accountId,
      name: mark,
      type: 'AlphaNumeric',
      status: 'confirmed',
      pinHash: bytes(),
      ...times,
    },
  })
  const text = { accountId, recipient: number, sender: mark, text: `Text ${mark}` }
  const sandbox = { coding: 0, parts: 1, priority: 1, priceMicros: 39_000n, mccmnc: '24601', outcomeCode: 0 }
  const due = { sendAt: now, reportAt: now, expiresAt: later, ...times }
  await db.message.create({ data: { ...text, ...sandbox, ...due, connectionId: connection.id, status: 'delivered' } })
  await db.sandboxText.create({ data: { ...text, receivedAt: now } })
  await db.hlrLookup.create({ data: { accountId, msisdn: number, priceMicros: 1n, dueAt: now, ...times } })
  await db.callback.create({
    data: {
      accountId,
      url: `https://${mark}.example/dlr`,
      body: { mark } as Prisma.InputJsonObject,
      nextAt: later,
      ...times,
    },
  })
  const hashed = [tokenHash].map((hash) => Buffer.from(hash).toString('hex'))
  return {
    account,
    person,
    client,
    refresh: current.refresh,
    spenderId,
    sendId,
    secrets,
    hashed,
    finds: [accountId, email, mark, number, connection.id, sendId],
  }
}

/** Every row of every table as text, by table. */
async function dump(): Promise<Map<string, string[]>> {
  const tables = await stack.db.$queryRaw<{ name: string }[]>`
    SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`
  const rows = new Map<string, string[]>()
  for (const { name } of tables) {
    const found = await stack.db.$queryRawUnsafe<{ row: string }[]>(
      `SELECT to_jsonb(t)::text AS row FROM "${name}" t ORDER BY 1`,
    )
    rows.set(
      name,
      found.map(({ row }) => row),
    )
  }
  return rows
}

const having = (rows: Map<string, string[]>, finds: readonly string[]) =>
  [...rows].flatMap(([table, found]) =>
    found.filter((row) => finds.some((text) => row.includes(text))).map((row) => [table, row]),
  )

/** Whose a row is, and what numbers it: an id that other rows name is told all the same. */
const OWNER_OR_KEY = new Set(['id', 'account_id'])

/** Hashes, sealed texts, ids of others, and what jobs and repeats are kept in order by. */
const UNTOLD: Readonly<Record<string, string>> = {
  session: 'secret_hash',
  passkey: 'public_key counter transports',
  connection: 'grant_id',
  api_token: 'token_hash replaced_by',
  send: 'generation key_hash payload_digest key_until approval_id sealed_text runner_until runner_id repeats',
  send_message:
    'spender_id upstream charged_hold day lease_until reference fingerprint fingerprint_until ask_at hold_told told_micros',
  approval: 'generation digest sealed_text',
  activity: 'equal_key',
  notice: 'about attempts next_at claimed_until',
  upstream_account: 'sealed_token generation',
  upstream_sender: 'generation reference tries',
  sender_id: 'pin_hash pin_tries pin_expires_at review_at',
  message: 'outcome_code report_at expires_at manual_token_id order_id tell_at',
  hlr_lookup: 'due_at order_id tell_at',
  callback: 'next_at attempts_max host leased_until',
  access_request: 'origin',
}

describe('an export', () => {
  it('holds what each table has of an account, as JSON, and nothing secret and nobody else’s', async () => {
    const [mine, other] = [await busyAccount(), await busyAccount()]
    const { code, out } = await operator(stack, ['export', mine.account.email])
    expect(code).toBe(0)
    const told = JSON.parse(out) as Record<string, unknown[]>
    expect(told.account).toMatchObject({ email: mine.account.email, timeZone: 'Europe/Vilnius' })
    for (const { name } of PARTS) expect([name, told[name]?.length]).toEqual([name, expect.any(Number)])
    const empty = PARTS.filter(({ name }) => told[name]?.length === 0).map(({ name }) => name)
    expect(empty).toEqual([])
    expect(told.counters).toMatchObject([{ totalSpentMicros: '39000' }])
    expect(told.recipients).toMatchObject([{ id: expect.stringMatching(/^\d{17}$/), charged_micros: '39000' }])
    for (const text of other.finds) expect(out).not.toContain(text)
    for (const secret of [...mine.secrets, ...mine.hashed, 'argon2', 'sealed', '_hash', 'fingerprint'])
      expect(out).not.toContain(secret)
  })

  it('gives no terminal a command, and every text as it was', async () => {
    const { email } = await makeAccount(stack)
    // What strangers wrote: control characters of both sets, a direction, half of a pair, and what is no command.
    const texts = {
      name: '\u009b2J\u007f\u001b[2J',
      company: '\u202eevil\u2066',
      reason: 'š \u{1f468}\u200d\u{1f469} \u{e0041}',
    }
    const now = new Date()
    await stack.db.accessRequest.create({ data: { id: randomUUID(), email, ...texts, createdAt: now } })
    const { out } = await operator(stack, ['export', email])
    expect(out.replaceAll('\n', '')).not.toMatch(/\p{C}/u)
    expect(JSON.parse(out).accessRequests).toMatchObject([texts])
  })

  it('leaves out no table that belongs to accounts, whenever one is added', async () => {
    const owned = await stack.db.$queryRaw<{ name: string }[]>`
      SELECT table_name::text AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'account_id' ORDER BY 1`
    // Protocol state, all of it hashed or sealed; and a column that is never written.
    const untold = ['oidc_artifact', 'passkey_challenge']
    const told = PARTS.filter(({ of }) => of === 'account_id').map(({ table }) => table)
    expect([...told, ...untold].sort()).toEqual(owned.map(({ name }) => name))
  })

  it('leaves out no column but what is secret or machinery, whenever one is added', async () => {
    const columns = await stack.db.$queryRaw<{ table: string; name: string }[]>`
      SELECT table_name::text AS table, column_name::text AS name FROM information_schema.columns
      WHERE table_schema = 'public' ORDER BY ordinal_position`
    for (const { table, columns: told } of PARTS) {
      const left = columns.filter((column) => column.table === table && !told.includes(column.name))
      const untold = left.map(({ name }) => name).filter((name) => !OWNER_OR_KEY.has(name))
      expect([table, untold.join(' ')]).toEqual([table, UNTOLD[table] ?? ''])
    }
  })

  it('of more rows than a page is whole', async () => {
    const { id: accountId, email } = await makeAccount(stack)
    const rows = Array.from({ length: 2500 }, (_, at) => ({
      at: new Date(),
      accountId,
      spenderId: accountId,
      what: 'sms',
      outcome: 'OK',
      upstream: 'sandbox',
      parts: at,
    }))
    await stack.db.activity.createMany({ data: rows })
    const { out } = await operator(stack, ['export', email])
    const { activity } = JSON.parse(out) as { activity: { parts: number }[] }
    expect(activity.map(({ parts }) => parts)).toEqual(rows.map(({ parts }) => parts))
  })
})

describe('a deletion', () => {
  it('ends an account at once and leaves nothing of it in any table, and all of everybody else', async () => {
    const [mine, other] = [await busyAccount(), await busyAccount()]
    const before = await dump()
    const tables = new Set(having(before, mine.finds).map(([table]) => table))
    for (const { table } of PARTS) expect([table, tables.has(table)]).toEqual([table, true])
    const { code, out } = await operator(stack, ['delete', mine.account.email, '--confirm', mine.account.email])
    expect([code, out]).toEqual([0, expect.stringContaining('Deleted, with everything it owned.')])
    expect(out).toMatch(/at VertexSMS, last four \w{4}, goes on there/)

    const after = await dump()
    expect(having(after, mine.finds)).toEqual([])
    expect(having(after, other.finds)).toEqual(having(before, other.finds))
    // Whatever went was this account's: it is found by one of its texts, or hung on a row that is.
    for (const [table, rows] of before) {
      const gone = rows.filter((row) => !after.get(table)?.includes(row))
      const foreign = gone.filter((row) => !mine.finds.some((text) => row.includes(text)))
      expect([table, foreign]).toEqual([table, []])
    }

    expect((await mine.person.get('/settings/api')).status).toBe(303)
    await expect(refresh(mine.client, mine.refresh)).rejects.toThrow()
    expect((await fillSignIn(await stack.person(), { email: mine.account.email, password: PASSWORD })).status).toBe(422)
    expect((await refresh(other.client, other.refresh)).scope).not.toBe('')
    expect((await other.person.get('/settings/api')).status).toBe(200)
    // The address is free again.
    expect((await operator(stack, ['invite', mine.account.email])).code).toBe(0)
  })

  it.each([[[]], [['--confirm', 'yes']], [['--confirm', 'somebody@example.com']]])(
    'is not done without its address a second time (%j)',
    async (confirm) => {
      const { id, email } = await makeAccount(stack)
      const { code, err } = await operator(stack, ['delete', email, ...confirm])
      expect([code, err]).toEqual([1, expect.stringContaining('This cannot be undone.')])
      expect(await stack.db.account.count({ where: { id, status: 'active' } })).toBe(1)
    },
  )

  it('of nobody is told so', async () => {
    const { code, err } = await operator(stack, ['delete', 'nobody@example.com', '--confirm', 'nobody@example.com'])
    expect([code, err]).toEqual([1, expect.stringContaining('There is no account')])
  })
})

// What a send does to held and spent money at each step, which only the sums over one account show.
import { createHash, randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { admit } from '../src/ledger/admit.ts'
import { settle, settleAndClaim } from '../src/ledger/settle.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { eventually } from './support/eventually.ts'
import { admission, admitted, countOf, limit, makePayer, message, type Payer } from './support/ledger.ts'

let database: ServiceDatabase
let owner: Database
let db: Database
beforeAll(async () => {
  // Fifty at once share ten connections, and on the embedded database one session.
  database = await serviceDatabase()
  owner = database.owner
  db = database.db
})
afterAll(() => database?.close())

const hash = (text: string) => new Uint8Array(createHash('sha256').update(text).digest())
const kindOf = async (outcome: Promise<{ kind: string }>) => (await outcome).kind

test('a send is held on its spender and on the account, and is charged on both once it is settled', async () => {
  const payer = await makePayer(owner)
  const one = message(50_000n)
  expect(await kindOf(admitted(db, payer, [one]))).toBe('admitted')
  for (const id of [payer.accountId, payer.tokenId]) {
    expect(await countOf(owner, id)).toMatchObject({
      dayHeldMicros: 50_000n,
      totalHeldMicros: 50_000n,
      dayRecipients: 1,
    })
  }
  expect((await countOf(owner, payer.accountId)).handedOver).toBe(1)
  await settle(db, [{ messageId: one.id, outcome: 'accepted', reference: 'r1', chargedMicros: 39_000n }])
  for (const id of [payer.accountId, payer.tokenId]) {
    expect(await countOf(owner, id)).toMatchObject({
      dayHeldMicros: 0n,
      totalHeldMicros: 0n,
      daySpentMicros: 39_000n,
      totalSpentMicros: 39_000n,
      dayRecipients: 1,
      handedOver: 0,
    })
  }
  const entries = await owner.activity.findMany({ where: { spenderId: payer.tokenId } })
  expect(
    entries.map(({ what, outcome, amountMicros, lastDigits }) => [what, outcome, amountMicros, lastDigits]),
  ).toEqual([['sms', 'OK', 39_000n, '001']])
})

test('a settled message that is settled again as it was moves nothing, and at another price only the difference', async () => {
  const payer = await makePayer(owner)
  const one = message(50_000n)
  await admitted(db, payer, [one])
  const accepted = { messageId: one.id, outcome: 'accepted', chargedMicros: null } as const
  await settle(db, [accepted])
  await settle(db, [accepted])
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalSpentMicros: 50_000n, totalHeldMicros: 0n })
  expect((await owner.sendMessage.findUniqueOrThrow({ where: { id: one.id } })).chargedHold).toBe(true)
  await settle(db, [{ ...accepted, chargedMicros: 30_000n }])
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalSpentMicros: 30_000n, daySpentMicros: 30_000n })
  const amounts = await owner.activity.findMany({ where: { spenderId: payer.tokenId }, orderBy: { id: 'asc' } })
  expect(amounts.map(({ what, amountMicros }) => [what, amountMicros])).toEqual([
    ['sms', 50_000n],
    ['settle', -20_000n],
  ])
})

test('what the upstream refused is given back whole, and a late report charges it all the same', async () => {
  const payer = await makePayer(owner)
  const one = message(50_000n)
  await admitted(db, payer, [one])
  await settle(db, [{ messageId: one.id, outcome: 'released', failure: 'SEND_REFUSED', failureNumber: 21 }])
  const nothing = { daySpentMicros: 0n, dayHeldMicros: 0n, totalSpentMicros: 0n, totalHeldMicros: 0n, dayRecipients: 0 }
  expect(await countOf(owner, payer.tokenId)).toMatchObject(nothing)
  expect(await countOf(owner, payer.accountId)).toMatchObject({ ...nothing, handedOver: 0 })
  await settle(db, [{ messageId: one.id, outcome: 'accepted', chargedMicros: 44_000n }])
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalSpentMicros: 44_000n, dayRecipients: 1 })
})

test.each([
  ['per send', { maxPerSendMicros: 49_999n }, 50_000n, 50_000n],
  ['per day', { maxPerDayMicros: 99_999n }, 50_000n, 50_000n],
  ['in total', { maxTotalMicros: 99_999n }, 50_000n, 50_000n],
  ['recipients a day', { recipientsPerDay: 1 }, 1n, 1n],
  ['countries', { countries: ['LV', 'EE'] }, null, 1n],
  ['senders', { senders: ['Other'] }, null, 1n],
  ['a pause', { pausedAt: new Date() }, null, 1n],
  ['an automatic pause', { autoPausedAt: new Date(), resumedAt: new Date(0) }, null, 1n],
] as const)(
  'a limit of %s holds on the account as on the spender, and to the last micro',
  async (name, limits, first, then) => {
    for (const of of ['account', 'token'] as const) {
      const payer = await makePayer(owner)
      const id = of === 'account' ? payer.accountId : payer.tokenId
      await limit(owner, payer, id, limits)
      if (first !== null && name !== 'per send')
        expect(await kindOf(admitted(db, payer, [message(first)]))).toBe('admitted')
      const refused = await admitted(db, payer, [message(then)])
      expect([of, refused.kind]).toEqual([of, 'refused'])
      if (refused.kind === 'refused')
        expect(refused.stands.map((stand) => stand.id).sort()).toEqual([payer.accountId, payer.tokenId].sort())
      const raised: Record<string, unknown> = {
        'per send': { maxPerSendMicros: 50_000n },
        'per day': { maxPerDayMicros: 100_000n },
        'in total': { maxTotalMicros: 100_000n },
        'recipients a day': { recipientsPerDay: 2 },
        countries: { countries: ['LT'] },
        senders: { senders: [' Tests '] },
        'a pause': { pausedAt: null },
        'an automatic pause': { resumedAt: new Date(Date.now() + 1_000) },
      }
      await limit(owner, payer, id, raised[name] as Record<string, unknown>)
      expect(await kindOf(admitted(db, payer, [message(then)]))).toBe('admitted')
    }
  },
)

test('a price that cannot be had is let through where nothing limits money, and refused where something does', async () => {
  const payer = await makePayer(owner)
  expect(await kindOf(admitted(db, payer, [message(0n)], { unpriced: true }))).toBe('admitted')
  await limit(owner, payer, payer.accountId, { maxTotalMicros: 1_000_000n })
  expect(await kindOf(admitted(db, payer, [message(0n)], { unpriced: true }))).toBe('refused')
})

test('whoever has ended admits nothing, and neither does a spender that has ended', async () => {
  const payer = await makePayer(owner)
  await limit(owner, payer, payer.tokenId, { endedAt: new Date() })
  expect(await kindOf(admitted(db, payer, [message(1n)]))).toBe('ended')
  await owner.spender.update({ where: { id: payer.tokenId }, data: { endedAt: null } })
  expect(await kindOf(admitted(db, payer, [message(1n)]))).toBe('admitted')
  await owner.apiToken.delete({ where: { id: payer.tokenId } })
  expect(await kindOf(admitted(db, payer, [message(1n)]))).toBe('ended')
  const gone = await makePayer(owner)
  await owner.apiToken.delete({ where: { id: gone.tokenId } })
  expect(await kindOf(admitted(db, gone, [message(1n)]))).toBe('ended')
  expect(await owner.spender.count({ where: { id: gone.tokenId } })).toBe(0)
})

test('20 parallel sends under one key are one send, and the others see that it stands', async () => {
  const payer = await makePayer(owner)
  const keyHash = hash('one key')
  const kinds = await Promise.all(
    Array.from({ length: 20 }, () => kindOf(admitted(db, payer, [message(10_000n)], { send: { keyHash } }))),
  )
  expect(kinds.filter((kind) => kind === 'admitted')).toHaveLength(1)
  expect(kinds.filter((kind) => kind === 'repeat')).toHaveLength(19)
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalHeldMicros: 10_000n, dayRecipients: 1 })
})

test('a key is free again once all of its send was released, and else not before its time and its last message', async () => {
  const payer = await makePayer(owner)
  const keyHash = hash('another key')
  const [one, two, three] = [message(1n), message(1n), message(1n)]
  const again = (next: typeof one) => kindOf(admitted(db, payer, [next], { send: { keyHash } }))
  expect(await again(one)).toBe('admitted')
  await settle(db, [{ messageId: one.id, outcome: 'released', failure: 'SEND_REFUSED' }])
  expect(await again(two)).toBe('admitted')
  await settle(db, [{ messageId: two.id, outcome: 'accepted' }])
  await owner.send.updateMany({ where: { spenderId: payer.tokenId }, data: { keyUntil: new Date(0) } })
  expect(await again(message(1n))).toBe('repeat')
  await owner.sendMessage.update({ where: { id: two.id }, data: { finalAt: new Date() } })
  expect(await again(three)).toBe('admitted')
})

test('a fingerprint stops the same message until its time is over, and an expired one is cleared by the insert', async () => {
  const payer = await makePayer(owner)
  const fingerprint = hash(randomUUID())
  const one = message(1n, { fingerprint })
  const again = () => kindOf(admitted(db, payer, [message(1n, { fingerprint })]))
  expect(await kindOf(admitted(db, payer, [one]))).toBe('admitted')
  expect(await again()).toBe('repeat')
  await settle(db, [{ messageId: one.id, outcome: 'accepted' }])
  expect(await again()).toBe('repeat')
  await owner.sendMessage.update({ where: { id: one.id }, data: { fingerprintUntil: new Date(0) } })
  expect(await again()).toBe('admitted')
})

test('at most eight messages of an account are with the upstream, and a settled one gives its place back', async () => {
  const payer = await makePayer(owner)
  const sent = Array.from({ length: 12 }, () => message(1n))
  const kinds = await Promise.all(sent.map((one) => kindOf(admitted(db, payer, [one]))))
  expect(kinds.filter((kind) => kind === 'admitted')).toHaveLength(8)
  expect(kinds.filter((kind) => kind === 'busy')).toHaveLength(4)
  const out = await owner.sendMessage.findFirstOrThrow({ where: { spenderId: payer.tokenId, state: 'handed_over' } })
  await settle(db, [{ messageId: out.id, outcome: 'accepted' }])
  expect(await kindOf(admitted(db, payer, [message(1n)]))).toBe('admitted')
  expect(await kindOf(admitted(db, payer, [message(1n)]))).toBe('busy')
})

test('a list is claimed in chunks of four, each once, by a runner whose lease holds', async () => {
  const payer = await makePayer(owner)
  const sent = Array.from({ length: 10 }, () => message(10n))
  const list = await admission(db, payer, sent, { how: 'held', leaseSeconds: 30 })
  expect((await admit(db, list)).kind).toBe('admitted')
  const claim = {
    sendId: list.send.id,
    grant: list.grant,
    spenderId: payer.tokenId,
    upstream: 'sandbox' as const,
    generation: 0,
    runnerId: null,
    leaseSeconds: 20,
    runnerSeconds: 30,
  }
  const first = await settleAndClaim(db, [], claim)
  expect(first).toMatchObject({ live: true, claimed: expect.objectContaining({ length: 4 }) })
  const second = await settleAndClaim(
    db,
    first.claimed.map((messageId) => ({ messageId, outcome: 'accepted' })),
    claim,
  )
  expect(second.claimed).toHaveLength(4)
  expect(await countOf(owner, payer.accountId)).toMatchObject({
    handedOver: 4,
    totalSpentMicros: 40n,
    totalHeldMicros: 60n,
  })
  // Another upstream's generation, a pause, and a lease that is over each stop it.
  expect((await settleAndClaim(db, [], { ...claim, generation: 1 })).claimed).toEqual([])
  await limit(owner, payer, payer.tokenId, { pausedAt: new Date() })
  expect(await settleAndClaim(db, [], claim)).toMatchObject({ live: false, claimed: [] })
  await limit(owner, payer, payer.tokenId, { pausedAt: null })
  await owner.send.update({ where: { id: list.send.id }, data: { runnerUntil: new Date(0) } })
  expect((await settleAndClaim(db, [], claim)).claimed).toEqual([])
  await owner.send.update({ where: { id: list.send.id }, data: { runnerUntil: new Date(Date.now() + 60_000) } })
  const last = await settleAndClaim(
    db,
    second.claimed.map((messageId) => ({ messageId, outcome: 'accepted' })),
    claim,
  )
  expect(last.claimed).toHaveLength(2)
  const all = [...first.claimed, ...second.claimed, ...last.claimed]
  expect(new Set(all).size).toBe(10)
})

test('a limit that is lowered while a send waits for its row refuses that send', async () => {
  const payer = await makePayer(owner)
  await admitted(db, payer, [message(1n)])
  await limit(owner, payer, payer.tokenId, { maxTotalMicros: 1_000_000n })
  let waiting: Promise<string> | undefined
  await owner.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT id::text FROM spender WHERE id = ${payer.tokenId}::uuid FOR UPDATE`
    waiting = kindOf(admitted(db, payer, [message(500_000n)]))
    await standsInLine(tx)
    await tx.spender.update({ where: { id: payer.tokenId }, data: { maxTotalMicros: 400_000n } })
  })
  expect(await waiting).toBe('refused')
})

/** Resolves once a statement waits for a lock; on the embedded database, whose session the transaction has, at once. */
async function standsInLine(tx: Pick<Database, '$queryRaw'>): Promise<void> {
  if ((await tx.$queryRaw<{ version: string }[]>`SELECT version() AS version`)[0]?.version.includes('emscripten'))
    return
  await eventually(async () => {
    const [row] = await tx.$queryRaw<{ waiting: bigint }[]>`
      SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')`
    return row !== undefined && row.waiting > 0n
  })
}

test('a new token does not begin the day of the account anew before it ends, though its owner has another time zone', async () => {
  const first = await makePayer(owner)
  await limit(owner, first, first.accountId, { maxPerDayMicros: 60_000n })
  const moment = Date.now()
  const day = (date: string, fromHours: number) => ({
    date,
    startsAt: new Date(moment + fromHours * 3_600_000),
    endsAt: new Date(moment + (fromHours + 24) * 3_600_000),
  })
  const today = new Date(moment).toISOString().slice(0, 10)
  const tomorrow = new Date(moment + 86_400_000).toISOString().slice(0, 10)
  const inZone = async (payer: Payer, days: ReturnType<typeof day>[]) => {
    const one = await admission(db, payer, [message(50_000n)])
    return (await admit(db, { ...one, ledger: { ...one.ledger, days } })).kind
  }
  expect(await inZone(first, [day(today, -20)])).toBe('admitted')
  // Further east it is tomorrow already.
  const second = await makePayer(owner, first.accountId)
  expect(await inZone(second, [day(today, -25), day(tomorrow, -1)])).toBe('refused')
  const count = await countOf(owner, first.accountId)
  expect([count.day.toISOString().slice(0, 10), count.dayHeldMicros]).toEqual([today, 50_000n])
})

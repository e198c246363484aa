// The doors after the first: what waited, was scheduled or is a list, let in by the same statement over one world.
import { createHash, randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Admission, admit } from '../src/ledger/admit.ts'
import type { Claim } from '../src/ledger/claim.ts'
import { admitDue } from '../src/ledger/due.ts'
import { settle, settleAndClaim } from '../src/ledger/settle.ts'
import { toSpenders, WAITING_MAX } from '../src/ledger/standing.ts'
import { judgeCaps } from '../src/limits/judge.ts'
import { createSweepJob } from '../src/sending/sweep.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { admission, admitted, countOf, ledgerOf, limit, makePayer, message, type Payer } from './support/ledger.ts'
import { turn } from './support/turn.ts'

let database: ServiceDatabase
let owner: Database
let db: Database
let payer: Payer
beforeAll(async () => {
  database = await serviceDatabase(5)
  owner = database.owner
  db = database.db
})
afterAll(() => database?.close())
beforeEach(async () => {
  await database.followDate()
  payer = await makePayer(owner)
})

const kindOf = async (outcome: Promise<{ kind: string }>) => (await outcome).kind
const send = (of = payer, ...messages: ReturnType<typeof message>[]) =>
  kindOf(admitted(db, of, messages.length > 0 ? messages : [message(1n)]))
const state = async ({ id }: { id: bigint }) => (await owner.sendMessage.findUniqueOrThrow({ where: { id } })).state
const accepted = (messageId: bigint) => ({ messageId, outcome: 'accepted' as const })
const scheduledAt = () => new Date(Date.now() - 1_000)

describe('scheduled messages', () => {
  const wait = (one = message(1n)) =>
    kindOf(admitted(db, payer, [one], { how: 'scheduled', send: { scheduledAt: scheduledAt() } }))

  test('wait up to a thousand of one spender; one that goes makes room, and what goes at once needs none', async () => {
    const first = message(1n)
    expect(await wait(first)).toBe('admitted')
    const where = { spenderId: payer.tokenId }
    await owner.spenderCount.updateMany({ where, data: { scheduled: WAITING_MAX - 1 } })
    expect(await wait()).toBe('admitted')
    expect(await wait()).toBe('too_many_waiting')
    expect(await send()).toBe('admitted')
    await settle(db, [{ messageId: first.id, outcome: 'released' }])
    expect(await wait()).toBe('admitted')
    expect(await wait()).toBe('too_many_waiting')
  })
})

describe('a scheduled send at its time', () => {
  async function scheduled(count: number, at = scheduledAt()) {
    const messages = Array.from({ length: count }, () => message(60n))
    const one = await admission(db, payer, messages, { how: 'scheduled', send: { scheduledAt: at } })
    expect(await kindOf(admit(db, one))).toBe('admitted')
    return { one, messages }
  }
  /** As a node takes it. */
  async function takenFor(id: string): Promise<string> {
    const runnerId = randomUUID()
    await owner.send.update({ where: { id }, data: { runnerId } })
    return runnerId
  }
  const due = async (
    { grant, send: { id } }: Admission,
    holds: readonly (readonly [bigint, bigint])[],
    {
      generation = 0,
      taken = takenFor,
    }: { generation?: number; taken?: (id: string) => string | Promise<string> } = {},
  ) =>
    admitDue(db, {
      grant,
      ledger: await ledgerOf(db, payer),
      sendId: id,
      generation,
      runnerId: await taken(id),
      limitedSender: 'Tests',
      unpriced: false,
      maxMicros: null,
      holds: holds.map(([messageId, holdMicros]) => ({ id: messageId, parts: 1, holdMicros, holdTold: false })),
      runnerSeconds: 30,
    })

  test('holds that day’s price in place of what it held, up to the very total, and once', async () => {
    await limit(owner, payer, payer.tokenId, { maxTotalMicros: 100n })
    const { one, messages } = await scheduled(1)
    const at = (price: bigint) =>
      kindOf(
        due(
          one,
          messages.map(({ id }) => [id, price]),
        ),
      )
    expect(await at(101n)).toBe('refused')
    expect(await at(100n)).toBe('admitted')
    const { runnerUntil } = await owner.send.findUniqueOrThrow({ where: { id: one.send.id } })
    expect(Math.round((Number(runnerUntil) - Number(await databaseNow(db))) / 10_000)).toBe(3)
    for (const id of [payer.tokenId, payer.accountId]) {
      const counted = { dayHeldMicros: 100n, totalHeldMicros: 100n, dayRecipients: 1, scheduled: 0 }
      expect(await countOf(owner, id)).toMatchObject(counted)
    }
    expect(await owner.sendMessage.findFirstOrThrow({ where: { sendId: one.send.id } })).toMatchObject({
      state: 'held',
      holdMicros: 100n,
      day: expect.any(Date),
    })
    expect(await at(100n)).toBe('changed')
  })

  test('is let in as it was read or not at all: not before its time, under another token of the upstream, for a node that lost it, or in part', async () => {
    const early = await scheduled(1, new Date(Date.now() + 60_000))
    expect(await kindOf(due(early.one, [[early.messages[0]?.id ?? 0n, 60n]]))).toBe('changed')
    const { one, messages } = await scheduled(2)
    const [first = 0n, second = 0n] = messages.map(({ id }) => id)
    const all = [[first, 60n] as const, [second, 60n] as const]
    expect(await kindOf(due(one, all, { generation: 1 }))).toBe('changed')
    expect(await kindOf(due(one, all, { taken: () => randomUUID() }))).toBe('changed')
    expect(await kindOf(due(one, [[first, 60n]]))).not.toBe('admitted')
    await settle(db, [{ messageId: second, outcome: 'released' }])
    expect(await kindOf(due(one, all))).toBe('changed')
    expect(await owner.sendMessage.findUniqueOrThrow({ where: { id: first } })).toMatchObject({
      state: 'scheduled',
      day: null,
    })
    expect(await kindOf(due(one, [[first, 60n]]))).toBe('admitted')
    expect(await state({ id: second })).toBe('released')
  })

  test('is told which limit refused it, without what it holds itself', async () => {
    await limit(owner, payer, payer.tokenId, { maxTotalMicros: 60n, recipientsPerDay: 0 })
    const { one, messages } = await scheduled(1)
    const outcome = await due(
      one,
      messages.map(({ id }) => [id, 60n]),
    )
    if (outcome.kind !== 'refused') throw new Error(outcome.kind)
    const { spenders, today } = toSpenders(outcome.stands, null)
    if (today === null) throw new Error('a refusal without its day')
    const asked = { priceMicros: 60n, recipients: 1, scheduled: false }
    expect(judgeCaps(spenders, asked, today, 'http://localhost')?.code).toBe('RECIPIENTS_REACHED')
  })

  test('is over once its spender has ended, and waits for nothing while it is paused', async () => {
    const { one, messages } = await scheduled(1)
    const now = () =>
      kindOf(
        due(
          one,
          messages.map(({ id }) => [id, 60n]),
        ),
      )
    await limit(owner, payer, payer.tokenId, { pausedAt: new Date() })
    expect(await now()).toBe('refused')
    await limit(owner, payer, payer.tokenId, { pausedAt: null, endedAt: new Date() })
    expect(await now()).toBe('ended')
  })
})

describe('a list', () => {
  async function list(count: number) {
    const messages = Array.from({ length: count }, () => message(1n))
    const one = await admission(db, payer, messages, { how: 'held', leaseSeconds: 30 })
    expect(await kindOf(admit(db, one))).toBe('admitted')
    const {
      grant,
      send: { id: sendId },
    } = one
    const claim: Claim = {
      sendId,
      grant,
      spenderId: payer.tokenId,
      upstream: 'sandbox',
      generation: 0,
      runnerId: null,
      leaseSeconds: 20,
      runnerSeconds: 30,
    }
    return {
      messages,
      claim: (changes: Partial<Claim> = {}) => settleAndClaim(db, [], { ...claim, ...changes }),
    }
  }

  test('is stopped by an automatic pause of its spender or its account, and goes on once the owner resumed', async () => {
    for (const id of [payer.tokenId, payer.accountId]) {
      const { claim } = await list(2)
      const paused = new Date(Date.now() - 1_000)
      await limit(owner, payer, id, { autoPausedAt: paused })
      expect(await claim()).toMatchObject({ live: false, claimed: [] })
      await limit(owner, payer, id, { resumedAt: new Date(paused.getTime() - 1) })
      expect(await claim()).toMatchObject({ live: false, claimed: [] })
      await limit(owner, payer, id, { resumedAt: new Date() })
      expect((await claim()).claimed.length).toBe(2)
    }
  })

  test('takes the places that other sends of its account leave, and no more than eight are taken', async () => {
    const others = Array.from({ length: 6 }, () => message(1n))
    const other = await makePayer(owner, payer.accountId)
    for (const one of others) expect(await send(other, one)).toBe('admitted')
    const { claim } = await list(4)
    expect((await claim()).claimed.length).toBe(2)
    expect((await claim()).claimed).toEqual([])
    expect((await countOf(owner, payer.accountId)).handedOver).toBe(8)
    await settle(
      db,
      others.slice(0, 1).map(({ id }) => accepted(id)),
    )
    expect((await claim()).claimed.length).toBe(1)
    expect((await countOf(owner, payer.accountId)).handedOver).toBe(8)
  })

  test('is claimed at its own upstream alone', async () => {
    const { claim } = await list(1)
    expect((await claim({ upstream: 'vertexsms' })).claimed).toEqual([])
    expect((await claim()).claimed.length).toBe(1)
  })
})

describe('a country', () => {
  const country = (changes: Parameters<typeof admitted>[3] = {}) => {
    const one = message(1n)
    return { one, kind: kindOf(admitted(db, payer, [one], changes)) }
  }
  const asks = (id: string, askNewCountry = true) => limit(owner, payer, id, { askNewCountry })

  test('is new until the upstream took a message to it: what waits, is with it or was given back does not make it known', async () => {
    const waiting = country({ how: 'held' })
    expect(await waiting.kind).toBe('admitted')
    const refused = country()
    expect(await refused.kind).toBe('admitted')
    await asks(payer.tokenId)
    expect(await country().kind).toBe('asks')
    await settle(db, [{ messageId: refused.one.id, outcome: 'released', failure: 'SEND_REFUSED' }])
    expect(await country().kind).toBe('asks')
    await settle(db, [accepted(refused.one.id)])
    expect(await country().kind).toBe('admitted')
  })

  test('is known where a message to it may have gone: past its lease, whoever has noted that or not', async () => {
    const lost = country()
    expect(await lost.kind).toBe('admitted')
    await asks(payer.tokenId)
    expect(await country().kind).toBe('asks')
    await database.followDate(60_000)
    expect(await country().kind).toBe('admitted')
    await settle(db, [{ messageId: lost.one.id, outcome: 'unknown' }])
    expect(await country().kind).toBe('admitted')
  })

  test.each([
    ['an SMS', 'sms', { sms: 'admitted', hlr: 'admitted', msisdn: 'admitted' }],
    ['a lookup', 'hlr', { sms: 'asks', hlr: 'admitted', msisdn: 'asks' }],
    ['a PIN', 'msisdn', { sms: 'asks', hlr: 'asks', msisdn: 'admitted' }],
  ] as const)(
    'that %s went to is known to SMS by SMS alone, and to a lookup or a PIN by its own kind, too',
    async (_what, went, then) => {
      const first = country({ send: { kind: went } })
      expect(await first.kind).toBe('admitted')
      await settle(db, [accepted(first.one.id)])
      for (const id of [payer.tokenId, payer.accountId]) {
        await asks(id)
        for (const [kind, outcome] of Object.entries(then)) {
          const next = country({ send: { kind: kind as keyof typeof then } })
          expect([id === payer.accountId, kind, await next.kind]).toEqual([id === payer.accountId, kind, outcome])
          if (outcome === 'admitted') await settle(db, [{ messageId: next.one.id, outcome: 'released' }])
        }
        await asks(id, false)
      }
    },
  )

  test('is told once, however many of a list go there and whoever asks', async () => {
    await asks(payer.tokenId)
    await asks(payer.accountId)
    const messages = ['LT', 'LT', 'LV'].map((of) => message(1n, { country: of }))
    const outcome = await admitted(db, payer, messages)
    expect(outcome.kind === 'asks' && [...outcome.newCountries].sort()).toEqual(['LT', 'LV'])
  })

  test('is known to the account by any of its tokens, to a token by itself alone, and to another account by neither', async () => {
    const second = await makePayer(owner, payer.accountId)
    await asks(payer.accountId)
    await limit(owner, second, second.tokenId, { askNewCountry: true })
    expect(await send(payer)).toBe('asks')
    await asks(payer.accountId, false)
    const first = message(1n)
    expect(await send(payer, first)).toBe('admitted')
    await settle(db, [accepted(first.id)])
    await asks(payer.accountId)
    expect(await send(payer)).toBe('admitted')
    expect(await send(second)).toBe('asks')
    const stranger = await makePayer(owner)
    await limit(owner, stranger, stranger.accountId, { askNewCountry: true })
    expect(await send(stranger)).toBe('asks')
  })
})

describe('what was let in', () => {
  test('keeps its key for a day, though all of it is over', async () => {
    const keyHash = new Uint8Array(createHash('sha256').update('a key').digest())
    const one = message(1n)
    const again = (next: typeof one) => kindOf(admitted(db, payer, [next], { send: { keyHash } }))
    expect(await again(one)).toBe('admitted')
    await settle(db, [{ ...accepted(one.id), final: true }])
    await database.followDate(86_000_000)
    expect(await again(message(1n))).toBe('repeat')
    await database.followDate(86_500_000)
    expect(await again(message(1n))).toBe('admitted')
  })

  test('is left alone by the sweep until its lease or its runner’s is over', async () => {
    const job = createSweepJob(db, 'sandbox', 1_000)
    const [at, held] = [message(1n), message(1n)]
    expect(await send(payer, at)).toBe('admitted')
    expect(await kindOf(admitted(db, payer, [held], { how: 'held', leaseSeconds: 30 }))).toBe('admitted')
    const states = async () => {
      await turn(job)
      return [await state(at), await state(held)]
    }
    expect(await states()).toEqual(['handed_over', 'held'])
    await database.followDate(25_000)
    expect(await states()).toEqual(['unknown', 'held'])
    await database.followDate(35_000)
    expect(await states()).toEqual(['unknown', 'released'])
  })
})

describe('a limit', () => {
  test('of senders finds a number by its digits and a name by its letters, and is none for what has no sender', async () => {
    await limit(owner, payer, payer.tokenId, { senders: ['+370 600-00001', ' Acme '] })
    const from = (limitedSender: string | null) => kindOf(admitted(db, payer, [message(1n)], { limitedSender }))
    expect([await from('37060000001'), await from('37060000002')]).toEqual(['admitted', 'refused'])
    expect([await from('Acme'), await from('acme'), await from(null)]).toEqual(['admitted', 'refused', 'admitted'])
  })

  test('counts what one upstream was sent, and leaves the counters of another as they are', async () => {
    const spenderId = payer.tokenId
    await limit(owner, payer, spenderId, { maxTotalMicros: 10n })
    const now = new Date()
    const elsewhere = { day: now, dayEndsAt: now, totalSpentMicros: 10n, totalHeldMicros: 1n }
    await owner.spenderCount.create({ data: { spenderId, upstream: 'vertexsms', ...elsewhere } })
    expect(await send(payer, message(10n))).toBe('admitted')
    expect(await send()).toBe('refused')
    const where = { spenderId_upstream: { spenderId, upstream: 'vertexsms' } }
    const { totalSpentMicros, totalHeldMicros } = await owner.spenderCount.findUniqueOrThrow({ where })
    expect([totalSpentMicros, totalHeldMicros]).toEqual([10n, 1n])
  })
})

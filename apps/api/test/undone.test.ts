// The server undoes a statement for another's sake: what is admitted and what is settled is tried again, and a hand-over never.
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { countOf, makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'

const NUMBER = '37060000001'
/** SQLSTATE of a deadlock and of a serialization failure. */
const CODES = ['40P01', '40001'] as const

let database: ServiceDatabase
let owner: Database
let db: Database
let payer: Payer
beforeAll(async () => {
  database = await serviceDatabase(4)
  owner = database.owner
  db = database.db
  // A sequence counts what is undone, too.
  await owner.$executeRawUnsafe('CREATE SEQUENCE undone')
  await undo('INSERT', '40001', 0)
  await owner.$executeRawUnsafe(
    'CREATE TRIGGER undo BEFORE INSERT OR UPDATE ON send_message FOR EACH ROW EXECUTE FUNCTION undo()',
  )
})
afterAll(() => database?.close())
beforeEach(async () => {
  payer = await makePayer(owner)
})

/** From now on so many statements of the kind are undone by the server. */
async function undo(kind: 'INSERT' | 'UPDATE', code: (typeof CODES)[number], times: number): Promise<void> {
  await owner.$executeRawUnsafe('ALTER SEQUENCE undone RESTART')
  await owner.$executeRawUnsafe(`CREATE OR REPLACE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      IF TG_OP = '${kind}' THEN
        IF nextval('public.undone') <= ${times} THEN RAISE EXCEPTION 'undone' USING ERRCODE = '${code}'; END IF;
      END IF;
      RETURN NEW;
    END $$`)
}

async function tries(): Promise<number> {
  const [row] = await owner.$queryRaw<{ tries: bigint }[]>`SELECT last_value AS tries FROM undone`
  return Number(row?.tries)
}

test.each(CODES)(
  'an admission that is undone twice (%s) is tried a third time, and one message goes out',
  async (code) => {
    const operator = fakeOperator()
    const { sending } = pathNode(db, operator)
    await undo('INSERT', code, 2)
    const { id } = await sending.sendOne(smsCall(payer, [NUMBER]))
    expect(await tries()).toBe(3)
    expect([...operator.handOvers]).toEqual([[id, 1]])
    expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalSpentMicros: 39_000n, totalHeldMicros: 0n })
  },
)

test.each(CODES)(
  'an admission that is undone three times (%s) is given up: nothing is held, and nothing goes out',
  async (code) => {
    const operator = fakeOperator()
    const { sending } = pathNode(db, operator)
    await undo('INSERT', code, 3)
    await expect(sending.sendOne(smsCall(payer, [NUMBER]))).rejects.toThrow()
    expect(await tries()).toBe(3)
    expect(operator.handOvers.size).toBe(0)
    expect(await owner.sendMessage.count({ where: { accountId: payer.accountId } })).toBe(0)
    expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalHeldMicros: 0n, handedOver: 0 })
  },
)

test.each(CODES)(
  'a settling that is undone (%s), however often, is tried until it stands, and the message is not handed over again',
  async (code) => {
    const operator = fakeOperator()
    const { sending } = pathNode(db, operator)
    for (const [times, to] of [
      [2, NUMBER],
      [3, '37060000002'],
      [7, '37060000003'],
    ] as const) {
      await undo('UPDATE', code, times)
      const { id } = await sending.sendOne(smsCall(payer, [to]))
      await eventually(async () => {
        const row = await owner.sendMessage.findUniqueOrThrow({ where: { id } })
        return row.state === 'accepted' ? row : undefined
      }, 60_000)
      expect(await tries()).toBe(times + 1)
      expect(operator.handOvers.get(id)).toBe(1)
    }
    expect(operator.handOvers.size).toBe(3)
    expect(await countOf(owner, payer.accountId)).toMatchObject({
      totalSpentMicros: 117_000n,
      totalHeldMicros: 0n,
      handedOver: 0,
    })
  },
)

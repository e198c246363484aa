import { type HlrResult, hlrResultSchema } from '@vertexsms/contract/rest'
import { Prisma } from '@vertexsms/db/client'
import { owePosts } from '../../callback-lane.ts'
import { operatorsOf } from '../operators.ts'
import type { Caller, HlrProgress } from '../upstream.ts'
import type { SandboxOptions } from './config.ts'
import { stableHash } from './hash.ts'
import { magicCode } from './magic.ts'
import { operatorOf, readNumber } from './numbers.ts'

/** One number in this many has moved to another operator. */
const PORTED_ONE_IN = 8

/** An IMSI has this many digits (ITU-T E.212). */
const IMSI_DIGITS = 15

/** Lookups answered in one go by the background job. */
const BATCH = 50

interface Lookup {
  readonly id: bigint
  readonly accountId: string
  readonly msisdn: string
  readonly callbackUrl: string | null
}

/** What the network says of a number: always the same for the same number. */
function networkAnswer(id: bigint, msisdn: string): HlrResult {
  const read = readNumber(`+${msisdn}`)
  const number = 'fix' in read ? undefined : read
  const home = number && operatorOf(number)
  const error = magicCode(msisdn) ?? 0
  const nothing = { imsi: null, operatorId: null, operator: null, mcc: null, mnc: null, ported: [] }
  if (error !== 0 || !home)
    return { id: String(id), error: String(home ? error : 51), country: number?.country ?? null, ...nothing }
  const others = operatorsOf(home.country).filter((operator) => operator.id !== home.id)
  const hash = stableHash(`hlr ${msisdn}`)
  const current = (hash % PORTED_ONE_IN === 0 ? others[hash % Math.max(others.length, 1)] : undefined) ?? home
  const mnc = current.mnc[0] ?? ''
  const subscriber = String(hash)
    .padStart(IMSI_DIGITS, '0')
    .slice(current.mcc.length + mnc.length)
  return {
    id: String(id),
    error: '0',
    imsi: current.mcc + mnc + subscriber.padStart(IMSI_DIGITS - current.mcc.length - mnc.length, '0'),
    country: current.country,
    operatorId: current.id,
    operator: current.name,
    mcc: current.mcc,
    mnc,
    ported: current === home ? [] : [{ operatorId: home.id, operator: home.name, country: home.country }],
  }
}

/** Answers and reads HLR lookups. */
export function createLookups({ db }: Pick<SandboxOptions, 'db'>) {
  /** Stores the answer and what it owes to the callback URL in one statement; true for the one caller who did it. */
  async function answer({ id, accountId, msisdn, callbackUrl }: Lookup, now: Date): Promise<boolean> {
    const result = JSON.stringify(networkAnswer(id, msisdn))
    const rows = await db.$queryRaw<{ id: bigint }[]>`
      WITH answered AS (
        UPDATE hlr_lookup
        SET result = ${result}::jsonb, tell_at = CASE WHEN order_id IS NOT NULL THEN ${now}::timestamptz END
        WHERE id = ${id}::bigint AND result IS NULL RETURNING id
      ), owed AS (${owePosts(Prisma.sql`
        SELECT ${accountId}::uuid AS account_id, ${callbackUrl}::text AS url, NULL::int AS test_mode, ${result}::jsonb AS body
        FROM answered WHERE ${callbackUrl}::text IS NOT NULL`)}
      )
      SELECT id FROM answered`
    return rows.length > 0
  }

  return {
    /** A lookup from before there were orders, of the caller's account, answered on the spot when its time has come. */
    async read(caller: Caller, id: bigint): Promise<HlrProgress | undefined> {
      const where = { id, accountId: caller.accountId, orderId: null }
      let row = await db.hlrLookup.findFirst({ where })
      const now = caller.now()
      if (row && row.result === null && row.dueAt <= now) {
        await answer(row, now)
        row = await db.hlrLookup.findFirst({ where })
      }
      if (!row) return undefined
      const result = row.result === null ? null : hlrResultSchema.parse(row.result)
      const status = result === null ? 'pending' : 'done'
      const lookAgainInMs = result ? null : row.dueAt.getTime() - now.getTime()
      return { status: { id: String(id), status, msisdn: row.msisdn, result }, lookAgainInMs }
    },

    /** Answers the lookups that are due; safe on several nodes, since one of them wins each. Returns how many. */
    async answerDue(now: Date): Promise<number> {
      const due = await db.$queryRaw<Lookup[]>`
        SELECT id, account_id AS "accountId", msisdn, callback_url AS "callbackUrl" FROM hlr_lookup
        WHERE result IS NULL AND due_at <= ${now}::timestamptz ORDER BY due_at LIMIT ${BATCH}::int`
      for (const lookup of due) await answer(lookup, now)
      return due.length
    },
  }
}

// The row that limits hang on, as the owner's side writes it: its beginning, its limits, its pause, its end. Counters and
// what is sent are the API's. Locks come in one order: the account, the connection or token, then the spender.
import { NO_LIMITS, type SpenderLimits } from '@vertexsms/contract/spender-limits'
import { connectionLives, tokenLives } from '@vertexsms/db/alive'
import { type Database, Prisma } from '@vertexsms/db/client'
import { pauseOf } from '@vertexsms/db/paused'

/** Who may have a spender: an account, a connection of it, a token made by hand. */
export type Holder = { readonly kind: 'account' | 'connection' | 'token'; readonly id: string }

/** What the owner may set of a spender. */
export interface OwnersRules extends SpenderLimits {
  readonly askAboveMicros: bigint | null
  readonly askNewCountry: boolean
}

/** What limits hang on: a connection or token that took the place of no other one is its own spender. */
export function spenderIdOf({ id, spenderId }: { readonly id: string; readonly spenderId: string | null }): string {
  return spenderId ?? id
}

/** The row of a spender that begins, in the transaction that makes its connection or token. */
export async function createSpender(
  tx: Prisma.TransactionClient,
  holder: Holder & { readonly accountId: string },
  limits: SpenderLimits,
  now: Date,
): Promise<void> {
  await tx.spender.create({ data: { ...holder, createdAt: now, ...columns(limits) } })
}

const LIMITS = {
  maxPerSendMicros: true,
  maxPerDayMicros: true,
  maxTotalMicros: true,
  recipientsPerDay: true,
  countries: true,
  senders: true,
} as const

/** The limits of a spender; none while it has no row. */
export async function limitsOf(tx: Pick<Database, 'spender'>, spenderId: string): Promise<SpenderLimits> {
  return (await tx.spender.findUnique({ where: { id: spenderId }, select: LIMITS })) ?? NO_LIMITS
}

/**
 * The spender of a holder that is alive, with a row from now on; locks the holder. Null when the holder has ended, ran
 * out, or is not the account's.
 */
export async function holdSpender(
  tx: Prisma.TransactionClient,
  accountId: string,
  holder: Holder,
): Promise<string | null> {
  const [held] = await tx.$queryRaw<{ id: string }[]>`
    ${aliveHolder(accountId, holder)} FOR NO KEY UPDATE`
  if (!held) return null
  await tx.$executeRaw`
    INSERT INTO spender (id, account_id, kind, created_at)
    VALUES (${held.id}::uuid, ${accountId}::uuid, ${holder.kind}::spender_kind, database_now())
    ON CONFLICT (id) DO NOTHING`
  const live = await tx.spender.count({ where: { id: held.id, accountId, endedAt: null } })
  return live === 1 ? held.id : null
}

function aliveHolder(accountId: string, { kind, id }: Holder): Prisma.Sql {
  const owned = Prisma.sql`id = ${id}::uuid AND account_id = ${accountId}::uuid`
  if (kind === 'account')
    return Prisma.sql`SELECT id::text FROM account WHERE id = ${id}::uuid AND id = ${accountId}::uuid`
  if (kind === 'connection') {
    return Prisma.sql`SELECT coalesce(spender_id, id)::text AS id FROM connection
      WHERE ${owned} AND ${connectionLives('connection')}`
  }
  return Prisma.sql`SELECT coalesce(spender_id, id)::text AS id FROM api_token
    WHERE ${owned} AND kind = 'manual' AND ${tokenLives('api_token')}`
}

/** Sets what is given of a spender's rules; the rest stays. False when it has ended. */
export function setRules(
  tx: Prisma.TransactionClient,
  spenderId: string,
  rules: Partial<OwnersRules>,
): Promise<boolean> {
  const { countries, senders, ...others } = rules
  const data = { ...others, ...(countries && { countries: [...countries] }), ...(senders && { senders: [...senders] }) }
  return changed(tx, spenderId, data)
}

/** The owner's pause: from now on every send under it is refused. False when it has ended. */
export function pauseSpender(tx: Prisma.TransactionClient, spenderId: string, now: Date): Promise<boolean> {
  return changed(tx, spenderId, { pausedAt: now })
}

/**
 * Ends every pause from before now, the automatic one too; none where a rule paused the spender after `seen`, up to when its
 * owner knows of pauses. In one statement, which a pause that is being written waits for or comes before. False where nothing
 * ended, for that, or because the spender has ended.
 */
export function resumeSpender(
  tx: Prisma.TransactionClient,
  spenderId: string,
  now: Date,
  seen: Date | null = null,
): Promise<boolean> {
  const allSeen = seen === null ? {} : { OR: [{ autoPausedAt: null }, { autoPausedAt: { lte: seen } }] }
  return changed(tx, spenderId, { pausedAt: null, resumedAt: now }, allSeen)
}

async function changed(
  tx: Prisma.TransactionClient,
  spenderId: string,
  data: Prisma.SpenderUpdateManyMutationInput,
  as: Prisma.SpenderWhereInput = {},
): Promise<boolean> {
  const { count } = await tx.spender.updateMany({ where: { ...as, id: spenderId, endedAt: null }, data })
  return count === 1
}

function columns(limits: SpenderLimits) {
  return { ...limits, countries: [...limits.countries], senders: [...limits.senders] }
}

/**
 * The step of an ending that ends the spenders of `gone`, a step before it with `id, account_id, spender_id`, and `name` for
 * a token, which it keeps: each that no live connection or token goes on with. A spender that never had a row gets one, for
 * the API's first use must not make it anew.
 */
export function endSpenders(kind: 'connection' | 'token'): Prisma.Sql {
  const name = kind === 'token' ? Prisma.sql`gone.name` : Prisma.sql`NULL`
  const others =
    kind === 'connection'
      ? Prisma.sql`SELECT FROM connection o WHERE ${connectionLives('o')}`
      : Prisma.sql`SELECT FROM api_token o WHERE o.kind = 'manual' AND ${tokenLives('o')}`
  return Prisma.sql`
    INSERT INTO spender (id, account_id, kind, created_at, ended_at, ended_name)
    SELECT DISTINCT ON (spender_id) spender_id, account_id, ${kind}::spender_kind, database_now(), database_now(), ${name}
    FROM gone
    WHERE NOT EXISTS (
      ${others} AND o.account_id = gone.account_id AND coalesce(o.spender_id, o.id) = gone.spender_id
        AND o.id NOT IN (SELECT id FROM gone)
    )
    ORDER BY spender_id, id <> spender_id
    ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, ended_name = excluded.ended_name
    WHERE spender.ended_at IS NULL`
}

/** Spenders that somebody or a rule paused; {@link pauseOf} says which of them still are. */
export const EVER_PAUSED = {
  endedAt: null,
  OR: [{ pausedAt: { not: null } }, { autoPausedAt: { not: null } }],
} satisfies Prisma.SpenderWhereInput

/** The ids of an account's spenders that are paused; its own id for the whole account. */
export async function pausedOf(db: Pick<Database, 'spender'>, accountId: string): Promise<ReadonlySet<string>> {
  const rows = await db.spender.findMany({ where: { accountId, ...EVER_PAUSED } })
  return new Set(rows.flatMap((row) => (pauseOf(row) === null ? [] : [row.id])))
}

/** What a spender is held to, and whether it is paused; nothing of one without a row, as from before limits. */
export interface Standing {
  readonly rules: OwnersRules
  readonly isPaused: boolean
}

/** The {@link Standing} of a spender. */
export async function standingOf(tx: Pick<Database, 'spender'>, spenderId: string): Promise<Standing> {
  const pause = { pausedAt: true, resumedAt: true, autoPausedAt: true } as const
  const select = { ...LIMITS, askAboveMicros: true, askNewCountry: true, ...pause } as const
  const row = await tx.spender.findUnique({ where: { id: spenderId }, select })
  if (!row) return { rules: { ...NO_LIMITS, askAboveMicros: null, askNewCountry: false }, isPaused: false }
  const { pausedAt, resumedAt, autoPausedAt, ...rules } = row
  return { rules, isPaused: pauseOf({ pausedAt, resumedAt, autoPausedAt }) !== null }
}

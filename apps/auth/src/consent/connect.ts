import { randomUUID } from 'node:crypto'
import type { Scope } from '@vertexsms/contract/scopes'
import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import { connectionLives } from '@vertexsms/db/alive'
import { Prisma } from '@vertexsms/db/client'
import { readsOnly } from '../connections/binding.ts'
import { endReplaced } from '../connections/end.ts'
import { isWithin, narrower } from '../connections/limits.ts'
import {
  createSpender,
  holdSpender,
  limitsOf,
  type OwnersRules,
  type Standing,
  setRules,
  spenderIdOf,
  standingOf,
} from '../connections/spenders.ts'
import { SIZES } from '../service-limits.ts'
import { besidesForm, wideningText } from './bounds.ts'

/** What may become the limits of a connection. */
export interface ConsentLimits {
  /** Of a connection that begins. */
  readonly initial: SpenderLimits
  /** What the client asked to be held to; null when it asked nothing. */
  readonly asked: SpenderLimits | null
  /** What the person set on the page; the rest stays. */
  readonly chosen?: Pick<SpenderLimits, 'maxPerDayMicros' | 'countries'>
  /** The widening that the person was shown and confirmed, as {@link wideningText} writes it; null for none. */
  readonly confirmed?: string | null
}

/** An answer that allows. */
export interface Approval {
  readonly kind: 'approved'
  readonly accountId: string
  /** The browser that approves; it must still be signed in when the approval is written. */
  readonly sessionId: string
  readonly client: {
    readonly id: string
    /** What it calls itself; empty where it gives no name. */
    readonly name: string
    /** True for a client known by a metadata document: many installs share it, so each approval is a new connection. */
    readonly shared: boolean
  }
  readonly redirectHost: string
  readonly scopes: readonly Scope[]
  readonly lifetimeSeconds: number
  readonly limits: ConsentLimits
  /** The connection that this one takes the place of, by the person's word: it ends, and its spender goes on. */
  readonly replaces?: string
  /** What the person was shown besides the form; nothing for what nobody was shown a page of. */
  readonly shown?: {
    /** The connection whose limits stood there; null for those of one that begins. */
    readonly from: string | null
    /** Those, as {@link standingText} writes them. */
    readonly standing: string
  }
}

/** Where an approval leads. */
export interface Place {
  /** The connection that goes on, or whose place is taken; null where one begins. */
  readonly earlier: EarlierConnection | null
  /** What it will be held to: never more than was asked. Null when nothing fits both. */
  readonly limits: SpenderLimits | null
  /** False where the limits of the earlier connection stay as they are. */
  readonly changes: boolean
  /** What is wider than before and was not confirmed; null where nothing is. */
  readonly widening: { readonly before: SpenderLimits; readonly after: SpenderLimits } | null
  /** True where the person was promised narrower limits, or counters that go on, by another connection than this. */
  readonly isStale: boolean
}

interface EarlierConnection {
  readonly id: string
  readonly grantId: string
  readonly spenderId: string
  readonly goesOn: boolean
}

/**
 * Finds what an approval continues or replaces, and locks it. A client that registered itself has one install behind it,
 * so its live connection goes on; the account's lock makes two approvals at once agree on that, the row lock keeps token
 * requests out meanwhile. A client known by a metadata document is shared by many installs and begins anew, unless the
 * person says what it replaces.
 */
export async function findPlace(tx: Prisma.TransactionClient, approval: Approval, now: Date): Promise<Place> {
  const { accountId, client, limits, replaces } = approval
  const goesOn = client.shared ? null : await lockLatest(tx, { accountId, clientId: client.id }, now)
  const earlier = goesOn ?? (replaces === undefined ? null : await lockLatest(tx, { accountId, id: replaces }, now))
  const before = earlier ? await limitsOf(tx, earlier.spenderId) : limits.initial
  const chosen = { ...before, ...limits.chosen }
  // What is chosen widens nothing where no limit can bind what is allowed: then nobody is asked about it either.
  const wanted = readsOnly(approval.scopes) ? (narrower(before, chosen) ?? before) : chosen
  const after = limits.asked ? narrower(wanted, limits.asked) : wanted
  const isWider = earlier !== null && after !== null && !isWithin(after, before)
  return {
    earlier: earlier && { ...earlier, goesOn: goesOn !== null },
    limits: after,
    changes: isWider || (after !== null && !isWithin(before, after)),
    isStale: await isStale(tx, approval, earlier),
    widening: isWider && limits.confirmed !== wideningText(before, after) ? { before, after } : null,
  }
}

/**
 * Whether what the page said of an earlier connection holds of the one that is found: that its limits besides those of the
 * form, its pause and what its owner is asked about go on, and what it spent counts.
 */
async function isStale(
  tx: Prisma.TransactionClient,
  { accountId, client, limits, replaces, shown }: Approval,
  earlier: Omit<EarlierConnection, 'goesOn'> | null,
): Promise<boolean> {
  if (!shown?.from) return false
  const found = earlier && (await standingOf(tx, earlier.spenderId))
  if (found && earlier.id === shown.from) return shown.standing !== standingText(found)
  // It goes on, or is replaced by the person's word: then what it spent counts on.
  if (found === null && (!client.shared || replaces !== undefined)) return true
  const row = await tx.connection.findFirst({ where: { id: shown.from, accountId, clientId: client.id } })
  if (!row) return false
  if (!client.shared && spenderIdOf(row) !== earlier?.spenderId) return true
  const promised = await standingOf(tx, spenderIdOf(row))
  const held = (rules: SpenderLimits) => {
    const besides = besidesForm(rules)
    return limits.asked ? (narrower(besides, limits.asked) ?? besides) : besides
  }
  return (
    !isWithin(held(found?.rules ?? limits.initial), held(promised.rules)) ||
    (promised.isPaused && !found?.isPaused) ||
    asksLess(found?.rules, promised.rules)
  )
}

/** True where an owner is asked about less than before. */
function asksLess(after: OwnersRules | undefined, before: OwnersRules): boolean {
  const [above, was] = [after?.askAboveMicros ?? null, before.askAboveMicros]
  return (was !== null && (above === null || above > was)) || (before.askNewCountry && !after?.askNewCountry)
}

/** What a page says of a connection besides what its form sets, as the form sends it back. */
export function standingText({ rules, isPaused }: Standing): string {
  const { maxPerDayMicros: _day, countries: _places, ...besides } = rules
  const parts = Object.entries(besides).map(([name, value]) => `${name}=${String(value)}`)
  return [...parts.sort(), `isPaused=${isPaused}`].join(' ')
}

/** True when an account has as many connections alive as it may. Call it in the transaction that holds the account. */
export async function isFull(tx: Prisma.TransactionClient, accountId: string, now: Date): Promise<boolean> {
  const [row] = await tx.$queryRaw<[{ count: number }]>`
    SELECT count(*)::int AS count FROM connection
    WHERE account_id = ${accountId}::uuid AND ${connectionLives('connection', Prisma.sql`${now}::timestamptz`)}`
  return row.count >= SIZES.connectionsOfAccount
}

/** Makes the connection of an approval, or goes on with the one there is, under the limits of its place. */
export async function connect(
  tx: Prisma.TransactionClient,
  approval: Approval,
  place: Omit<Place, 'widening' | 'isStale'> & {
    readonly limits: SpenderLimits
    readonly grantId: string
    readonly now: Date
  },
): Promise<void> {
  const { accountId, client, scopes, redirectHost, lifetimeSeconds } = approval
  const { earlier, limits, grantId, now } = place
  const fields = {
    grantId,
    clientName: client.name,
    redirectHost,
    scopes: [...scopes],
    approvedAt: now,
    expiresAt: new Date(now.getTime() + lifetimeSeconds * 1000),
  }
  const id = earlier?.goesOn ? earlier.id : randomUUID()
  if (earlier?.goesOn) {
    // Same connection, same spender; what was issued before this approval ends with it.
    await tx.apiToken.deleteMany({ where: { connectionId: id } })
    await tx.oidcArtifact.deleteMany({ where: { grantId: earlier.grantId } })
    await tx.usedRefreshToken.deleteMany({ where: { connectionId: id } })
    await tx.connection.update({ where: { id }, data: fields })
  } else {
    const spenderId = earlier?.spenderId ?? null
    await tx.connection.create({
      data: { id, accountId, clientId: client.id, createdAt: now, spenderId, ...fields },
    })
    const notice = { kind: 'new_connection', about: id, details: {}, createdAt: now, nextAt: now } as const
    await tx.notice.create({
      data: { id: randomUUID(), accountId, spenderId: spenderIdOf({ id, spenderId }), ...notice },
    })
    if (earlier) await endReplaced(tx, earlier.id)
    else await createSpender(tx, { kind: 'connection', id, accountId }, limits, now)
  }
  if (earlier && place.changes) {
    const spenderId = await holdSpender(tx, accountId, { kind: 'connection', id })
    if (spenderId === null || !(await setRules(tx, spenderId, limits)))
      throw new Error('a live connection has no spender')
  }
  await tx.oidcClient.updateMany({ where: { id: client.id }, data: { lastUsedAt: now } })
}

async function lockLatest(
  tx: Prisma.TransactionClient,
  of: { readonly accountId: string; readonly clientId?: string; readonly id?: string },
  now: Date,
): Promise<Omit<EarlierConnection, 'goesOn'> | null> {
  const { accountId, clientId = null, id = null } = of
  const [row] = await tx.$queryRaw<Omit<EarlierConnection, 'goesOn'>[]>`
    SELECT id::text, grant_id AS "grantId", coalesce(spender_id, id)::text AS "spenderId" FROM connection
    WHERE account_id = ${accountId}::uuid AND (client_id = ${clientId} OR id = ${id}::uuid)
      AND ${connectionLives('connection', Prisma.sql`${now}::timestamptz`)}
    ORDER BY approved_at DESC LIMIT 1 FOR NO KEY UPDATE`
  return row ?? null
}

// The rows of a run, written by the database itself: accounts with money, tokens made by hand, limits.
import { createHash } from 'node:crypto'
import { PERMISSIONS } from '@vertexsms/contract/permissions'
import { createDatabase } from '@vertexsms/db/client'
import type { BenchDatabase } from '../harness/database.ts'

/** A token of a run by its number; the database makes the same from it. */
export function tokenOf(number: number): string {
  return `vsms_${createHash('sha256').update(`token ${number}`).digest('base64url')}`
}

/** As many tokens as that, numbered from 0, spread over so many accounts; what planners know of them is up to date. */
export async function makeTokens(database: BenchDatabase, tokens: number, accounts: number): Promise<void> {
  await run(database, [
    `INSERT INTO account (id, email, password_hash, status, balance_micros, created_at)
     SELECT md5('account ' || n)::uuid, n || '@bench.test', 'none', 'active', 1000000000000000, now()
     FROM generate_series(0, ${accounts - 1}) n`,
    `INSERT INTO api_token (id, account_id, kind, name, token_hash, permissions, ip_allow_list, created_at)
     SELECT md5('id ' || n)::uuid, md5('account ' || (n % ${accounts}))::uuid, 'manual', 'bench',
            sha256(convert_to('vsms_' || rtrim(translate(encode(sha256(convert_to('token ' || n, 'UTF8')), 'base64'), '+/', '-_'), '='), 'UTF8')),
            ARRAY[${PERMISSIONS.map((permission) => `'${permission}'`).join(',')}], '{}', now()
     FROM generate_series(0, ${tokens - 1}) n`,
    'VACUUM ANALYZE api_token',
    'VACUUM ANALYZE account',
  ])
}

/** Every limit that money, numbers and texts can have, on the tokens from `first` on and on their accounts; wide enough for a run. */
export async function limitTokens(database: BenchDatabase, first: number, count: number): Promise<void> {
  const limits = `max_per_send_micros, max_per_day_micros, max_total_micros, recipients_per_day, countries, senders`
  const wide = `1000000000, 100000000000000, 1000000000000000, 100000000, ARRAY['LT', 'LV', 'EE'], ARRAY['Bench']`
  await run(database, [
    `INSERT INTO spender (id, account_id, kind, created_at, ${limits})
     SELECT id, account_id, 'token', now(), ${wide} FROM api_token
     WHERE id IN (SELECT md5('id ' || n)::uuid FROM generate_series(${first}, ${first + count - 1}) n)`,
    `INSERT INTO spender (id, account_id, kind, created_at, ${limits})
     SELECT DISTINCT account_id, account_id, 'account'::spender_kind, now(), ${wide} FROM api_token
     WHERE id IN (SELECT md5('id ' || n)::uuid FROM generate_series(${first}, ${first + count - 1}) n)`,
  ])
}

/** Statements that this database has committed, once every session has told of its own. */
export async function committed(database: BenchDatabase): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const db = createDatabase({ url: database.url })
  const [row] = await db.$queryRaw<{ count: bigint }[]>`
    SELECT xact_commit AS count FROM pg_stat_database WHERE datname = current_database()`
  await db.$disconnect()
  return Number(row?.count ?? 0n)
}

async function run(database: BenchDatabase, statements: readonly string[]): Promise<void> {
  const hour = 3_600_000
  const limits = { connectMs: hour, statementMs: hour, lockMs: hour, idleInTransactionMs: hour }
  const db = createDatabase({ url: database.url, poolSize: 1, limits })
  for (const statement of statements) await db.$executeRawUnsafe(statement)
  await db.$disconnect()
}

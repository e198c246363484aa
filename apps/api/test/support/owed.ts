import type { Database } from '@vertexsms/db/client'

/** So many texts, each made from its place. */
export const many = (count: number, text: (at: number) => string) => Array.from({ length: count }, (_, at) => text(at))

/** Posts that an account owes to these URLs; due from `sinceMs` (Unix time) on, a millisecond apart, in this order. */
export async function oweTo(db: Database, accountId: string, urls: readonly string[], sinceMs = 0): Promise<void> {
  const hosts = urls.map((url) => new URL(url).host)
  await db.$executeRaw`
    INSERT INTO callback (account_id, url, host, body, created_at, next_at)
    SELECT ${accountId}::uuid, url, host, '{}', ${new Date()}, to_timestamp(${sinceMs}::float8 / 1000 + (at - 1) / 1000.0)
    FROM unnest(${urls}::text[], ${hosts}::text[]) WITH ORDINALITY AS owed (url, host, at)`
}

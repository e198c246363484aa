// Whether a spender is paused, once: by its owner until the owner resumes, or by a rule unless the owner has resumed since.
// As SQL over the alias of a row and as a function of a row: both say the same of every row.
import { aliasOf } from './alias.ts'
import { Prisma } from './client.ts'

/** A condition: nobody has paused the spender `alias`. What {@link pauseOf} says of a row. */
export function spenderGoes(alias: string): Prisma.Sql {
  return Prisma.sql`(${aliasOf(alias)}.paused_at IS NULL AND ${unpausedByRule(alias)})`
}

/** A condition: no rule has paused the spender `alias` since its owner last resumed. Its owner may have paused it. */
export function unpausedByRule(alias: string): Prisma.Sql {
  const row = aliasOf(alias)
  return Prisma.sql`coalesce(${row}.auto_paused_at <= ${row}.resumed_at, ${row}.auto_paused_at IS NULL)`
}

/** Who paused a spender. */
export type PauseState = 'owner' | 'automatic'

/** What {@link pauseOf} reads of a spender's row. */
export interface Pauses {
  readonly pausedAt: Date | null
  readonly resumedAt: Date | null
  readonly autoPausedAt: Date | null
}

/** Who paused a spender that may not spend now; null for one that may: what {@link spenderGoes} says. */
export function pauseOf({ pausedAt, resumedAt, autoPausedAt }: Pauses): PauseState | null {
  if (pausedAt !== null) return 'owner'
  return autoPausedAt !== null && (resumedAt === null || autoPausedAt > resumedAt) ? 'automatic' : null
}

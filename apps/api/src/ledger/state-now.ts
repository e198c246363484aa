// How a message stands at this moment, whoever has tidied it or not.
import { Prisma } from '@vertexsms/db/client'

/** The state of a message `m` as text: past its lease, what was handed over is unknown. */
export const STATE_NOW = Prisma.sql`
  CASE WHEN m.state = 'handed_over' AND m.lease_until <= database_now() THEN 'unknown' ELSE m.state::text END`

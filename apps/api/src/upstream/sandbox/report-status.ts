import { DELIVERY_STATUS } from '@vertexsms/contract/delivery'
import { Prisma } from '@vertexsms/db/client'

/** The status of the report about a row of `message`, as SQL over its outcome; `expired` tells whether its validity ended first. */
export function reportStatus(expired: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`CASE WHEN outcome_code = 0 THEN ${DELIVERY_STATUS.delivered}::int
    WHEN ${expired} THEN ${DELIVERY_STATUS.expired}::int ELSE ${DELIVERY_STATUS.failed}::int END`
}

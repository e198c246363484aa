import { Prisma } from '@vertexsms/db/client'

/** Marks a client that an operator made for introspection, in its metadata; no registration can set it. */
export const OPERATOR_MARK = 'vertexsms_operator'

/** A condition: the row of `oidc_client` is of such a client. */
export const IS_OPERATORS = Prisma.sql`coalesce((payload->>${OPERATOR_MARK}::text)::boolean, false)`

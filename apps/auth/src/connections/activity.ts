import type { Database, Prisma } from '@vertexsms/db/client'

/** One row of the activity. */
export type Activity = Prisma.ActivityGetPayload<object>

/** The latest of what an account, or one spender of it, did with the account's money, newest first. */
export function listActivity(
  db: Database,
  of: { readonly accountId: string; readonly spenderId?: string },
  take: number,
): Promise<Activity[]> {
  return db.activity.findMany({ where: of, orderBy: [{ at: 'desc' }, { id: 'desc' }], take })
}

import type { Prisma } from '@vertexsms/db/client'
import { accountTransaction, lockAccount } from '../accounts/account-lock.ts'
import { emailSchema } from '../accounts/email.ts'
import { type FoundHolder, findHolder, holderOfAccount } from '../connections/holders.ts'
import { holdSpender } from '../connections/spenders.ts'
import { isUuid } from '../connections/uuid.ts'
import { type CommandContext, CommandError } from './command.ts'

/** The email address that a command names, as accounts are found by it. Throws CommandError for what is none. */
export function emailOf(typed: string | undefined): string {
  const email = emailSchema.safeParse(typed).data
  if (!email) throw new CommandError('Give one email address.')
  return email
}

/** The account of an email address. Throws CommandError where there is none. */
export async function accountOf({ db }: CommandContext, typed: string | undefined) {
  const account = await db.account.findUnique({ where: { email: emailOf(typed) } })
  if (!account) throw new CommandError('There is no account with this email address. `invite` makes one.')
  return account
}

/** The account, connection or token that a command names: an email address, or an id as `limits EMAIL` lists it. */
export async function holderOf(context: CommandContext, typed: string | undefined): Promise<FoundHolder> {
  if (typed === undefined || !isUuid(typed)) {
    if (!typed?.includes('@'))
      throw new CommandError(
        'WHO is the email address of an account, or the id of a connection or token as `limits EMAIL` lists it.',
      )
    return holderOfAccount(await accountOf(context, typed))
  }
  const holder = await findHolder(context.db, { id: typed }, context.now)
  if (!holder) throw new CommandError('There is no connection and no token made by hand with this id.')
  return holder
}

/**
 * Changes the spender of a holder while its account is held. Throws CommandError for what has ended, and then nothing
 * changed.
 */
export async function changeSpender(
  { db }: CommandContext,
  holder: FoundHolder,
  change: (tx: Prisma.TransactionClient, spenderId: string) => Promise<boolean>,
): Promise<void> {
  const changed = await accountTransaction(db, async (tx) => {
    await lockAccount(tx, holder.accountId)
    const spenderId = await holdSpender(tx, holder.accountId, holder)
    return spenderId !== null && (await change(tx, spenderId))
  })
  if (!changed) throw new CommandError(`This ${holder.kind} has ended; nothing about it changes any more.`)
}

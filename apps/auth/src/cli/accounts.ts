import { liveConnection, liveToken } from '@vertexsms/db/alive'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { endAccess } from '../accounts/access-end.ts'
import { accountTransaction, lockAccount } from '../accounts/account-lock.ts'
import { hashPassword } from '../accounts/password.ts'
import { createPasswordLink, INVITATION_HOURS, RESET_HOURS } from '../accounts/password-link.ts'
import { MADE_BY_HAND } from '../connections/tokens.ts'
import { type Command, CommandError, plainText, printTable } from './command.ts'
import { accountOf, emailOf } from './who.ts'

/** `requests`: lists who asked for an account and waits for an answer. */
export const requests: Command = {
  usage: 'requests',
  summary: 'List the requests for access that nobody has handled yet',
  async run({ db, print }) {
    const rows = await db.accessRequest.findMany({ where: { handledAt: null }, orderBy: { createdAt: 'asc' } })
    if (rows.length === 0) return print('No open requests.')
    const line = (row: (typeof rows)[number]) => [
      row.createdAt.toISOString().slice(0, 10),
      row.email,
      plainText(row.name),
      plainText(row.company),
      plainText(row.reason),
    ]
    printTable(print, ['SINCE', 'EMAIL', 'NAME', 'COMPANY', 'REASON'], rows.map(line))
  },
}

/** `dismiss`: closes a request for an account without an answer. */
export const dismiss: Command = {
  usage: 'dismiss EMAIL',
  summary: 'Take a request for access off the list without inviting',
  async run({ db, now, print }, args) {
    const where = { email: emailOf(args[0]), handledAt: null }
    const { count } = await db.accessRequest.updateMany({ where, data: { handledAt: now } })
    if (count === 0) throw new CommandError('There is no open request from this email address.')
    print('Dismissed.')
  },
}

/** `invite`: prints the link by which a person makes an account. */
export const invite: Command = {
  usage: 'invite EMAIL',
  summary: `Print a link with which this person sets a password and has an account; good for ${INVITATION_HOURS / 24} days`,
  async run({ db, issuerUrl, now, print }, args) {
    const email = emailOf(args[0])
    const link = await db.$transaction(async (tx) => {
      await tx.accessRequest.updateMany({ where: { email, handledAt: null }, data: { handledAt: now } })
      const made = await createPasswordLink(tx, { issuerUrl, email, hours: INVITATION_HOURS, now })
      // Looked at last: an earlier invitation that is being used was waited for, and makes one.
      if ((await tx.account.count({ where: { email } })) > 0) {
        throw new CommandError('This email address has an account already. `reset` gives it a new password.')
      }
      return made
    })
    print(link)
  },
}

/** `reset`: ends everything that got in with the password, and prints the link that sets a new one. */
export const reset: Command = {
  usage: 'reset EMAIL',
  summary: `End all access with the present password at once and print a link for a new one; good for ${RESET_HOURS} hours`,
  async run(context, args) {
    const { db, issuerUrl, now, print } = context
    const account = await accountOf(context, args[0])
    const passwordHash = await hashPassword(newSecret())
    const link = await accountTransaction(db, async (tx) => {
      await lockAccount(tx, account.id)
      await tx.account.update({ where: { id: account.id }, data: { passwordHash } })
      await endAccess(tx, account.id)
      return createPasswordLink(tx, { issuerUrl, email: account.email, hours: RESET_HOURS, now })
    })
    print(link)
    if (account.status === 'disabled') print('The account is disabled: the link works once it is enabled.')
  },
}

/** `disable`: ends everything an account let in, and keeps it out. */
export const disable: Command = {
  usage: 'disable EMAIL',
  summary: 'Lock an account: its sessions, codes, connections and tokens stop at once',
  async run(context, args) {
    const { db, print } = context
    const account = await accountOf(context, args[0])
    await accountTransaction(db, async (tx) => {
      await lockAccount(tx, account.id)
      await tx.account.update({ where: { id: account.id }, data: { status: 'disabled' } })
      await endAccess(tx, account.id)
    })
    print('Disabled.')
  },
}

/** `enable`: lets a disabled account sign in again, and its tokens made by hand work again; nothing that ended comes back. */
export const enable: Command = {
  usage: 'enable EMAIL',
  summary: 'Unlock an account; the person signs in and connects again, and tokens made by hand work again',
  async run(context, args) {
    const { db, print } = context
    const account = await accountOf(context, args[0])
    await db.account.update({ where: { id: account.id }, data: { status: 'active' } })
    print('Enabled.')
  },
}

/** `accounts`: lists the accounts. */
export const accounts: Command = {
  usage: 'accounts',
  summary: 'List the accounts: status, since when, connections, tokens made by hand',
  async run({ db, now, print }) {
    const rows = await db.account.findMany({
      orderBy: { email: 'asc' },
      include: {
        _count: {
          select: {
            connections: { where: liveConnection(now) },
            apiTokens: { where: { ...MADE_BY_HAND, ...liveToken(now) } },
          },
        },
      },
    })
    const line = (row: (typeof rows)[number]) => [
      row.email,
      row.status,
      row.createdAt.toISOString().slice(0, 10),
      String(row._count.connections),
      String(row._count.apiTokens),
    ]
    printTable(print, ['EMAIL', 'STATUS', 'SINCE', 'CONNECTIONS', 'TOKENS'], rows.map(line))
  },
}

import { APPROVAL_GOOD_SECONDS, askedKindOf } from '@vertexsms/contract/approval'
import { accountTransaction, lockAccount } from '../accounts/account-lock.ts'
import {
  decideApproval,
  pendingApprovals,
  usableApprovals,
  withdrawApproval,
} from '../connections/approval-decisions.ts'
import { findApprovals } from '../connections/approvals.ts'
import { eur } from '../connections/limit-words.ts'
import { readMessageId } from '../connections/message-id.ts'
import type { NamedSpender } from '../connections/names.ts'
import { sayOutcome } from '../connections/outcomes.ts'
import { isUuid } from '../connections/uuid.ts'
import { quotable } from '../connections/who.ts'
import { type Command, type CommandContext, CommandError, plainText } from './command.ts'
import { readKeysEnv } from './env.ts'
import { accountOf } from './who.ts'

/** Approvals that are listed at once. */
const ROWS_MAX = 1000

/** `approvals`: lists the sends of an account that wait for its owner, and those that were approved and have not gone. */
export const approvals: Command = {
  usage: 'approvals EMAIL',
  summary:
    'List the sends of an account that wait for its owner, with recipients and text (reads OPERATOR_KEY), and those that were approved and have not gone out',
  async run(context, args) {
    const account = await accountOf(context, args[0])
    const pending = await pendingApprovals(context.db, account.id, { skip: 0, take: ROWS_MAX })
    const usable = await usableApprovals(context.db, account.id, ROWS_MAX)
    if (pending.length === 0) context.print('Nothing waits for approval.')
    if (pending.length + usable.length === 0) return
    const { OPERATOR_KEY: operatorKey } = readKeysEnv(context.source)
    const ids = [...pending, ...usable]
    const found = await findApprovals({ db: context.db, operatorKey }, { accountId: account.id, ids }, context.now)
    for (const { row, asked, asker } of found) {
      const isWaiting = row.state === 'pending'
      context.print(
        `${row.id}  ${isWaiting ? '' : 'approved, not sent yet, '}until ${row.expiresAt.toISOString()}  at most ${eur(row.ceilingMicros)}  ${row.upstream}`,
      )
      context.print(`  asked by    ${whoAsks(asker)} because of ${plainText(row.reason)}`)
      const isSms = askedKindOf(row.reason) === 'sms'
      if (isSms) context.print(`  from        ${plainText(row.sender)}`)
      const countries = `${row.recipients} in ${row.countries.join(', ')}`
      context.print(`  recipients  ${countries}${isWaiting ? `: ${(asked?.to ?? []).join(' ')}` : ''}`)
      // Of what was decided the text is gone.
      if (isWaiting && isSms) context.print(`  text        ${plainText(asked?.text ?? '')}`)
    }
  },
}

/** What an app calls itself stands as said by it; a place is ours to say. */
function whoAsks(asker: NamedSpender | null): string {
  if (asker?.name) return `“${quotable(plainText(asker.name))}”`
  return asker?.app ? plainText(asker.app.redirectHost) : 'an app that is gone'
}

/** `approve`: lets a send that waits go once. */
export const approve: Command = {
  usage: 'approve ID',
  summary: `Approve a send that waits: it may go once within ${APPROVAL_GOOD_SECONDS / 60} minutes`,
  run: (context, args) => decide(context, args[0], 'approved'),
}

/** `refuse`: refuses a send that waits, or takes an approval back that nothing went out by. */
export const refuse: Command = {
  usage: 'refuse ID',
  summary: 'Refuse a send that waits, or that was approved and has not gone out',
  run: (context, args) => decide(context, args[0], 'refused'),
}

async function decide({ db, print }: CommandContext, id: string | undefined, verdict: 'approved' | 'refused') {
  const row = id !== undefined && isUuid(id) ? await db.approval.findUnique({ where: { id } }) : null
  if (!row) throw new CommandError('There is no approval with this id. `approvals EMAIL` lists them.')
  const decided = await accountTransaction(db, async (tx) => {
    await lockAccount(tx, row.accountId)
    return (await decideApproval(tx, row, verdict)) || (verdict === 'refused' && (await withdrawApproval(tx, row)))
  })
  if (!decided)
    throw new CommandError('It was decided before, its time is over, or what asked has ended or may no longer send.')
  print(verdict === 'approved' ? 'Approved.' : 'Refused.')
}

const WORDS = { sent: 'sent', 'not-sent': 'not_sent' } as const

/** `settle-unknown`: notes whether a message whose outcome is unknown was sent; one that was not gets its money back. */
export const settleUnknown: Command = {
  usage: 'settle-unknown ID [--was sent]',
  summary: 'Say of a message whose outcome is unknown that it was not sent, which gives its money back, or that it was',
  options: ['was'],
  async run({ db, print }, [typed = ''], { was = 'not-sent' }) {
    const id = readMessageId(typed)
    if (id === null) throw new CommandError('The id of a message is up to 18 digits.')
    if (!Object.hasOwn(WORDS, was)) throw new CommandError('--was takes sent or not-sent.')
    const word = WORDS[was as keyof typeof WORDS]
    if (!(await sayOutcome(db, { id }, word))) {
      throw new CommandError('No message with this id has an unknown outcome, or it was settled already.')
    }
    print(word === 'sent' ? 'Noted. It stays charged.' : 'Noted. Its money is given back in a moment.')
  },
}

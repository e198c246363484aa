import { activityPage } from '../connections/activity.ts'
import { eur } from '../connections/limit-words.ts'
import { readTimeZone } from '../connections/time-zone.ts'
import { type Command, CommandError, plainText, printTable } from './command.ts'
import { accountOf, holderOf } from './who.ts'

const DEFAULT_ROWS = 50
const MAX_ROWS = 1000

/** `activity`: lists what an account, a connection or a token did and was refused. */
export const activity: Command = {
  usage: 'activity WHO [--rows N]',
  summary: `List what an account (email), a connection or a token (id) sent, spent and was refused, latest first; ${DEFAULT_ROWS} rows`,
  options: ['rows'],
  async run(context, args, { rows = String(DEFAULT_ROWS) }) {
    const take = /^\d{1,4}$/.test(rows) ? Number(rows) : 0
    if (take < 1 || take > MAX_ROWS) throw new CommandError(`--rows takes a number from 1 to ${MAX_ROWS}.`)
    const { kind, accountId, spenderId } = await holderOf(context, args[0])
    const of = kind === 'account' ? { accountId } : { accountId, spenderId }
    const { rows: found } = await activityPage(context.db, of, { take })
    if (found.length === 0) return context.print('Nothing was done yet.')
    const heading = [
      'AT',
      'SPENDER',
      'WHAT',
      'OUTCOME',
      'TIMES',
      'COUNTRY',
      'PARTS',
      'AMOUNT',
      'NUMBER',
      'UPSTREAM',
      'SEND',
    ]
    printTable(
      context.print,
      heading,
      found.map((row) => [
        row.at.toISOString(),
        row.spenderId,
        plainText(row.what),
        plainText(row.outcome),
        String(row.count),
        row.country ?? '',
        row.parts === null ? '' : String(row.parts),
        eur(row.amountMicros),
        row.lastDigits === null ? '' : `…${row.lastDigits}`,
        row.upstream,
        row.sendId ?? '',
      ]),
    )
  },
}

/** `time-zone`: shows or sets the zone whose midnight begins the day of an account. */
export const timeZone: Command = {
  usage: 'time-zone EMAIL [--set ZONE]',
  summary: 'Show or set the time zone whose midnight begins the day of an account, such as Europe/Vilnius; none is UTC',
  options: ['set'],
  async run(context, args, { set }) {
    const account = await accountOf(context, args[0])
    if (set === undefined) return context.print(account.timeZone ?? 'UTC')
    const zone = set === 'none' ? null : readTimeZone(set)
    if (set !== 'none' && zone === null) {
      throw new CommandError('The zone is an IANA name such as Europe/Vilnius, or none.')
    }
    await context.db.account.update({ where: { id: account.id }, data: { timeZone: zone } })
    context.print(`The day begins at midnight ${zone ?? 'UTC'}, from the next one there on.`)
  },
}

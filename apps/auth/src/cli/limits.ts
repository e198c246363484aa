import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { type PauseState, type Pauses, pauseOf } from '@vertexsms/db/paused'
import { type FoundHolder, holdersOf } from '../connections/holders.ts'
import { eur, limitWords } from '../connections/limit-words.ts'
import { RULE_FIELDS, readRules } from '../connections/rules.ts'
import { limitsOf, pauseSpender, resumeSpender, setRules } from '../connections/spenders.ts'
import { spentAndLeft } from '../connections/spent.ts'
import { one } from '../words/room.ts'
import { WORDS } from '../words/words.ts'
import { type Command, CommandError, plainText, printTable } from './command.ts'
import { changeSpender, holderOf } from './who.ts'

/** The word that takes a limit away. */
const NONE = 'none'

const optionOf = (field: string) => field.replaceAll('_', '-')

/** `limits`: shows what an account, a connection or a token may spend and has spent, and sets the limits that are given. */
export const limits: Command = {
  usage: 'limits WHO [--OPTION X]',
  summary: `Show what an account (email) with all it has, or a connection or token (id), may spend and has spent; set what is given: ${RULE_FIELDS.map((field) => `--${optionOf(field)}`).join(', ')}. Amounts in EUR such as 5.00, lists with commas, on or off, ${NONE} for no limit`,
  options: RULE_FIELDS.map(optionOf),
  async run(context, args, options) {
    const holder = await holderOf(context, args[0])
    if (Object.keys(options).length > 0) {
      const typed = RULE_FIELDS.map((field) => [field, options[optionOf(field)]] as const).filter(
        ([, text]) => text !== undefined,
      )
      const read = readRules(
        Object.fromEntries(typed.map(([field, text]) => [field, text === NONE ? '' : text])),
        WORDS.en,
      )
      if ('problems' in read) throw new CommandError(read.problems.join('\n'))
      await changeSpender(context, holder, (tx, spenderId) => setRules(tx, spenderId, read.rules))
    }
    const { db, now } = context
    const account = await db.account.findUniqueOrThrow({ where: { id: holder.accountId } })
    const shown = holder.kind === 'account' ? await holdersOf(db, account, now) : [holder]
    const rows = await Promise.all(shown.map((one) => rowOf(db, one, now)))
    printTable(context.print, ['ID', 'WHAT', 'NAME', 'STATE', 'LIMITS', 'SPENT AND HELD', 'LEFT'], rows)
  },
}

/** `pause`: refuses every send of an account, a connection or a token until it is resumed. */
export const pause: Command = {
  usage: 'pause WHO',
  summary: 'Pause an account (email), a connection or a token (id): reading works, every send is refused',
  async run(context, args) {
    const holder = await holderOf(context, args[0])
    await changeSpender(context, holder, async (tx, id) => pauseSpender(tx, id, await databaseNow(tx)))
    context.print('Paused.')
  },
}

/** `resume`: ends a pause, whoever or whatever began it. */
export const resume: Command = {
  usage: 'resume WHO',
  summary: 'End the pause of an account, a connection or a token, an automatic one too',
  async run(context, args) {
    const holder = await holderOf(context, args[0])
    await changeSpender(context, holder, async (tx, id) => resumeSpender(tx, id, await databaseNow(tx)))
    context.print('Resumed.')
  },
}

async function rowOf(db: Database, holder: FoundHolder, now: Date): Promise<string[]> {
  const { spenderId } = holder
  const bounds = await limitsOf(db, spenderId)
  const row = await db.spender.findUnique({ where: { id: spenderId } })
  const asks = [
    row?.askAboveMicros != null && `Asks the owner above ${eur(row.askAboveMicros)}`,
    row?.askNewCountry && 'Asks the owner before a new country',
  ].filter((words) => typeof words === 'string')
  // A terminal is searched for what is typed with blanks.
  const words = [...limitWords(bounds, WORDS.en).map((sentence) => sentence.replaceAll('\u00a0', ' ')), ...asks]
  const account = holder.kind === 'account' ? null : await limitsOf(db, holder.accountId)
  const spent = await spentAndLeft(db, { accountId: holder.accountId, spenderId, own: bounds, account }, now)
  return [
    holder.kind === 'account' ? holder.name : holder.id,
    holder.kind,
    holder.kind === 'account' ? '' : plainText(holder.name),
    holder.isAlive && !row?.endedAt ? stateOf(row) : 'ended',
    words.length > 0 ? words.join('; ') : 'no limit set',
    spent
      .map(
        ({ upstream, ...used }) =>
          `${upstream}: ${eur(used.dayMicros)} today, ${eur(used.totalMicros)} in total, ${used.recipients} ${one(used.recipients, 'recipient', 'recipients')} today`,
      )
      .join('; '),
    spent
      .map(({ upstream, dayLeftMicros, totalLeftMicros }) => {
        const left = [
          ...(dayLeftMicros === null ? [] : [`${eur(dayLeftMicros)} today`]),
          ...(totalLeftMicros === null ? [] : [`${eur(totalLeftMicros)} in total`]),
        ]
        return left.length > 0 ? `${upstream}: ${left.join(', ')}` : ''
      })
      .filter(Boolean)
      .join('; '),
  ]
}

const STATES: Readonly<Record<PauseState, string>> = { owner: 'paused by its owner', automatic: 'paused automatically' }

function stateOf(row: (Pauses & { readonly autoPausedReason: string | null }) | null): string {
  const pause = row && pauseOf(row)
  if (!pause) return 'may spend'
  return pause === 'automatic' ? `${STATES.automatic} (${plainText(row.autoPausedReason ?? '')})` : STATES.owner
}

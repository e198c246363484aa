import { readFileSync } from 'node:fs'
import { accountTransaction, lockAccount } from '../accounts/account-lock.ts'
import {
  findUpstreamAccount,
  readTypedHlrPrice,
  readTypedToken,
  removeUpstreamToken,
  setHlrPrice,
  setUpstreamToken,
} from '../accounts/upstream-account.ts'
import { expectOperatorKey } from '../authorization/keys.ts'
import { createInternalApi } from '../connections/internal-api.ts'
import { eur } from '../connections/limit-words.ts'
import { twoWaysProblem } from '../connections/typed-eur.ts'
import { WORDS } from '../words/words.ts'
import { type Command, type CommandContext, CommandError } from './command.ts'
import { readUpstreamEnv } from './env.ts'
import { accountOf } from './who.ts'

/** The word that takes a price away. */
const NONE = 'none'

/** `upstream`: what is set for an account at the real operator. */
export const upstream: Command = {
  usage: 'upstream EMAIL [--hlr-price EUR]',
  summary: `Show the VertexSMS token of an account by its last four characters, and what a lookup costs; set that price, or ${NONE}`,
  options: ['hlr-price'],
  async run(context, args, { 'hlr-price': typed }) {
    const account = await accountOf(context, args[0])
    if (typed !== undefined) {
      const price = readTypedHlrPrice(typed === NONE ? '' : typed)
      if ('problem' in price) {
        throw new CommandError(twoWaysProblem(typed, WORDS.en) ?? WORDS.en.upstream.problems[price.problem])
      }
      await accountTransaction(context.db, async (tx) => {
        await lockAccount(tx, account.id)
        await setHlrPrice(tx, account.id, price.micros, context.now)
      })
    }
    await show(context, account.id)
  },
}

/** `upstream-token`: stores the token of an account. Never an argument, which everybody sees in the list of processes. */
export const setToken: Command = {
  usage: 'upstream-token EMAIL [--file FILE] [--check off]',
  summary:
    'Store the VertexSMS token of an account, read from FILE or standard input; VertexSMS is asked first, which --check off leaves out (reads OPERATOR_KEY, API_INTERNAL_URL)',
  options: ['file', 'check'],
  async run(context, args, { file, check = 'on' }) {
    if (check !== 'on' && check !== 'off') throw new CommandError('--check takes on or off.')
    const { OPERATOR_KEY: operatorKey, API_INTERNAL_URL: url } = readUpstreamEnv(context.source)
    await expectOperatorKey({ db: context.db, operatorKey })
    const { id: accountId } = await accountOf(context, args[0])
    const read = readTypedToken(file === undefined ? await context.readInput() : contentOf(file))
    if ('problem' in read) throw new CommandError(WORDS.en.upstream.problems[read.problem])
    const ask = async () =>
      url === undefined ? 'not_asked' : createInternalApi({ url, operatorKey }).checkToken(accountId, read.token)
    const verdict = check === 'on' ? await ask() : null
    if (verdict === 'refused') throw new CommandError(WORDS.en.upstream.refused)
    if (verdict === 'not_asked') {
      throw new CommandError(
        'VertexSMS could not be asked about this token; API_INTERNAL_URL says where the API is. Nothing was stored; --check off stores it.',
      )
    }
    const checkedAt = verdict === 'accepted' ? context.now : null
    const done = await accountTransaction(context.db, async (tx) => {
      await lockAccount(tx, accountId)
      return setUpstreamToken(tx, { operatorKey, accountId }, { token: read.token, checkedAt }, context.now)
    })
    context.print(done === 'set' ? 'Stored.' : 'This token was stored already.')
    await show(context, accountId)
  },
}

/** `upstream-remove`: forgets the token of an account. */
export const removeToken: Command = {
  usage: 'upstream-remove EMAIL',
  summary: 'Remove the VertexSMS token of an account; what waits to be sent with it is cancelled',
  async run(context, args) {
    const { id } = await accountOf(context, args[0])
    const removed = await accountTransaction(context.db, async (tx) => {
      await lockAccount(tx, id)
      return removeUpstreamToken(tx, id, context.now)
    })
    context.print(removed ? 'Removed. What waits to be sent with it is cancelled.' : 'There was none.')
  },
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new CommandError('The file of the token cannot be read.')
  }
}

async function show({ db, print }: CommandContext, accountId: string): Promise<void> {
  const row = await findUpstreamAccount(db, accountId)
  const since = row?.changedAt.toISOString()
  const checked = row?.checkedAt ? `taken by VertexSMS at ${row.checkedAt.toISOString()}` : 'not checked'
  print(
    row?.lastFour ? `VertexSMS token: last four ${row.lastFour}, set at ${since}, ${checked}` : 'VertexSMS token: none',
  )
  print(`a lookup costs: ${row?.hlrPriceMicros == null ? 'not known' : eur(row.hlrPriceMicros)}`)
}

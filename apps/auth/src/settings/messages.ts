import type { FastifyInstance } from 'fastify'
import { accountTransaction, lockSession } from '../accounts/account-lock.ts'
import { readMessageId } from '../connections/message-id.ts'
import { type OwnersWord, sayOutcome } from '../connections/outcomes.ts'
import { ownsMessage } from '../connections/scheduled.ts'
import type { SpenderNotice } from '../views/spender.ts'
import { textField } from '../web/fields.ts'
import { signedInOf } from '../web/require-session.ts'
import { signInPath } from '../web/return-to.ts'
import { backFrom, withNotice } from './back.ts'
import type { SettingsDeps } from './deps.ts'

interface MessageParams {
  Params: { messageId: string }
}

const WORDS: ReadonlySet<string> = new Set<OwnersWord>(['sent', 'not_sent'])

/**
 * What an owner does about one message, by our id: says of one whose outcome is unknown whether it was sent, and cancels
 * one that waits. What the ledger makes of either is the API's.
 */
export function registerMessages(app: FastifyInstance, deps: SettingsDeps): void {
  app.post<MessageParams>('/messages/:messageId/outcome', async (request, reply) => {
    const { account, sessionId } = signedInOf(request)
    const accountId = account.id
    const id = readMessageId(request.params.messageId)
    if (id === null || !(await ownsMessage(deps.db, { accountId, id }))) return reply.callNotFound()
    const word = textField(request, 'outcome')
    const back = backFrom(request)
    // The word may give money back: none is taken from a session that has ended since it was read.
    const said = await accountTransaction(deps.db, async (tx) => {
      if (!(await lockSession(tx, { accountId, sessionId }))) return 'signed_out'
      return WORDS.has(word) && (await sayOutcome(tx, { accountId, id }, word as OwnersWord)) ? word : 'settled'
    })
    return reply.redirect(said === 'signed_out' ? signInPath(back) : withNotice(back, said), 303)
  })

  app.post<MessageParams>('/messages/:messageId/cancel', async (request, reply) => {
    const accountId = signedInOf(request).account.id
    const id = readMessageId(request.params.messageId)
    if (id === null || !(await ownsMessage(deps.db, { accountId, id }))) return reply.callNotFound()
    const answer = await deps.internalApi.ask('cancel', { accountId, messageId: String(id) })
    const done: SpenderNotice = answer === null ? 'unreachable' : answer.cancelled ? 'cancelled' : 'too_late'
    return reply.redirect(withNotice(backFrom(request), done), 303)
  })
}

import type { Prisma } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { accountTransaction, lockSession } from '../accounts/account-lock.ts'
import { type Proof, passwordProof } from '../accounts/proof.ts'
import type { WebDeps } from '../web/deps.ts'
import { textField } from '../web/fields.ts'
import { countPasswordTry } from '../web/password-tries.ts'
import { signedInOf } from '../web/require-session.ts'
import { signInPath } from '../web/return-to.ts'

/** A password that was typed on a page of the account, and the hash that it fitted. */
export interface PasswordProof extends Proof {
  readonly passwordHash: string
}

/**
 * Proves that whoever sends a form of a signed-in account knows its password: a browser left open must not be enough for
 * what asks for it. Null for a wrong one. Counted with the tries at signing in; throws TooManyTries as they do.
 */
export async function provePassword(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<PasswordProof | null> {
  const { id, email } = signedInOf(request).account
  const tries = await countPasswordTry(deps, request, reply, email)
  const { passwordHash } = await deps.db.account.findUniqueOrThrow({ where: { id } })
  if (!(await tries.verify(passwordHash, textField(request, 'password')))) return null
  await tries.forget()
  return { ...passwordProof(id, passwordHash), passwordHash }
}

/** What a change did, and the `Set-Cookie` value of the session that takes this one's place. */
interface Done {
  readonly done: string
  readonly setCookie?: string
}

/**
 * Changes something of the account while its session and what was proved still hold, and leads back to `page`, which is
 * told by `?done=` what `work` did; where they hold no more, to signing in anew.
 */
export async function changeAccount(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  change: {
    readonly proof: Proof | null
    readonly page: string
    readonly work: (tx: Prisma.TransactionClient, now: Date) => Promise<Done>
  },
) {
  const { account, sessionId } = signedInOf(request)
  const { proof, page, work } = change
  const changed = await accountTransaction(deps.db, async (tx) => {
    const locked = await lockSession(tx, { accountId: account.id, sessionId })
    if (!locked || (proof !== null && !(await proof.stillHolds(tx, locked)))) return null
    return work(tx, await databaseNow(tx))
  })
  if (changed?.setCookie) reply.header('set-cookie', changed.setCookie)
  return reply.redirect(changed === null ? signInPath(page) : `${page}?done=${changed.done}`, 303)
}

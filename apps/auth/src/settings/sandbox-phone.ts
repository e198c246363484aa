import type { Database } from '@vertexsms/db/client'
import type { FastifyInstance } from 'fastify'
import { nameSpenders } from '../connections/names.ts'
import { type Naming, ownersNaming, whoOf } from '../connections/who.ts'
import type { SandboxPhonePage } from '../views/account.ts'
import type { WebDeps } from '../web/deps.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage } from '../web/page.ts'
import { nowOf, signedInOf, viewerOf } from '../web/require-session.ts'
import { timeView } from '../web/times.ts'

const MAX_NUMBERS = 100
const MAX_TEXTS = 100

/** The sandbox phone: what the account's messages look like on the numbers they arrived on. */
export function registerSandboxPhone(app: FastifyInstance, deps: WebDeps): void {
  app.get('/sandbox/phone', async (request, reply) => {
    const accountId = signedInOf(request).account.id
    const now = nowOf(request)
    const asked = (request.query as { number?: unknown }).number
    const chosen = typeof asked === 'string' && /^\d{1,20}$/.test(asked) ? asked : null

    const numbers = await deps.db.sandboxText.groupBy({
      by: ['recipient'],
      where: { accountId },
      _count: { _all: true },
      _max: { receivedAt: true },
      orderBy: { _max: { receivedAt: 'desc' } },
      take: MAX_NUMBERS,
    })
    const texts = await deps.db.sandboxText.findMany({
      where: { accountId, ...(chosen !== null && { recipient: chosen }) },
      orderBy: [{ receivedAt: 'desc' }, { id: 'desc' }],
      take: MAX_TEXTS + 1,
    })

    // The chosen one stands in sight at the head of a list that scrolls, however long ago it got anything.
    const listed = numbers.toSorted((a, b) => Number(b.recipient === chosen) - Number(a.recipient === chosen))
    const shown = texts.slice(0, MAX_TEXTS)
    const sent = await sentOf(
      deps.db,
      accountId,
      shown.flatMap(({ messageId }) => (messageId === null ? [] : [messageId])),
      await ownersNaming(deps, { accountId, now }, wordsFor(request)),
    )
    return sendPage(reply, 'sandbox-phone', {
      viewer: viewerOf(deps, request),
      chosen,
      numbers: listed.map((number) => ({
        digits: number.recipient,
        texts: number._count._all,
        latest: timeView(number._max.receivedAt ?? now, now),
      })),
      texts: shown.map(({ recipient, sender, text, receivedAt, messageId }) => ({
        recipient,
        sender,
        text,
        received: timeView(receivedAt, now),
        sent: (messageId !== null && sent.get(messageId)) || null,
      })),
      isCut: texts.length > MAX_TEXTS,
    })
  })
}

/** Of some messages of an account who sent each and what it cost, by their ids; of one that is kept no more nothing. */
async function sentOf(
  db: Database,
  accountId: string,
  ids: readonly bigint[],
  naming: Naming,
): Promise<ReadonlyMap<bigint, SandboxPhonePage['texts'][number]['sent']>> {
  const select = { id: true, spenderId: true, chargedMicros: true, holdMicros: true } as const
  const rows = await db.sendMessage.findMany({ where: { accountId, id: { in: [...ids] } }, select })
  const names = await nameSpenders(
    db,
    accountId,
    rows.map(({ spenderId }) => spenderId),
  )
  return new Map(
    rows.map(({ id, spenderId, chargedMicros, holdMicros }) => [
      id,
      { who: whoOf(names.get(spenderId), naming), micros: chargedMicros + holdMicros },
    ]),
  )
}

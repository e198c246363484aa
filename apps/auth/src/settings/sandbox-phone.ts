import type { FastifyInstance } from 'fastify'
import type { WebDeps } from '../web/deps.ts'
import { sendPage } from '../web/page.ts'
import { signedInOf, viewerOf } from '../web/require-session.ts'
import { timeView } from '../web/times.ts'

const MAX_NUMBERS = 100
const MAX_TEXTS = 100

/** The sandbox phone: what the account's messages look like on the numbers they arrived on. */
export function registerSandboxPhone(app: FastifyInstance, deps: WebDeps): void {
  app.get('/sandbox/phone', async (request, reply) => {
    const accountId = signedInOf(request).account.id
    const now = new Date()
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

    return sendPage(reply, 'sandbox-phone', {
      viewer: viewerOf(deps, request),
      chosen,
      numbers: numbers.map((number) => ({
        digits: number.recipient,
        texts: number._count._all,
        latest: timeView(number._max.receivedAt ?? now, now),
      })),
      texts: texts.slice(0, MAX_TEXTS).map(({ recipient, sender, text, receivedAt }) => ({
        recipient,
        sender,
        text,
        received: timeView(receivedAt, now),
      })),
      isCut: texts.length > MAX_TEXTS,
    })
  })
}

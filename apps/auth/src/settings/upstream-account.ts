import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { Prisma } from '@vertexsms/db/client'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  findUpstreamAccount,
  readTypedHlrPrice,
  readTypedToken,
  removeUpstreamToken,
  setHlrPrice,
  setUpstreamToken,
} from '../accounts/upstream-account.ts'
import { twoWaysProblem } from '../connections/typed-eur.ts'
import type { UpstreamAccountPage } from '../views/account.ts'
import { textField } from '../web/fields.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage } from '../web/page.ts'
import { nowOf, signedInOf, viewerOf } from '../web/require-session.ts'
import { timeView } from '../web/times.ts'
import { assertAllowed } from '../web/tries.ts'
import type { Words } from '../words/words.ts'
import { changeAccount, type PasswordProof, provePassword } from './account-change.ts'
import type { SettingsDeps } from './deps.ts'

const PATH = PAGE_PATHS.upstreamAccount

type Notice = keyof Words['upstream']['notices']

type Errors = UpstreamAccountPage['errors']

const PRICE_CHARS_MAX = 40
const TOKEN_CHARS_MAX = 2000

/** Settings -> Sending account: the account's own token at the real operator. Behind a session. */
export function registerUpstreamAccount(app: FastifyInstance, deps: SettingsDeps): void {
  app.get(PATH, (request, reply) => show(deps, request, reply))

  app.post(PATH, async (request, reply) => {
    const { account } = signedInOf(request)
    await assertAllowed(deps, reply, 'upstreamToken', { about: account.id })
    const { problems, wrongPassword, refused, couldNotAsk } = wordsFor(request).upstream
    const unasked = textField(request, 'unasked') === 'on'
    const typed = textField(request, 'token')
    const read = readTypedToken(typed.length > TOKEN_CHARS_MAX ? 'x' : typed)
    // Whoever finds this browser open must not be able to have the texts of this account sent through theirs.
    const proof = await provePassword(deps, request, reply)
    const errors: Errors = {
      ...('problem' in read && { token: problems[read.problem] }),
      ...(proof === null && { password: wrongPassword }),
    }
    if ('problem' in read || proof === null) return show(deps, request, reply, errors, unasked)
    // An installation that sends to a simulator asks VertexSMS nothing.
    const isAsked = deps.upstream === 'vertexsms' && !unasked
    const verdict = isAsked ? await deps.internalApi.checkToken(account.id, read.token) : null
    if (verdict === 'refused') {
      return show(deps, request, reply, { token: refused })
    }
    if (verdict === 'not_asked') {
      return show(deps, request, reply, { token: couldNotAsk }, true)
    }
    return changeHere(deps, request, reply, proof, async (tx, now) => {
      const set = { token: read.token, checkedAt: verdict === 'accepted' ? now : null }
      const to = { operatorKey: deps.operatorKey, accountId: account.id }
      return (await setUpstreamToken(tx, to, set, now)) === 'set' ? 'stored' : 'same'
    })
  })

  app.post(`${PATH}/remove`, async (request, reply) => {
    const { account } = signedInOf(request)
    await assertAllowed(deps, reply, 'upstreamToken', { about: account.id })
    const proof = await provePassword(deps, request, reply)
    if (proof === null) return show(deps, request, reply, { remove: wordsFor(request).upstream.wrongPassword })
    return changeHere(deps, request, reply, proof, async (tx, now) => {
      await removeUpstreamToken(tx, account.id, now)
      return 'removed'
    })
  })

  app.post(`${PATH}/price`, async (request, reply) => {
    const { account } = signedInOf(request)
    const typed = textField(request, 'hlr_price').slice(0, PRICE_CHARS_MAX + 1)
    const read = readTypedHlrPrice(typed)
    if ('problem' in read) {
      const t = wordsFor(request)
      return show(deps, request, reply, { price: twoWaysProblem(typed, t) ?? t.upstream.problems[read.problem] })
    }
    return changeHere(deps, request, reply, null, async (tx, now) => {
      await setHlrPrice(tx, account.id, read.micros, now)
      return 'priced'
    })
  })
}

/** {@link changeAccount} of this page: what was done is told by it. */
function changeHere(
  deps: SettingsDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  proof: PasswordProof | null,
  work: (tx: Prisma.TransactionClient, now: Date) => Promise<Notice>,
) {
  return changeAccount(deps, request, reply, {
    proof,
    page: PATH,
    work: async (tx, now) => ({ done: await work(tx, now) }),
  })
}

async function show(
  deps: SettingsDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  errors: Errors = {},
  offersUnasked = false,
): Promise<string> {
  const { id } = signedInOf(request).account
  const now = nowOf(request)
  const row = await findUpstreamAccount(deps.db, id)
  const { done } = request.query as { done?: unknown }
  const { notices } = wordsFor(request).upstream
  const isWrong = Object.keys(errors).length > 0
  const typedPrice = textField(request, 'hlr_price').slice(0, PRICE_CHARS_MAX)
  const page: UpstreamAccountPage = {
    viewer: viewerOf(deps, request),
    formAction: PATH,
    isReal: deps.upstream === 'vertexsms',
    notice: !isWrong && typeof done === 'string' && Object.hasOwn(notices, done) ? (done as Notice) : null,
    token: row?.lastFour
      ? {
          lastFour: row.lastFour,
          set: timeView(row.changedAt, now),
          checked: row.checkedAt && timeView(row.checkedAt, now),
        }
      : null,
    isUnasked: isWrong && textField(request, 'unasked') === 'on',
    hlrPrice: errors.price
      ? typedPrice
      : row?.hlrPriceMicros == null
        ? ''
        : wordsFor(request).format.typed(row.hlrPriceMicros),
    errors,
    offersUnasked,
  }
  return sendPage(reply, 'upstream-account', page, isWrong ? 422 : 200)
}

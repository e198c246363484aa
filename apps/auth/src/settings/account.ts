import { MUTABLE_NOTICES, type MutableNotice } from '@vertexsms/contract/notice'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { endOtherWaysIn } from '../accounts/access-end.ts'
import { hashPassword } from '../accounts/password.ts'
import { PASSWORD_MIN_CHARS, passwordProblem } from '../accounts/password-rules.ts'
import { createSession } from '../accounts/session.ts'
import { tellOfWayIn } from '../accounts/way-in-notice.ts'
import { endConnectionsOfAccount } from '../connections/end.ts'
import { presentName, readTimeZone, timeZoneAreas } from '../connections/time-zone.ts'
import type { AccountPage } from '../views/account.ts'
import type { WebDeps } from '../web/deps.ts'
import { doneOf } from '../web/done.ts'
import { hasField, textField } from '../web/fields.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage } from '../web/page.ts'
import { passwordProblemText } from '../web/password-problem.ts'
import { signedInOf, viewerOf } from '../web/require-session.ts'
import { assertAllowed } from '../web/tries.ts'
import { isLanguage, LANGUAGES, type Language } from '../words/room.ts'
import type { Words } from '../words/words.ts'
import { changeAccount, provePassword } from './account-change.ts'

const PATH = PAGE_PATHS.account

/** What was done, as `?done=` names it. */
type Done = 'password' | 'password-connections' | 'zone' | 'mails'

/** Far more than a password may have, and little enough to hash. */
const PASSWORD_SENT_MAX_CHARS = 1000

/** Settings -> Account: the password, the time zone, the mails. Behind a session. */
export function registerAccount(app: FastifyInstance, deps: WebDeps): void {
  app.get(PATH, (request, reply) => show(deps, request, reply))

  app.post(`${PATH}/password`, async (request, reply) => {
    const { account } = signedInOf(request)
    const t = wordsFor(request)
    const typed = textField(request, 'new_password').slice(0, PASSWORD_SENT_MAX_CHARS)
    const proof = await provePassword(deps, request, reply)
    const weak = passwordProblem(typed, account.email)
    const isSame = proof !== null && typed === textField(request, 'password')
    const problem = weak ? passwordProblemText(t, weak) : isSame ? t.account.password.same : null
    if (proof === null || problem !== null) {
      return show(deps, request, reply, {
        ...(proof === null && { password: t.account.password.wrong }),
        ...(problem && { new_password: problem }),
      })
    }
    await assertAllowed(deps, reply, 'passwordChange', { about: account.id })
    const endsConnections = textField(request, 'end_connections') === 'on'
    const passwordHash = await hashPassword(typed, { name: `account ${account.email}`, isStranger: false })
    return changeAccount(deps, request, reply, {
      proof,
      page: PATH,
      async work(tx, now) {
        await tx.account.update({ where: { id: account.id }, data: { passwordHash } })
        await endOtherWaysIn(tx, account)
        await tellOfWayIn(tx, 'password_changed', account.id, now)
        if (endsConnections) await endConnectionsOfAccount(tx, account.id)
        // This browser goes on under a new secret: whoever has a copy of the old one is out, too.
        const browser = { accountId: account.id, userAgent: request.headers['user-agent'], address: request.ip }
        const { setCookie } = await createSession({ ...deps, db: tx }, browser)
        const done: Done = endsConnections ? 'password-connections' : 'password'
        return { done, setCookie }
      },
    })
  })

  app.post(`${PATH}/time-zone`, async (request, reply) => {
    const { id } = signedInOf(request).account
    const typed = textField(request, 'time_zone')
    const timeZone = readTimeZone(typed)
    if (typed !== '' && timeZone === null) {
      return show(deps, request, reply, { time_zone: wordsFor(request).account.zone.wrong })
    }
    return changeAccount(deps, request, reply, {
      proof: null,
      page: PATH,
      async work(tx) {
        await tx.account.update({ where: { id }, data: { timeZone } })
        return { done: 'zone' satisfies Done }
      },
    })
  })

  // A session alone must not be enough to keep from its owner what is done with it: to hear less takes the password.
  app.post(`${PATH}/mails`, async (request, reply) => {
    const { id } = signedInOf(request).account
    const language = textField(request, 'language')
    const isLanguageChanged = isLanguage(language) && language !== textField(request, 'was_language')
    const before = await deps.db.account.findUniqueOrThrow({ where: { id }, select: { mutedNotices: true } })
    const mutedNotices = mutedBy(request, before.mutedNotices)
    const hearsLess = mutedNotices.some((kind) => !before.mutedNotices.includes(kind))
    const proof = hearsLess ? await provePassword(deps, request, reply) : null
    if (hearsLess && proof === null) {
      return show(deps, request, reply, { mails: wordsFor(request).account.mails.wrong }, mutedNotices)
    }
    return changeAccount(deps, request, reply, {
      proof,
      page: PATH,
      async work(tx) {
        // What was switched on again in the meantime stays on for whoever proved nothing.
        const stands = await tx.account.findUniqueOrThrow({ where: { id }, select: { mutedNotices: true } })
        const asked = mutedBy(request, stands.mutedNotices)
        const muted = proof ? asked : asked.filter((kind) => stands.mutedNotices.includes(kind))
        const data = { mutedNotices: muted, ...(isLanguageChanged && { language }) }
        await tx.account.update({ where: { id }, data })
        return { done: 'mails' satisfies Done }
      },
    })
  })
}

/**
 * The kinds that are switched off once the form has its way. One that is ticked or not as the page showed it stays as it
 * stands: a page that was opened earlier brings nothing back that was chosen since.
 */
function mutedBy(request: FastifyRequest, stands: readonly string[]): MutableNotice[] {
  const { notice, was_notice: shown } = request.body as Record<string, unknown>
  const isIn = (sent: unknown, kind: MutableNotice) => [sent].flat().includes(kind)
  const tellsShown = hasField(request, 'was_language')
  return MUTABLE_NOTICES.filter((kind) =>
    tellsShown && isIn(shown, kind) === isIn(notice, kind) ? stands.includes(kind) : !isIn(notice, kind),
  )
}

/** What each language calls itself. */
const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', lt: 'Lietuvių' }

function noticeLabels({ account: { mails } }: Words): Readonly<Record<MutableNotice, string>> {
  const { newConnection, firstSend, limitNear, autoPause } = mails
  return { new_connection: newConnection, first_send: firstSend, limit_near: limitNear, auto_pause: autoPause }
}

async function show(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  errors: AccountPage['errors'] = {},
  muted?: readonly MutableNotice[],
): Promise<string> {
  const { id } = signedInOf(request).account
  const select = { timeZone: true, mutedNotices: true, language: true }
  const { timeZone, mutedNotices, language } = await deps.db.account.findUniqueOrThrow({ where: { id }, select })
  const shownZone = timeZone === null ? null : presentName(timeZone)
  const t = wordsFor(request)
  const { password, zone, mails } = t.account
  const notices: Readonly<Record<Done, AccountPage['notice']>> = {
    password: { about: 'password', text: password.changed },
    'password-connections': { about: 'password', text: password.changedAll },
    zone: { about: 'zone', text: zone.changed(shownZone ?? 'UTC') },
    mails: { about: 'mails', text: mails.changed },
  }
  const isWrong = Object.keys(errors).length > 0
  const typed = textField(request, 'language')
  const chosen = muted && isLanguage(typed) ? typed : (language ?? LANGUAGES[0])
  const page: AccountPage = {
    viewer: viewerOf(deps, request),
    formAction: PATH,
    notice: isWrong ? null : doneOf(request, notices),
    minChars: PASSWORD_MIN_CHARS,
    endsConnections: isWrong && textField(request, 'end_connections') === 'on',
    timeZone: shownZone ?? '',
    timeZones: timeZoneAreas(shownZone),
    sendsMail: deps.help.sendsMail,
    notices: MUTABLE_NOTICES.map((kind) => ({
      kind,
      label: noticeLabels(t)[kind],
      isWanted: !(muted ?? mutedNotices).includes(kind),
      isSent: !mutedNotices.includes(kind),
    })),
    language,
    languages: LANGUAGES.map((value) => ({
      value,
      name: LANGUAGE_NAMES[value],
      isChosen: value === chosen,
    })),
    errors,
  }
  return sendPage(reply, 'account', page, isWrong ? 422 : 200)
}

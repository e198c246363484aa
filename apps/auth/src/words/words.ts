import { access } from './access.ts'
import { account } from './account.ts'
import { approvals } from './approvals.ts'
import { connect } from './connect.ts'
import { consent } from './consent.ts'
import { ends } from './ends.ts'
import { errors } from './errors.ts'
import { forgotPassword } from './forgot-password.ts'
import { type Formats, formatsOf } from './format.ts'
import { frame } from './frame.ts'
import { limits } from './limits.ts'
import { mails } from './mails.ts'
import { overview } from './overview.ts'
import { passkeys } from './passkeys.ts'
import { passwords } from './passwords.ts'
import { phone } from './phone.ts'
import { requestAccess } from './request-access.ts'
import type { Language } from './room.ts'
import { routes } from './routes.ts'
import { scopes } from './scopes.ts'
import { sessions } from './sessions.ts'
import { setPassword } from './set-password.ts'
import { signIn } from './sign-in.ts'
import { spender } from './spender.ts'
import { token } from './token.ts'
import { upstream } from './upstream.ts'
import { who } from './who.ts'

/** Every room of the catalogue, one a line and by its name. */
export const ROOMS = {
  access,
  account,
  approvals,
  connect,
  consent,
  ends,
  errors,
  forgotPassword,
  frame,
  limits,
  mails,
  overview,
  passkeys,
  passwords,
  phone,
  requestAccess,
  routes,
  scopes,
  sessions,
  setPassword,
  signIn,
  spender,
  token,
  upstream,
  who,
} as const

/** Every sentence that a person reads on a page, in one language, and how amounts and times are written in it. */
export type Words = { readonly language: Language; readonly other: OtherLanguage; readonly format: Formats } & {
  readonly [Room in keyof typeof ROOMS]: (typeof ROOMS)[Room][Language]
}

/** The language to which a page links, and what it calls itself. */
interface OtherLanguage {
  readonly language: Language
  readonly name: string
}
const OTHERS: Readonly<Record<Language, OtherLanguage>> = {
  en: { language: 'lt', name: 'Lietuviškai' },
  lt: { language: 'en', name: 'English' },
}

/** The words of each language. */
export const WORDS: Readonly<Record<Language, Words>> = {
  en: wordsIn('en'),
  lt: wordsIn('lt'),
}

function wordsIn(language: Language): Words {
  const rooms = Object.entries(ROOMS).map(([name, words]) => [name, words[language]])
  return { ...Object.fromEntries(rooms), language, other: OTHERS[language], format: formatsOf(language) }
}

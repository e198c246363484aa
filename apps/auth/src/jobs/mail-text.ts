import { type NoticeKind, noticeDetails } from '@vertexsms/contract/notice'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { quotable } from '../connections/who.ts'
import { isLanguage } from '../words/room.ts'
import { WORDS, type Words } from '../words/words.ts'
import type { Mail } from './mailer.ts'

/** What a mail says. */
export type MailText = Pick<Mail, 'subject' | 'text'>

/** Whom a notice is about, as the database knows it now. */
export type NoticeSubject =
  | {
      readonly kind: 'app'
      readonly host: string
      /** What it calls itself; empty where it gives no name. */
      readonly name: string
      /** Whom it might be taken for, and is not. */
      readonly passesFor: 'us' | 'another' | null
      readonly page: string
    }
  | { readonly kind: 'token'; readonly name: string; readonly page: string }
  | { readonly kind: 'account' | 'gone'; readonly page: string }

const NAME_CHARS_MAX = 80

/**
 * A text of somebody else as a mail may show it: one line, cut, nothing that a mail program makes a link of, and fit to
 * stand between quotation marks. So that whoever names an app cannot put an address or a sentence of theirs
 * into a mail of ours.
 */
function inert(text: string): string {
  const line = text
    .normalize('NFC')
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  const letters = [...line]
  const cut = letters.length > NAME_CHARS_MAX ? `${letters.slice(0, NAME_CHARS_MAX - 1).join('')}…` : line
  const unlinked = cut
    .replace(/[.。．｡](?=\S)/gu, '[.]')
    .replace(/:\/\//g, ': //')
    .replace(/@/g, ' (at) ')
  return quotable(unlinked)
}

/** The mail that carries a password link. */
export function passwordMail(t: Words, link: string, hours: number): MailText {
  const { password } = t.mails
  const { wait } = t.format
  return {
    subject: password.subject,
    text: paragraphs(t.mails.greeting, `${password.text(wait(hours * 3600))}\n${link}`, password.ends, password.notYou),
  }
}

/** The mail of a notice; null for one whose details are not those of its kind. Its links lead to pages of `issuerUrl`. */
export function noticeMail(
  t: Words,
  notice: { readonly kind: NoticeKind; readonly details: unknown; readonly subject: NoticeSubject },
  issuerUrl: string,
): MailText | null {
  const { mails: w, format } = t
  const { kind, subject } = notice
  const who = whoText(t, subject)
  const claim = subject.kind === 'app' ? claimText(w, subject) : ''
  const page = `${issuerUrl}${subject.page}`
  if (kind === 'password_changed') {
    const { subject: line, text, notYou } = w.passwordChanged
    return { subject: line, text: paragraphs(w.greeting, text, `${notYou}\n${issuerUrl}${PAGE_PATHS.forgotPassword}`) }
  }
  if (kind === 'passkey_added' || kind === 'passkey_removed') {
    const { subject: line, text } = kind === 'passkey_added' ? w.passkeyAdded : w.passkeyRemoved
    const pages = `${issuerUrl}${PAGE_PATHS.passkeys}\n${issuerUrl}${PAGE_PATHS.account}`
    return { subject: line, text: paragraphs(w.greeting, text, `${w.passkeyNotYou}\n${pages}`) }
  }
  const foot = paragraphs(w.dots, `${w.switchOff}\n${issuerUrl}${PAGE_PATHS.account}`)
  const mail = (subjectLine: string, ...text: string[]) => ({
    subject: subjectLine,
    text: paragraphs(w.greeting, ...text, foot),
  })
  if (kind === 'new_connection') {
    const { subject: line, text, notYou } = w.newConnection
    return mail(line, text(who), claim, `${notYou}\n${page}\n${issuerUrl}${PAGE_PATHS.account}`)
  }
  if (kind === 'first_send') {
    const { subject: line, text, look } = w.firstSend
    return mail(line, text(who), claim, `${look}\n${page}`)
  }
  if (kind === 'auto_pause') {
    const details = noticeDetails.auto_pause.safeParse(notice.details).data
    if (!details) return null
    const { subject: line, text, look, burst, numberBlock, refusedCountries } = w.autoPause
    const reasons: Record<string, string> = { burst, number_block: numberBlock, refused_countries: refusedCountries }
    return mail(line, text(who), claim, reasons[details.rule] ?? '', `${look}\n${page}`)
  }
  const details = noticeDetails.limit_near.safeParse(notice.details).data
  if (!details) return null
  const { subject: line, look, sandbox, ...sentences } = w.limitNear
  const amount = (text: string) =>
    details.limit === 'recipients' ? format.number(Number(text)) : format.eur(BigInt(text))
  const sentence = sentences[details.limit](who, amount(details.used), amount(details.max))
  return mail(line, sentence, claim, details.upstream === 'sandbox' ? sandbox : '', `${look}\n${page}`)
}

function claimText({ who }: Words['mails'], { name, passesFor }: Extract<NoticeSubject, { kind: 'app' }>): string {
  return [...(name ? [who.claims(inert(name))] : []), ...(passesFor ? [who.passesFor[passesFor]] : [])].join(' ')
}

function whoText({ mails }: Words, subject: NoticeSubject): string {
  if (subject.kind === 'app') return mails.who.app(inert(subject.host))
  if (subject.kind === 'token') return mails.who.token(inert(subject.name))
  return mails.who[subject.kind]
}

function paragraphs(...texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join('\n\n')
}

/** The words of an account's language. */
export function wordsOf(language: string | null): Words {
  return WORDS[isLanguage(language) ? language : 'en']
}

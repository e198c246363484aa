import type { SmtpServer } from '../env.ts'

/** One mail to one person, in plain text. */
export interface Mail {
  /** What makes its Message-ID: a server that is given it twice, after a crash, may know it again. */
  readonly id: string
  readonly to: string
  /** Of our own words alone. */
  readonly subject: string
  readonly text: string
}

/**
 * What became of a mail. `later`: surely not taken, and worth another try. `refused`: not taken, and never will be.
 * `unknown`: the server may have it, so that nothing sends it again.
 */
export type MailOutcome = 'sent' | 'later' | 'refused' | 'unknown'

/** Sends mail. */
export interface Mailer {
  /** Never throws, and is over within {@link SEND_WITHIN_MS}. Nothing about a failure but its code leaves here. */
  send(mail: Mail): Promise<{ readonly outcome: MailOutcome; readonly reason: string }>
}

/** To be connected, and to be greeted. */
const CONNECT_TIMEOUT_MS = 10_000
/** For every answer of the server. */
const ANSWER_TIMEOUT_MS = 15_000
/** For all of it. */
export const SEND_WITHIN_MS = 40_000

/** A mailer for this server (RFC 5321, RFC 3207); each mail has a connection of its own. */
export async function createMailer({
  smtp,
  from,
}: {
  readonly smtp: SmtpServer
  readonly from: string
}): Promise<Mailer> {
  // Where no mail is sent its library is not even loaded.
  const { createTransport } = await import('nodemailer')
  const { host, port, isImplicit, needsTls, user, password } = smtp
  const transport = createTransport({
    host,
    port,
    secure: isImplicit,
    requireTLS: needsTls && !isImplicit,
    // On this machine a certificate may name nothing that is called.
    ...(!needsTls && { tls: { rejectUnauthorized: false } }),
    ...(user !== '' && { auth: { user, pass: password } }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: ANSWER_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  })
  const domain = from.slice(from.lastIndexOf('@') + 1)
  return {
    async send({ id, to, subject, text }) {
      try {
        await transport.sendMail({
          from: { name: 'VertexSMS', address: from },
          to: { name: '', address: to },
          // What the server is told, whatever the headers say: one sender, one recipient.
          envelope: { from, to: [to] },
          messageId: `<${id}@${domain}>`,
          subject: subject.replace(/\p{C}/gu, ' '),
          text,
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: AbortSignal.timeout(SEND_WITHIN_MS),
        })
        return { outcome: 'sent', reason: 'OK' }
      } catch (error) {
        return judge(error as SmtpError)
      }
    },
  }
}

interface SmtpError {
  readonly code?: string
  readonly responseCode?: number
  readonly syscall?: string
  readonly timeoutType?: string
}

/** Failures from before a server was given the mail. */
const BEFORE_IT_WAS_GIVEN: ReadonlySet<string> = new Set([
  'EDNS',
  'ETLS',
  'EAUTH',
  'ENOAUTH',
  'EENVELOPE',
  'EREQUIRETLS',
])
const CONNECTING = ['CONNECTION_TIMEOUT', 'GREETING_TIMEOUT']

/** What the server said decides (RFC 5321 §4.2.1); what broke off without a word may have arrived. */
function judge({ code = 'FAILED', responseCode, syscall, timeoutType = '' }: SmtpError) {
  const reason = responseCode === undefined ? code : String(responseCode)
  if (code === 'EAUTH' || code === 'ENOAUTH') return { outcome: 'later', reason } as const
  if (responseCode !== undefined && responseCode >= 500 && responseCode !== 503) {
    return { outcome: 'refused', reason } as const
  }
  const surelyNot =
    responseCode !== undefined ||
    BEFORE_IT_WAS_GIVEN.has(code) ||
    syscall === 'connect' ||
    CONNECTING.includes(timeoutType)
  return { outcome: surelyNot ? 'later' : 'unknown', reason } as const
}

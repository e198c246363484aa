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
  /** How long a mail may take, in milliseconds. */
  readonly sendWithinMs: number
  /** Never throws, and is over within {@link sendWithinMs}. Nothing about a failure but its code leaves here. */
  send(mail: Mail): Promise<{ readonly outcome: MailOutcome; readonly reason: string }>
}

/** A mailer for this server (RFC 5321, RFC 3207); each mail has a connection of its own. */
export async function createMailer({
  smtp,
  from,
  sendWithinMs,
}: {
  readonly smtp: SmtpServer
  readonly from: string
  readonly sendWithinMs: number
}): Promise<Mailer> {
  // Where no mail is sent its library is not even loaded.
  const { createTransport } = await import('nodemailer')
  const { host, port, isImplicit, needsTls, user, password } = smtp
  const domain = from.slice(from.lastIndexOf('@') + 1)
  return {
    sendWithinMs,
    async send({ id, to, subject, text }) {
      let isGiven = false
      const transport = createTransport({
        host,
        port,
        secure: isImplicit,
        requireTLS: needsTls && !isImplicit,
        // On this machine a certificate may name nothing that is called.
        ...(!needsTls && { tls: { rejectUnauthorized: false } }),
        ...(user !== '' && { auth: { user, pass: password } }),
        disableFileAccess: true,
        disableUrlAccess: true,
        // Written nowhere. Its entry `message` is how the library tells that the mail has gone out to its last line.
        logger: {
          info(entry: { readonly tnx?: string }) {
            if (entry.tnx === 'message') isGiven = true
          },
        },
      })
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
          // The one bound: each of the library's own begins anew with every byte of a server that dawdles.
          signal: AbortSignal.timeout(sendWithinMs),
        })
        return { outcome: 'sent', reason: 'OK' }
      } catch (error) {
        return judge(error as SmtpError, isGiven)
      }
    },
  }
}

interface SmtpError {
  readonly code?: string
  readonly responseCode?: number
  /** True for a 5xx answer, except 503, which is about the order of commands. */
  readonly permanent?: boolean
  readonly command?: string
}

/** What a server answers about one mail; everything before is about itself, us and our password. */
const ABOUT_THE_MAIL = ['RCPT TO', 'DATA']

/**
 * What the server said decides (RFC 5321 §4.2.1). Where it said nothing, it cannot have a mail before the line that ends it
 * (§4.1.1.4), and may have one after.
 */
function judge({ code = 'FAILED', responseCode = 0, permanent = false, command = '' }: SmtpError, isGiven: boolean) {
  // Any other answer in an error came out of turn, and says nothing of this mail.
  if (responseCode < 400) return { outcome: isGiven ? 'unknown' : 'later', reason: code } as const
  const isFinal = permanent && ABOUT_THE_MAIL.includes(command)
  return { outcome: isFinal ? 'refused' : 'later', reason: String(responseCode) } as const
}

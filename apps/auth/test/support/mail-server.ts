import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A mail as it arrived, decoded as far as tests need. */
export interface ArrivedMail {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What the server does with the next mail. */
export type Reception = 'takes' | 'says later' | 'refuses' | 'takes and says nothing'

/** A mail server on a port of its own (RFC 5321). */
export interface MailServer {
  /** For SMTP_URL. */
  readonly url: string
  readonly mails: ArrivedMail[]
  /** User and password of every sign-in. */
  readonly signIns: string[]
  /** Attempts at a mail, whatever became of them. */
  attempts: number
  reception: Reception
  close(): Promise<void>
}

/** Starts one. `host` is where it listens, and what clients are told to call. */
export async function startMailServer(
  options: SMTPServerOptions & { readonly host?: string; readonly user?: string } = {},
): Promise<MailServer> {
  const { host = '127.0.0.1', user = '', ...own } = options
  const mails: ArrivedMail[] = []
  const signIns: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onAuth: (auth, _session, done) => {
      signIns.push(`${auth.username}:${auth.password}`)
      done(null, { user: auth.username ?? '' })
    },
    onData: (stream, session, done) => {
      text(stream).then((raw) => {
        const result = {
          ...parse(raw),
          from: addressOf(session.envelope.mailFrom),
          to: session.envelope.rcptTo.map(addressOf),
        }
        started.attempts += 1
        if (started.reception === 'says later')
          return done(Object.assign(new Error('try again'), { responseCode: 451 }))
        if (started.reception === 'refuses')
          return done(Object.assign(new Error('no such user'), { responseCode: 550 }))
        mails.push(result)
        if (started.reception === 'takes') return done()
        for (const connection of server.connections) connection.close()
      }, done)
    },
    ...own,
  })
  server.on('error', () => {})
  const listening = server.listen(0, host)
  await once(listening, 'listening')
  const { port } = listening.address() as AddressInfo
  const scheme = own.secure ? 'smtps' : 'smtp'
  const started: MailServer = {
    url: `${scheme}://${user}${host}:${port}`,
    mails,
    signIns,
    attempts: 0,
    reception: 'takes',
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return started
}

function addressOf(address: unknown): string {
  return (address as { readonly address?: string }).address ?? ''
}

function parse(raw: string): Omit<ArrivedMail, 'from' | 'to'> {
  const [head = '', ...rest] = raw.split('\r\n\r\n')
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      decodeWords(line.slice(line.indexOf(':') + 1)),
    ]),
  )
  const encoded = rest.join('\r\n\r\n')
  const encoding = headers['content-transfer-encoding'] ?? ''
  return { raw, headers, body: decodeBody(encoded, encoding).replaceAll('\r\n', '\n').trim() }
}

function decodeBody(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8')
  return encoding === 'quoted-printable' ? quoted(body.replace(/=\r\n/g, '')) : body
}

function quoted(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** RFC 2047. */
function decodeWords(value: string): string {
  return value
    .trim()
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      kind.toLowerCase() === 'b' ? Buffer.from(word, 'base64').toString('utf8') : quoted(word.replaceAll('_', ' ')),
    )
}

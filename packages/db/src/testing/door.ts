import { connect, createServer, type Socket } from 'node:net'

/** A door in front of a database, for tests in which the database goes away. */
export interface Door {
  /** The database's URL through this door. */
  readonly url: string
  /** Breaks every open connection; new ones pass unless the door is shut. */
  cut(): void
  /** Breaks every open connection and ends each new one at once. */
  shut(): void
  /** Keeps every connection and takes new ones, but drops what is said in either direction, as a firewall does. */
  silence(): void
  /** The next statement that holds this text reaches the database; then its connection breaks, before any answer. Of several, each in its turn. */
  loseAnswerTo(...texts: string[]): void
  /**
   * The next statement that holds this text reaches the database; then, before any answer, the door is shut. Resolves once a
   * new connection was ended at it.
   */
  shutAfter(text: string): Promise<void>
  /**
   * Statements that hold this text, and what their connections say after them, are kept back until the door is open, also
   * where their client has gone by then, as at a server that stands still; those who waited for one lose their connection
   * at once, or give it up as they do. Resolves once they were carried out after that.
   */
  hold(text: string, clients?: 'cut' | 'wait'): Promise<void>
  /** As {@link hold}, of the next such statement alone. */
  holdNext(text: string): Promise<void>
  /** Lets connections pass again, and speak. */
  open(): void
  /** Breaks every open connection and stops listening: new ones are refused (ECONNREFUSED). */
  close(): Promise<void>
}

interface Holding {
  readonly text: string
  readonly clients: 'cut' | 'wait'
  readonly once: boolean
}

/** Says to a client, before it breaks its connection, that it lost the server or has none. */
interface Pooler {
  readonly severity: 'ERROR' | 'FATAL' | 'PANIC'
  /** SQLSTATE. */
  readonly code: string
}

const PGBOUNCER: Pooler = { severity: 'FATAL', code: '08P01' }

/** What PgBouncer keeps to itself where it is told to, for it refuses the connection elsewhere. */
const KEPT_BACK = new Set(['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'])

/**
 * A door on a free loopback port that passes bytes to and from the database at `target`; `as` a pooler, PgBouncer where no
 * other is named, it says so where it loses an answer or is shut, and tells the server none of the time limits.
 */
export async function doorTo(
  target: string,
  as: 'cable' | 'pooler' = 'cable',
  says: Pooler = PGBOUNCER,
): Promise<Door> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let passes = true
  let silent = false
  let unanswered: string[] = []
  let holding: Holding | undefined
  let held: (() => Promise<void>)[] = []
  let allCarriedOut = () => {}
  let shutting: { readonly text: string; readonly turnedAway: () => void } | undefined
  const leave = (near: Socket) => {
    if (as === 'pooler') near.end(errorMessage(says.severity, says.code, 'server conn crashed?'))
    else near.destroy()
  }
  const server = createServer((near) => {
    if (!passes) {
      near.on('error', () => {})
      // What comes in is read, so that what was said is not lost with it.
      near.resume()
      shutting?.turnedAway()
      shutting = undefined
      return leave(near)
    }
    const far = connect(Number(port), hostname)
    let kept: Buffer[] | undefined
    const keepBack = (data: Buffer) => {
      if (kept === undefined && holding !== undefined && data.includes(holding.text)) {
        kept = []
        if (holding.clients === 'cut') setImmediate(leave, near)
        if (holding.once) holding = undefined
        held.push(async () => {
          far.end(Buffer.concat(kept ?? []))
          kept = undefined
          if (!far.closed) await new Promise((resolve) => far.once('close', resolve))
        })
      }
      kept?.push(data)
      return kept !== undefined
    }
    near.on('data', (data) => {
      if (shutting && data.includes(shutting.text)) far.prependOnceListener('data', shut)
      if (unanswered[0] === undefined || !data.includes(unanswered[0])) return
      unanswered = unanswered.slice(1)
      // It answers when the statement is over, all at once.
      far.prependOnceListener('data', () => leave(near))
    })
    for (const [from, to] of [[near, far] as const, [far, near] as const]) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        // The other side never hears of it.
        if (!silent && kept === undefined) to.destroy()
      })
      let isFirst = as === 'pooler' && from === near
      from.on('data', (data) => {
        if (from === near && keepBack(data)) return
        if (!silent && to.writable) to.write(isFirst ? withoutLimits(data) : data)
        isFirst = false
      })
      from.on('end', () => {
        if (!silent && kept === undefined) to.end()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(address.port)
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const shut = () => {
    passes = false
    cut()
  }
  const hold = (next: Holding) => {
    holding = next
    return new Promise<void>((resolve) => {
      allCarriedOut = resolve
    })
  }
  return {
    url: url.href,
    cut,
    shut,
    silence() {
      silent = true
    },
    loseAnswerTo(...texts) {
      unanswered = texts
    },
    shutAfter(text) {
      return new Promise((turnedAway) => {
        shutting = { text, turnedAway }
      })
    },
    hold: (text, clients = 'wait') => hold({ text, clients, once: false }),
    holdNext: (text) => hold({ text, clients: 'wait', once: true }),
    open() {
      holding = undefined
      Promise.all(held.map((letGo) => letGo())).then(allCarriedOut)
      held = []
      silent = false
      passes = true
    },
    async close() {
      passes = false
      const closed = new Promise((resolve) => server.close(resolve))
      cut()
      await closed
    },
  }
}

/** A StartupMessage of PostgreSQL's protocol without the time limits: length and version, then names and values, each with its end. */
function withoutLimits(message: Buffer): Buffer {
  const words = message.toString('utf8', 8).split('\0')
  const left = words.filter((_, at) => !KEPT_BACK.has(words[at - (at % 2)] ?? ''))
  const body = Buffer.from(left.join('\0'))
  const head = Buffer.from(message.subarray(0, 8))
  head.writeInt32BE(8 + body.length)
  return Buffer.concat([head, body])
}

/** An ErrorResponse of PostgreSQL's protocol. */
function errorMessage(severity: string, code: string, message: string): Buffer {
  const fields = Buffer.from(`S${severity}\0V${severity}\0C${code}\0M${message}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

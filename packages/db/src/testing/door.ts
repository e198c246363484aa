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
  /** Lets connections pass again, and speak. */
  open(): void
  /** Breaks every open connection and stops listening: new ones are refused (ECONNREFUSED). */
  close(): Promise<void>
}

/** A door on a free loopback port that passes bytes to and from the database at `target`. */
export async function doorTo(target: string): Promise<Door> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let passes = true
  let silent = false
  let unanswered: string[] = []
  const server = createServer((near) => {
    if (!passes) return void near.destroy()
    const far = connect(Number(port), hostname)
    near.on('data', (data) => {
      if (unanswered[0] === undefined || !data.includes(unanswered[0])) return
      unanswered = unanswered.slice(1)
      // It answers when the statement is over, all at once.
      far.prependOnceListener('data', () => near.destroy())
    })
    for (const [from, to] of [[near, far] as const, [far, near] as const]) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        // The other side never hears of it.
        if (!silent) to.destroy()
      })
      from.on('data', (data) => {
        if (!silent && !to.destroyed) to.write(data)
      })
      from.on('end', () => {
        if (!silent) to.end()
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
  return {
    url: url.href,
    cut,
    shut() {
      passes = false
      cut()
    },
    silence() {
      silent = true
    },
    loseAnswerTo(...texts) {
      unanswered = texts
    },
    open() {
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

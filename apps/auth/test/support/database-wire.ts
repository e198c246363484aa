import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** The way to a database, which can be made to break after so many messages from the client. */
export interface DatabaseWire {
  readonly url: string
  /** Breaks every connection at the message after the next `messages`; resolves when it has. */
  breakAfter(messages: number): Promise<void>
  /** Lets everything through again. */
  mend(): void
  close(): Promise<void>
}

/** A wire to the database behind `url`. */
export async function databaseWire(url: string): Promise<DatabaseWire> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let left = Number.POSITIVE_INFINITY
  let broken = (): void => {}
  const server = createServer((client) => {
    const database = connect(Number(target.port || 5432), target.hostname)
    for (const socket of [client, database]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('close', () => database.destroy())
    database.on('close', () => client.destroy())
    database.on('data', (bytes) => client.write(bytes))
    client.on('data', (bytes) => {
      left -= 1
      if (left >= 0) return database.write(bytes)
      for (const socket of sockets) socket.destroy()
      return broken()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  const through = new URL(url)
  through.host = `127.0.0.1:${address.port}`
  return {
    url: through.href,
    breakAfter(messages) {
      left = messages
      return new Promise((resolve) => {
        broken = resolve
      })
    },
    mend() {
      left = Number.POSITIVE_INFINITY
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

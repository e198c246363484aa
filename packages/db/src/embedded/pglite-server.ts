// A PostgreSQL front end for one PGlite instance: many connections, one session behind them. What makes it safe is that
// the unit of work is everything up to a Sync, never a single message, and that a connection inside a transaction keeps
// the session to itself. docs/decisions says why the published socket server is not used.
import { timingSafeEqual } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { PGlite } from '@electric-sql/pglite'
import { type Frame, frames, renameStatement, type StartupPacket, startupPacket } from './wire.ts'

/** A transaction nobody continues for this long is rolled back and its connection closed. */
const IDLE_IN_TRANSACTION_MS = 30_000

const AUTHENTICATION_CLEARTEXT = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])
const ROLLBACK = Buffer.from('Q\0\0\0\x0dROLLBACK\0', 'latin1')

interface Work {
  connection: Connection
  bytes: Uint8Array
  done: () => void
}

/** A PGlite that answers on a port as PostgreSQL does. */
export interface PgliteServer {
  /** Port on 127.0.0.1. */
  port: number
  close(): Promise<void>
}

/** Serves PGlite on a free loopback port to whoever knows the password. */
export async function servePglite(db: PGlite, password: string): Promise<PgliteServer> {
  const session = new SharedSession(db)
  const connections = new Set<Connection>()
  const server = createServer((socket) => {
    const connection = new Connection(socket, session, password)
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))
  })
  await listen(server)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  return {
    port: address.port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const connection of connections) connection.destroy()
      await closed
      await session.idle()
    },
  }
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
}

/** Runs batches one at a time; while a transaction is open, those of its connection alone. */
class SharedSession {
  private readonly db: PGlite
  private readonly queue: Work[] = []
  private owner: Connection | null = null
  private running: Promise<void> | null = null
  private ownerTimer: NodeJS.Timeout | undefined

  constructor(db: PGlite) {
    this.db = db
  }

  run(connection: Connection, bytes: Uint8Array): Promise<void> {
    return new Promise((done) => {
      this.queue.push({ connection, bytes, done })
      this.start()
    })
  }

  /** Forgets what a closed connection still wanted and rolls its transaction back. */
  release(connection: Connection): void {
    for (let index = this.queue.length - 1; index >= 0; index--) {
      if (this.queue[index]?.connection === connection) this.queue.splice(index, 1)
    }
    this.start()
  }

  async idle(): Promise<void> {
    while (this.running) await this.running
  }

  private start(): void {
    this.running ??= this.drain().finally(() => {
      this.running = null
      if (this.next() !== -1) this.start()
    })
  }

  private next(): number {
    if (this.owner?.closed) return 0
    if (!this.owner) return this.queue.length === 0 ? -1 : 0
    return this.queue.findIndex((work) => work.connection === this.owner)
  }

  private async drain(): Promise<void> {
    // The microtask pause lets every caller of run() see `running` before the first batch starts.
    await Promise.resolve()
    for (let index = this.next(); index !== -1; index = this.next()) {
      clearTimeout(this.ownerTimer)
      if (this.owner?.closed) {
        this.owner = null
        await this.send(ROLLBACK, () => {})
        continue
      }
      const work = this.queue.splice(index, 1)[0]
      if (!work) return
      await this.execute(work)
      work.done()
    }
  }

  private async execute({ connection, bytes }: Work): Promise<void> {
    try {
      await this.send(bytes, (data) => connection.write(data))
    } catch {
      // The engine itself failed, not the statement: this connection cannot go on.
      connection.destroy()
    }
    this.owner = this.db.isInTransaction() ? connection : null
    if (this.owner) {
      this.ownerTimer = setTimeout(() => connection.destroy(), IDLE_IN_TRANSACTION_MS)
      this.ownerTimer.unref()
    }
  }

  private send(bytes: Uint8Array, onRawData: (data: Uint8Array) => void): Promise<void> {
    return this.db.runExclusive(() => this.db.execProtocolRawStream(bytes, { onRawData }))
  }
}

let connectionCount = 0

/** One client: start-up, password, then batches. */
class Connection {
  closed = false
  private readonly socket: Socket
  private readonly session: SharedSession
  private readonly password: Buffer
  private readonly prefix: string
  private buffer: Buffer = Buffer.alloc(0)
  private batch: Buffer[] = []
  private startup: StartupPacket | null = null
  private authenticated = false
  private working: Promise<void> = Promise.resolve()

  constructor(socket: Socket, session: SharedSession, password: string) {
    this.socket = socket
    this.session = session
    this.password = Buffer.from(password)
    this.prefix = `c${++connectionCount}_`
    socket.setNoDelay(true)
    socket.on('data', (data) => this.receive(data))
    socket.on('error', () => this.destroy())
    socket.on('close', () => this.destroy())
  }

  write(data: Uint8Array): void {
    // A copy: the engine reuses its buffer.
    if (!this.closed) this.socket.write(Buffer.from(data))
  }

  destroy(): void {
    if (this.closed) return
    this.closed = true
    this.socket.destroy()
    this.session.release(this)
  }

  private receive(data: Buffer): void {
    this.buffer = this.buffer.length === 0 ? data : Buffer.concat([this.buffer, data])
    if (!this.startup && !this.readStartup()) return
    const { complete, rest } = frames(this.buffer)
    this.buffer = rest
    for (const frame of complete) this.accept(frame)
  }

  private readStartup(): boolean {
    for (;;) {
      const packet = startupPacket(this.buffer)
      if (!packet) return false
      this.buffer = this.buffer.subarray(packet.bytes.length)
      if (packet.kind === 'cancel') {
        this.destroy()
        return false
      }
      if (packet.kind === 'encryption') {
        this.socket.write('N')
        continue
      }
      this.startup = packet
      this.socket.write(AUTHENTICATION_CLEARTEXT)
      return true
    }
  }

  private accept(frame: Frame): void {
    if (this.closed) return
    if (!this.authenticated) {
      const given = frame.bytes.subarray(5, -1)
      const right = frame.type === 'p' && given.length === this.password.length && timingSafeEqual(given, this.password)
      this.authenticated = right
      if (right && this.startup) this.submit(this.startup.bytes)
      else this.destroy()
      return
    }
    if (frame.type === 'X') {
      this.destroy()
      return
    }
    this.batch.push(renameStatement(frame, this.prefix))
    // Sync, simple query and function call end a unit; everything before them waits for it.
    if (frame.type === 'S' || frame.type === 'Q' || frame.type === 'F') {
      const bytes = Buffer.concat(this.batch)
      this.batch = []
      this.submit(bytes)
    }
  }

  private submit(bytes: Uint8Array): void {
    this.working = this.working.then(() => (this.closed ? undefined : this.session.run(this, new Uint8Array(bytes))))
  }
}

import { connect, type Socket } from 'node:net'

/** One HTTP answer as it came over the socket. */
export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** How one case ended. */
export interface Outcome {
  readonly answers: readonly Answer[]
  /**
   * `answered`: as many answers as were asked for. `closed`: the server ended the connection before that. `silent`: it
   * neither answered nor closed in time. `abandoned`: the case itself ended the connection.
   */
  readonly end: 'answered' | 'closed' | 'silent' | 'abandoned'
}

/** What is written to the socket, in order, each piece after a pause. */
export interface Piece {
  readonly bytes: Buffer
  readonly afterMs?: number
}

/** Bytes used and the answer at the start of `bytes`; null while it is incomplete. */
function parseAnswer(bytes: Buffer, toHead: boolean, ended: boolean): [used: number, answer: Answer] | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return null
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const status = Number(statusLine.split(' ')[1])
  const start = headEnd + 4
  const make = (end: number, body: Buffer): [number, Answer] => [end, { status, headers, body: body.toString('utf8') }]
  if (toHead || status === 204 || status === 304 || status < 200) return make(start, Buffer.alloc(0))
  const length = headers.get('content-length')
  if (length !== undefined) {
    const end = start + Number(length)
    return bytes.length >= end ? make(end, bytes.subarray(start, end)) : null
  }
  if (headers.get('transfer-encoding') === 'chunked') return parseChunks(bytes, start, make)
  return ended ? make(bytes.length, bytes.subarray(start)) : null
}

function parseChunks(
  bytes: Buffer,
  start: number,
  make: (end: number, body: Buffer) => [number, Answer],
): [number, Answer] | null {
  const chunks: Buffer[] = []
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return null
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (bytes.length < next) return null
    if (size === 0) return make(next, Buffer.concat(chunks))
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}

/** One client connection, opened again whenever the server or a case has closed it. */
export class Wire {
  readonly #port: number
  #socket: Socket | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** Writes the pieces and waits for `answers` answers; with `answers` 0 it drops the connection after the last piece. */
  async exchange(pieces: readonly Piece[], answers: number, toHead: boolean, timeoutMs: number): Promise<Outcome> {
    const socket = await this.#open()
    const got: Answer[] = []
    let pending: Buffer = Buffer.alloc(0)
    return new Promise((resolve) => {
      let over = false
      const finish = (end: Outcome['end'], keep: boolean): void => {
        if (over) return
        over = true
        clearTimeout(timer)
        socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close')
        if (!keep) this.close()
        resolve({ answers: got, end })
      }
      const timer = setTimeout(() => finish('silent', false), timeoutMs)
      const read = (ended: boolean): void => {
        for (;;) {
          const parsed = parseAnswer(pending, toHead, ended)
          if (!parsed) return
          pending = pending.subarray(parsed[0])
          if (parsed[1].status >= 200) got.push(parsed[1])
          if (answers > 0 && got.length === answers) {
            // An answer to a request that was broken in its framing, or that announces the close, ends the connection.
            const stays = parsed[1].headers.get('connection') !== 'close' && pending.length === 0 && !ended
            finish('answered', stays)
            return
          }
        }
      }
      socket.on('data', (chunk: Buffer) => {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
        read(false)
      })
      const ended = (): void => {
        read(true)
        finish('closed', false)
      }
      socket.on('end', ended)
      socket.on('close', ended)
      this.#write(socket, pieces).then(() => {
        if (answers === 0) finish('abandoned', false)
      })
    })
  }

  async #write(socket: Socket, pieces: readonly Piece[]): Promise<void> {
    for (const { bytes, afterMs } of pieces) {
      if (afterMs) await new Promise((resolve) => setTimeout(resolve, afterMs))
      if (socket.destroyed || !socket.writable) return
      socket.write(bytes)
    }
  }

  #open(): Promise<Socket> {
    const open = this.#socket
    if (open && !open.destroyed && open.writable && !open.readableEnded) return Promise.resolve(open)
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    this.#socket = socket
    return new Promise((resolve, reject) => {
      socket.once('connect', () => {
        socket.removeListener('error', reject)
        // A reset is an outcome ('close' follows), not a failure of the test.
        socket.on('error', () => {})
        resolve(socket)
      })
      socket.once('error', reject)
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }
}

// Connections that end while their clients still send: what those see of the answer, and how long they can hold on.
import { once } from 'node:events'
import { type AddressInfo, createConnection, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createHttp } from '../src/http.ts'
import { createLogger } from '../src/logger.ts'

const running: FastifyInstance[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const app of running.splice(0)) await app.close()
})

/** A service whose connections nothing ends but what is tested, and how often its route was entered. */
async function start() {
  const app = createHttp({
    service: 'test',
    logger: createLogger({ service: 'test', level: 'silent' }),
    trustProxy: false,
    bodyLimitBytes: 1_000,
    requestTimeoutMs: 600_000,
    ready: async () => true,
  })
  running.push(app)
  const spend = vi.fn(async () => ({}))
  app.post('/spend', spend)
  app.post('/refuse', { onRequest: (_request, reply) => void reply.code(401).send('refused') }, spend)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return { app, spend, port }
}

const HEAD = 'HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
const CHUNKED = `POST /spend ${HEAD}transfer-encoding: chunked\r\n\r\n`
const CHUNK = `10000\r\n${'x'.repeat(0x10000)}\r\n`

function write(socket: Socket, bytes: string): Promise<void> {
  return new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())))
}

/** Sends all of it before it reads anything, as many clients do, and then reads to the end. A reset throws. */
async function sendThenRead(port: number, bytes: string): Promise<string> {
  const socket = createConnection(port, '127.0.0.1')
    .on('error', () => {})
    .pause()
  for (let at = 0; at < bytes.length; at += CHUNK.length) await write(socket, bytes.slice(at, at + CHUNK.length))
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

/** A client that has its answer to a body that is too long, and keeps its own side open. */
async function answered(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {})
  socket.write(`${CHUNKED}${CHUNK}`)
  socket.resume()
  await once(socket, 'end')
  return socket
}

describe('a client that sends on while it is answered', () => {
  // More than the kernel holds for both sides.
  const long = 'x'.repeat(12_000_000)
  it.each([
    ['a body that is too long', `POST /spend ${HEAD}content-length: ${long.length}\r\n\r\n${long}`, 413],
    ['one without a length', `${CHUNKED}${CHUNK.repeat(183)}0\r\n\r\n`, 413],
    [
      'one that is refused unread, and wants the end',
      `POST /refuse ${HEAD}connection: close\r\ncontent-length: ${long.length}\r\n\r\n${long}`,
      401,
    ],
    ['more headers than are read', `GET /spend ${HEAD}x: ${long}\r\n\r\n`, 431],
    ['what is no HTTP', `${long}\r\n\r\n`, 400],
  ])('reads the answer to %s, and the end behind it (RFC 9112 §9.6)', async (_what, bytes, status) => {
    const { port } = await start()
    const text = await sendThenRead(port, bytes)
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*^connection: close\r$`, 'im'))
  })

  it('is cut off where there is no end of it', async () => {
    const { port } = await start()
    const socket = await answered(port)
    let sent = 0
    const sendOn = async () => {
      for (; ; sent += CHUNK.length) await write(socket, CHUNK)
    }
    await expect(sendOn()).rejects.toThrow()
    expect(sent).toBeGreaterThan(16 * 1024 * 1024)
    // What the kernel holds of it on both sides is not known to us.
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })

  it('is cut off where it takes its time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { app, port } = await start()
    const connected = once(app.server, 'connection')
    const client = await answered(port)
    const [connection]: Socket[] = await connected
    vi.advanceTimersByTime(4_999)
    expect(connection?.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(connection?.destroyed).toBe(true)
    client.destroy()
  })

  it('has no request carried out that stands behind it', async () => {
    const { port, spend } = await start()
    const socket = await answered(port)
    socket.end(`0\r\n\r\nPOST /spend ${HEAD}content-length: 2\r\n\r\n{}`)
    await once(socket, 'close')
    expect(spend).not.toHaveBeenCalled()
  })

  const BEHIND = `POST /spend ${HEAD}content-length: 2\r\n\r\n{}`
  const BODY = 'x'.repeat(2_000)
  it.each([
    ['a body that is too long', `POST /spend ${HEAD}content-length: ${BODY.length}\r\n\r\n${BODY}`, 413],
    ['one without a length', `${CHUNKED}${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`, 413],
    ['one that wants the end', `POST /refuse ${HEAD}connection: close\r\ncontent-length: 2\r\n\r\n{}`, 401],
  ])('has no request carried out that came together with %s (RFC 9112 §9.6)', async (_what, bytes, status) => {
    const { port, spend } = await start()
    const text = await sendThenRead(port, `${bytes}${BEHIND}`)
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*^connection: close\r$`, 'im'))
    expect(text.match(/HTTP/g)).toHaveLength(1)
    expect(spend).not.toHaveBeenCalled()
  })

  it('has each request answered in turn that came behind one whose connection stays', async () => {
    const { port, spend } = await start()
    const last = `POST /spend ${HEAD}connection: close\r\ncontent-length: 2\r\n\r\n{}`
    const text = await sendThenRead(port, `POST /refuse ${HEAD}content-length: 2\r\n\r\n{}${BEHIND}${BEHIND}${last}`)
    expect(text.match(/HTTP\/1\.1 \d+/g)?.map((line) => line.slice(-3))).toEqual(['401', '200', '200', '200'])
    expect(spend).toHaveBeenCalledTimes(3)
  })

  it('does not hold a service that stops', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { app, port } = await start()
    const socket = await answered(port)
    await app.close()
    socket.destroy()
  })
})

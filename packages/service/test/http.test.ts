// One small service over HTTP, and what all three apps rely on: health, logs, errors, proxies, stopping.
import { once } from 'node:events'
import { Agent, request as nodeRequest } from 'node:http'
import { type AddressInfo, createConnection, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { createHttp, type HttpOptions } from '../src/http.ts'
import { createLogger } from '../src/logger.ts'

const running: FastifyInstance[] = []
afterEach(async () => {
  for (const app of running.splice(0)) await app.close()
})

function build(options: Partial<HttpOptions> = {}) {
  const lines: string[] = []
  const logger = createLogger({ service: 'test', level: 'debug', destination: { write: (line) => lines.push(line) } })
  const app = createHttp({
    service: 'test',
    logger,
    trustProxy: false,
    bodyLimitBytes: 1_000,
    requestTimeoutMs: 10_000,
    ready: async () => true,
    ...options,
  })
  running.push(app)
  return { app, lines }
}

/** The collector of garbage, which Node hides unless it is asked for. */
function gc(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

/** A client that is told of an end by `close` alone: one in the middle of what is sent may be a reset. */
function connect(port: number): Socket {
  return createConnection(port, '127.0.0.1').on('error', () => {})
}

/** Connections that nothing but the stop itself ends, however slow the machine. */
function patient() {
  const { app } = build({ requestTimeoutMs: 600_000 })
  app.server.keepAliveTimeout = 600_000
  return { app }
}

describe('a service over HTTP', () => {
  it('answers /healthz always and /readyz by what it can do', async () => {
    let ready: () => Promise<boolean> = async () => true
    const { app } = build({ ready: () => ready() })
    expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok', service: 'test' })
    expect((await app.inject('/readyz')).statusCode).toBe(200)
    ready = async () => false
    expect((await app.inject('/readyz')).statusCode).toBe(503)
    ready = () => Promise.reject(new Error('no database'))
    expect((await app.inject('/readyz')).statusCode).toBe(503)
    ready = () => new Promise(() => {})
    expect((await app.inject('/readyz')).statusCode).toBe(503)
    expect((await app.inject('/healthz')).statusCode).toBe(200)
  })

  it('takes over a request id of safe shape and replaces any other', async () => {
    const { app } = build()
    const id = '0af7651916cd43dd8448eb211c80319c'
    expect((await app.inject({ url: '/healthz', headers: { 'x-request-id': id } })).headers['x-request-id']).toBe(id)
    for (const bad of ['37069912345', 'x'.repeat(200), 'a b', `${id}\u00e9`]) {
      const { headers } = await app.inject({ url: '/healthz', headers: { 'x-request-id': bad } })
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    }
  })

  it('logs route, status and duration, never the path, query, headers or body', async () => {
    const { app, lines } = build()
    app.post('/numbers/:number', async () => ({ ok: true }))
    const answer = await app.inject({
      method: 'POST',
      url: '/numbers/37069912345?token=canary-query',
      headers: { authorization: 'Bearer canary-header', 'user-agent': 'canary-agent' },
      payload: { text: 'canary-body' },
    })
    const line = lines.find((text) => text.includes('"msg":"request"')) ?? ''
    const requestId = answer.headers['x-request-id']
    expect(JSON.parse(line)).toMatchObject({ method: 'POST', route: '/numbers/:number', status: 200, requestId })
    expect(lines.join('')).not.toMatch(/canary|37069912345/)
  })

  it('answers and logs an unexpected error without its message', async () => {
    const { app, lines } = build()
    app.get('/boom', async () => {
      throw new Error('canary message')
    })
    const answer = await app.inject('/boom')
    expect(answer.statusCode).toBe(500)
    expect(answer.json()).toEqual({ error: 'Internal Server Error' })
    expect(lines.join('')).not.toContain('canary')
    expect(lines.join('')).toContain('request failed')
  })

  it.each([
    ['an unknown route', { url: '/nope?canary' }, 404],
    ['a broken URL', { url: '/%canary%' }, 400],
    [
      'broken JSON',
      { method: 'POST' as const, url: '/echo', headers: { 'content-type': 'application/json' }, payload: '{canary' },
      400,
    ],
    ['a body over the limit', { method: 'POST' as const, url: '/echo', payload: { canary: 'x'.repeat(2_000) } }, 413],
  ])('answers %s without repeating it', async (_name, input, status) => {
    const { app, lines } = build()
    app.post('/echo', async () => ({}))
    const answer = await app.inject(input)
    expect(answer.statusCode).toBe(status)
    expect(answer.body + lines.join('')).not.toContain('canary')
  })

  it('gives every error to the handler of its own, broken addresses too', async () => {
    const { app } = build({ errorHandler: (_error, _request, reply) => reply.code(418).send('mine') })
    app.get('/boom', async () => {
      throw new Error('no')
    })
    for (const url of ['/boom', '/%broken%']) {
      const answer = await app.inject(url)
      expect([answer.statusCode, answer.body]).toEqual([418, 'mine'])
    }
  })

  it.each([
    ['an unknown route', '/nope'],
    ['a broken URL', '/%broken%'],
    ['a URL of which a part is too long', `/part/${'x'.repeat(200)}`],
  ])('says of the answer to %s which request it was, and of what type it is', async (_name, url) => {
    const { app } = build()
    app.get('/part/:of', async () => 'never')
    const id = '0af7651916cd43dd8448eb211c80319c'
    const { statusCode, headers } = await app.inject({ url, headers: { 'x-request-id': id } })
    expect(statusCode).toBeGreaterThanOrEqual(400)
    expect([headers['x-request-id'], headers['x-content-type-options']]).toEqual([id, 'nosniff'])
  })

  it.each([
    ['a broken URL', '/%broken%', 400],
    ['a URL of which a part is too long', `/part/${'x'.repeat(200)}`, 414],
  ])('lets no cache keep the answer to %s, which may be 414 (RFC 9110 §15.5.15)', async (_name, url, status) => {
    const { app } = build()
    app.get('/part/:of', async () => 'never')
    const { statusCode, headers } = await app.inject({ url })
    expect([statusCode, headers['cache-control']]).toEqual([status, 'no-store'])
  })

  it('believes X-Forwarded-For only from as many proxies as configured', async () => {
    const ask = async (trustProxy: HttpOptions['trustProxy']) => {
      const { app } = build({ trustProxy })
      app.get('/ip', async (request) => request.ip)
      return (await app.inject({ url: '/ip', headers: { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' } })).body
    }
    expect(await ask(false)).toBe('127.0.0.1')
    expect(await ask(1)).toBe('198.51.100.7')
    expect(await ask(2)).toBe('203.0.113.9')
  })

  it.each([
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::9]:4711', '2001:db8::9'],
    ['[2001:db8::9]', '2001:db8::9'],
    ['198.51.100.7:1, 203.0.113.9:65535', '203.0.113.9'],
    ['2001:db8::9', '2001:db8::9'],
    ['2001:db8::9:4711', '2001:db8::9:4711'],
    ['203.0.113.9:', '203.0.113.9:'],
    ['203.0.113.9:4711:1', '203.0.113.9:4711:1'],
    ['203.0.113.9.1:4711', '203.0.113.9.1:4711'],
    ['unknown:4711', 'unknown:4711'],
  ])('reads X-Forwarded-For %s, with a port or without, as %s', async (forwarded, ip) => {
    const headers = { 'x-forwarded-for': forwarded }
    for (const trustProxy of [1, '127.0.0.1']) {
      const { app } = build({ trustProxy })
      app.get('/ip', async (request) => request.ip)
      expect((await app.inject({ url: '/ip', headers })).body).toBe(ip)
    }
  })

  it('looks through a proxy that writes the port of another beside its address', async () => {
    const { app } = build({ trustProxy: '127.0.0.1,198.51.100.7' })
    app.get('/ip', async (request) => request.ip)
    const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7:4711' }
    expect((await app.inject({ url: '/ip', headers })).body).toBe('203.0.113.9')
  })
})

/** Everything that is answered to these very bytes. */
async function exchange(app: FastifyInstance, bytes: string): Promise<string> {
  const socket = connect(await listen(app))
  socket.write(bytes)
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

describe('a request that asks before it sends its body', () => {
  it.each([
    ['is told to', 2, ['HTTP/1.1 100 Continue', 'HTTP/1.1 200 OK']],
    ['is refused without it where that is too long', 2_000, ['HTTP/1.1 413 Payload Too Large']],
  ])('%s', async (_what, bytes, answers) => {
    const { app } = build()
    app.post('/echo', async () => ({}))
    const socket = connect(await listen(app))
    const head = 'POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n'
    socket.write(`${head}expect: 100-continue\r\ncontent-length: ${bytes}\r\n\r\n`)
    let text = ''
    for await (const chunk of socket) {
      text += chunk
      if (text.endsWith('100 Continue\r\n\r\n')) socket.write('{}')
    }
    expect(text.match(/^HTTP\/1.1 .+$/gm)?.map((line) => line.trim())).toEqual(answers)
  })
})

describe('what is no HTTP', () => {
  it.each([
    ['a line that is no request', 'canary\r\n\r\n', '400 Bad Request'],
    ['a header without a name', 'GET /healthz HTTP/1.1\r\nhost: x\r\n: canary\r\n\r\n', '400 Bad Request'],
    ['a tunnel, which nobody opens here', 'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n', '400 Bad Request'],
    ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', '400 Bad Request'],
    [
      'more headers than are read',
      `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'canary'.repeat(5_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
    ],
  ])(
    'is refused as every error, ends the connection and is no alarm: %s (RFC 9112 §2.2)',
    async (_name, bytes, status) => {
      const { app, lines } = build()
      const [head = '', body = ''] = (await exchange(app, bytes)).split('\r\n\r\n')
      const [first, ...headers] = head.split('\r\n')
      expect(first).toBe(`HTTP/1.1 ${status}`)
      expect(headers.sort()).toEqual([
        'cache-control: no-store',
        'connection: close',
        `content-length: ${body.length}`,
        'content-type: application/json; charset=utf-8',
        'x-content-type-options: nosniff',
      ])
      expect(JSON.parse(body)).toEqual({ error: status.slice(4) })
      // But for that it listens.
      expect(lines).toHaveLength(1)
    },
  )
})

describe('what is no HTTP after a request', () => {
  /** Everything that is answered to requests, and to what comes behind them before their answers have ended. */
  async function behind(answered: 'begun' | 'not begun', requests = 1): Promise<string> {
    const { app } = build()
    let open = (): void => {}
    const passed = new Promise<void>((resolve) => {
      open = resolve
    })
    app.post('/spend', async (_request, reply) => {
      reply.hijack()
      if (answered === 'begun') reply.raw.write('begun ')
      await passed
      reply.raw.end('spent')
    })
    const socket = connect(await listen(app))
    const refused = new Promise((resolve) => app.server.on('clientError', resolve))
    socket.write('POST /spend HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'.repeat(requests))
    for (const part of ['canary\r\n\r\n', 'canary\r\n\r\n']) socket.write(part)
    await refused
    open()
    let text = ''
    for await (const chunk of socket) text += chunk
    return text
  }

  it('is not answered in its place, for it may have been carried out, and ends the connection (RFC 9112 §9.3.2)', async () => {
    const text = await behind('not begun')
    expect([text.split('\r\n')[0], /connection: close/i.test(text), text.endsWith('spent')]).toEqual([
      'HTTP/1.1 200 OK',
      true,
      true,
    ])
  })

  it('is not answered in the middle of its answer', async () => {
    const text = await behind('begun')
    expect([text.startsWith('HTTP/1.1 200'), text.endsWith('begun \r\n5\r\nspent\r\n0\r\n\r\n')]).toEqual([true, true])
  })

  it('keeps no answer back of several that are owed', async () => {
    const text = await behind('not begun', 3)
    expect(text.match(/HTTP\/1\.1 \d+|spent/g)).toEqual(Array(3).fill(['HTTP/1.1 200', 'spent']).flat())
  })

  it('keeps no answer back to an address that cannot be read', async () => {
    const { app } = build()
    let open = (): void => {}
    const passed = new Promise<void>((resolve) => {
      open = resolve
    })
    app.get('/slow', async () => {
      await passed
      return 'done'
    })
    const socket = connect(await listen(app))
    const refused = new Promise((resolve) => app.server.on('clientError', resolve))
    const requests = ['/slow', '/%zz'].map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
    socket.write(`${requests.join('')}canary\r\n\r\n`)
    await refused
    open()
    let text = ''
    for await (const chunk of socket) text += chunk
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400'])
  })

  /** A connection that asks for a tunnel behind requests whose answers of so many bytes are owed until `open`. */
  async function tunnelBehind(requests: number, size: number) {
    const { app, lines } = build()
    let open = (): void => {}
    const passed = new Promise<void>((resolve) => {
      open = resolve
    })
    let entered = 0
    app.get('/slow', async (_request, reply) => {
      entered += 1
      await passed
      return reply.send(Readable.from(Array(100).fill(Buffer.alloc(size / 100, 'x'))))
    })
    const socket = connect(await listen(app))
    socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(requests))
    socket.write('CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\ncanary')
    await expect.poll(() => entered).toBe(requests)
    return { app, lines, socket, open }
  }

  it.each([1, 3])('keeps no answer back where it asks for a tunnel, of %i that are owed', async (count) => {
    // More than a connection takes at a time.
    const size = 4_000_000
    const { socket, open } = await tunnelBehind(count, size)
    open()
    let text = ''
    for await (const chunk of socket) text += chunk
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(Array(count).fill('HTTP/1.1 200'))
    expect(text.match(/x{1000}/g)).toHaveLength((count * size) / 1000)
  })

  it('is forgotten with its client where it asks for a tunnel, and is no alarm', async () => {
    const { app, lines, socket } = await tunnelBehind(1, 100)
    socket.resetAndDestroy()
    await expect.poll(() => new Promise((resolve) => app.server.getConnections((_, left) => resolve(left)))).toBe(0)
    expect(lines).toHaveLength(1)
  })

  it('is answered where it is its own body', async () => {
    const { app } = build()
    app.post('/spend', async () => 'never')
    const head = 'POST /spend HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
    const text = await exchange(app, `${head}transfer-encoding: chunked\r\n\r\ncanary`)
    expect(text.split('\r\n')[0]).toBe('HTTP/1.1 400 Bad Request')
  })

  it('is answered no more where it is the body of a request that has its answer (RFC 9112 §9.3.2)', async () => {
    const { app } = build()
    app.post('/spend', { onRequest: (_request, reply) => void reply.code(401).send('refused') }, async () => 'never')
    const socket = connect(await listen(app))
    const head = 'POST /spend HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
    socket.write(`${head}transfer-encoding: chunked\r\n\r\n`)
    let text = ''
    for await (const chunk of socket) {
      text += chunk
      if (text.endsWith('refused')) socket.write('canary\r\n')
    }
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401'])
  })

  it.each([
    ['no more', 'canary', ['HTTP/1.1 401']],
    ['where the body was whole', '0\r\n\r\ncanary', ['HTTP/1.1 401', 'HTTP/1.1 400']],
  ])(
    'is answered %s behind a request with an expectation, which is answered as without it (RFC 9110 §10.1.1)',
    async (_, rest, answers) => {
      const { app } = build()
      app.post('/spend', { onRequest: (_request, reply) => void reply.code(401).send('refused') }, async () => 'never')
      const socket = connect(await listen(app))
      socket.write('POST /spend HTTP/1.1\r\nhost: x\r\nexpect: more\r\ntransfer-encoding: chunked\r\n\r\n')
      let text = ''
      for await (const chunk of socket) {
        if (text === '') socket.write(`${rest}\r\n\r\n`)
        text += chunk
      }
      expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(answers)
      expect(text).toMatch(/^x-request-id: /m)
    },
  )

  it('is answered after a request whose body had come late, but whole', async () => {
    const { app } = build()
    app.post('/spend', { onRequest: (_request, reply) => void reply.code(401).send('refused') }, async () => 'never')
    const socket = connect(await listen(app))
    socket.write('POST /spend HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n')
    let text = ''
    for await (const chunk of socket) {
      text += chunk
      if (text.endsWith('refused')) socket.write('{}canary\r\n\r\n')
    }
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 400'])
  })
})

describe('the Host of a request (RFC 9112 §3.2)', () => {
  async function answerTo(options: Partial<HttpOptions>, ...lines: string[]): Promise<string> {
    const { app } = build(options)
    return exchange(app, ['GET /healthz HTTP/1.1', ...lines, 'connection: close', '', ''].join('\r\n'))
  }

  async function statusOf(...lines: string[]): Promise<string | undefined> {
    return /^HTTP\/1\.1 (\d+)/.exec(await answerTo({}, ...lines))?.[1]
  }

  it('is told once', async () => {
    expect(await statusOf('host: one.example', 'hose: x')).toBe('200')
  })

  it.each([[['host: one.example', 'HOST: two.example']], [['host: one.example', 'host: one.example']], [[]]])(
    'is not told twice, nor left out: %j',
    async (lines) => {
      expect(await statusOf(...lines)).toBe('400')
    },
  )

  it.each([
    ['http://one.example/where?x', 'one.example /where?x'],
    ['HTTPS://one.example:8443/where', 'one.example:8443 /where'],
    ['/where?x=http://two.example/', 'two.example /where?x=http://two.example/'],
  ])('is the one of the target where that names one: %s (§3.2.2)', async (target, seen) => {
    const { app } = build()
    app.get('/where', async (request) => `${request.headers.host} ${request.url}`)
    const text = await exchange(app, `GET ${target} HTTP/1.1\r\nhost: two.example\r\nconnection: close\r\n\r\n`)
    expect(text.split('\r\n').at(-1)).toBe(seen)
  })

  it('is refused twice as every error of the service, and says which request that was', async () => {
    const errorHandler: HttpOptions['errorHandler'] = ({ statusCode = 500 }, _request, reply) =>
      reply.code(statusCode).send('mine')
    const answer = await answerTo({ errorHandler }, 'host: one.example', 'host: two.example')
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*\r\nx-request-id: [0-9a-f-]{36}\r\n.*\r\n\r\nmine$/s)
  })
})

describe('a client that goes before it is answered', () => {
  it.each([
    ['one request', 1],
    ['several requests in a row', 3],
  ])('leaves nothing in memory, after %s', async (_name, count) => {
    const collect = gc()
    const { app } = build()
    const held: WeakRef<object>[] = []
    let answer: () => void = () => {}
    const gone = new Promise<void>((resolve) => {
      answer = resolve
    })
    app.get('/slow', async (_request, reply) => {
      held.push(new WeakRef(reply.raw))
      await gone
      return 'late'
    })
    const socket = connect(await listen(app))
    socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(count))
    await expect.poll(() => held.length).toBe(count)
    socket.destroy()
    await expect.poll(() => new Promise((resolve) => app.server.getConnections((_, left) => resolve(left)))).toBe(0)
    answer()
    await expect
      .poll(() => {
        collect()
        return held.filter((reference) => reference.deref() !== undefined).length
      })
      .toBe(0)
  })
})

describe('a stopping service', () => {
  it('finishes the request in flight, closes idle connections before that, and is gone with it', async () => {
    const { app } = patient()
    let finish: () => void = () => {}
    const started = new Promise<void>((resolve) => {
      app.get('/slow', async () => {
        resolve()
        await new Promise<void>((done) => {
          finish = done
        })
        return 'finished'
      })
    })
    const port = await listen(app)
    const idle = connect(port)
    await new Promise<void>((resolve) => {
      idle.once('data', () => resolve())
      idle.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
    })
    const idleClosed = new Promise((resolve) => idle.once('close', resolve))
    // Keep-alive, and in flight when the close begins: the connection that used to hold the process.
    const agent = new Agent({ keepAlive: true })
    const answer = new Promise<string>((resolve, reject) => {
      nodeRequest({ port, path: '/slow', agent }, (response) => {
        response.setEncoding('utf8').on('data', resolve)
      })
        .on('error', reject)
        .end()
    })
    await started
    const closed = app.close()
    await idleClosed
    finish()
    expect(await answer).toBe('finished')
    await closed
    agent.destroy()
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow()
  })

  it('does not wait for a connection that never carried a request', async () => {
    const { app } = patient()
    const port = await listen(app)
    const spare = connect(port)
    const spareClosed = new Promise((resolve) => spare.once('close', resolve))
    await new Promise<void>((resolve) => spare.once('connect', resolve))
    await fetch(`http://127.0.0.1:${port}/healthz`, { headers: { connection: 'close' } })
    await app.close()
    await spareClosed
  })

  it('ends a connection as soon as the answer is out that had begun before, though the client would keep it', async () => {
    const { app } = patient()
    let finish: () => void = () => {}
    app.get('/begun', (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'content-length': 'finished'.length }).write('fini')
      finish = () => reply.raw.end('shed')
    })
    const socket = connect(await listen(app))
    let received = ''
    const ended = new Promise((resolve) => socket.once('close', resolve))
    await new Promise<void>((resolve) => {
      socket.setEncoding('utf8').on('data', (text) => {
        received += text
        if (received.includes('fini')) resolve()
      })
      socket.write('GET /begun HTTP/1.1\r\nhost: x\r\n\r\n')
    })
    const closed = app.close()
    // Node ends by itself what is idle when its server begins to close, and nothing after that.
    await expect.poll(() => app.server.listening).toBe(false)
    finish()
    await ended
    await closed
    expect(received).toMatch(/connection: keep-alive[\s\S]*finished$/i)
  })

  it('gives every answer that is owed on one connection, and says with the last that it ends (RFC 9112 §9.6)', async () => {
    const { app } = patient()
    const finish: (() => void)[] = []
    app.get('/under-way', async () => {
      await new Promise<void>((resolve) => finish.push(resolve))
      return 'finished'
    })
    const stopping = new Promise<void>((resolve) => app.addHook('preClose', async () => resolve()))
    const socket = connect(await listen(app))
    socket.write('GET /under-way HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2))
    await expect.poll(() => finish.length).toBe(2)
    const closed = app.close()
    await stopping
    for (const one of finish) one()
    let text = ''
    for await (const chunk of socket) text += chunk
    await closed
    expect(text.match(/HTTP\/1\.1 \d+|connection: [a-z-]+|finished/gi)).toEqual([
      'HTTP/1.1 200',
      'Connection: keep-alive',
      'finished',
      'HTTP/1.1 200',
      'Connection: close',
      'finished',
    ])
  })

  it('lets a client have all of an answer that it reads slowly', async () => {
    const { app } = patient()
    // More than a connection takes at a time.
    const size = 20_000_000
    app.get('/long', async () => 'y'.repeat(size))
    const stopping = new Promise<void>((resolve) => app.addHook('preClose', async () => resolve()))
    const socket = connect(await listen(app)).pause()
    socket.write('GET /long HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(socket, 'readable')
    const closed = app.close()
    await stopping
    await expect.poll(() => app.server.listening).toBe(false)
    let length = 0
    for await (const chunk of socket) length += chunk.length
    await closed
    expect(length).toBeGreaterThan(size)
  })

  it('tells the client of an answer still owed not to use the connection again', async () => {
    const { app } = build()
    let finish: () => void = () => {}
    const started = new Promise<void>((resolve) => {
      // A hijacked reply, as another library would answer: it never passes Fastify's own reply code.
      app.get('/hijacked', (_request, reply) => {
        reply.hijack()
        finish = () => reply.raw.end('finished')
        resolve()
      })
    })
    const stopping = new Promise<void>((resolve) => app.addHook('preClose', async () => resolve()))
    const port = await listen(app)
    const socket = connect(port)
    let received = ''
    socket.setEncoding('utf8').on('data', (text) => {
      received += text
    })
    const ended = new Promise((resolve) => socket.once('close', resolve))
    socket.write('GET /hijacked HTTP/1.1\r\nhost: x\r\n\r\n')
    await started
    const closed = app.close()
    await stopping
    finish()
    await ended
    await closed
    expect(received).toContain('finished')
    expect(received.toLowerCase()).toContain('connection: close')
  })
})

// Calls through a proxy: a real proxy and real TLS, because what they see of each other is what is promised.
import 'reflect-metadata'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import * as x509 from '@peculiar/x509'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { outboundEnv, readEnv } from '../src/env.ts'
import { createOutbound, type Outbound, type OutboundReason } from '../src/outbound.ts'

const limits = { maxBytes: 1_000, timeoutMs: 5_000 }
const HOST = 'hook.example.com'
const PUBLIC = '93.184.216.34'
const opened: (Server | Outbound)[] = []
afterEach(async () => {
  for (const item of opened.splice(0)) {
    if ('closeAllConnections' in item) item.closeAllConnections()
    await item.close()
  }
})

/** A certificate that vouches for itself, as PEM. */
async function certificate(...names: string[]): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${names[0]}`,
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value }))),
    ],
  })
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return { cert: made.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n` }
}

async function listen(server: Server): Promise<number> {
  opened.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

let own: { cert: string; key: string }
let others: { cert: string; key: string }
beforeAll(async () => {
  own = await certificate(HOST, 'localhost')
  others = await certificate('other.example.com')
})

/** A TLS server that answers with the names it was asked under. */
function target(pair: { cert: string; key: string }): Promise<number> {
  return listen(
    createTlsServer(pair, (request, response) => {
      const { servername } = request.socket as TLSSocket & { servername: string }
      response.end(JSON.stringify({ sni: servername, host: request.headers.host, path: request.url }))
    }),
  )
}

interface Proxy {
  readonly url: string
  /** What was asked for by CONNECT, in order. */
  readonly asked: string[]
  readonly headers: IncomingMessage['headers'][]
  /** Everything else that came; nothing may. */
  readonly others: string[]
}

/** A real CONNECT proxy in a network where every address leads to `port` on this machine; `refuse` tells what it will not do. */
async function proxy(port: number, refuse: (authority: string) => number | null = () => null): Promise<Proxy> {
  const seen = { asked: [] as string[], headers: [] as IncomingMessage['headers'][], others: [] as string[] }
  const server = createServer((request, response) => {
    seen.others.push(request.url ?? '')
    response.writeHead(500).end()
  })
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    const authority = request.url ?? ''
    seen.asked.push(authority)
    seen.headers.push(request.headers)
    socket.on('error', () => {})
    const status = refuse(authority)
    if (status !== null) {
      socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('close', () => onward.destroy())
  })
  return { url: `http://127.0.0.1:${await listen(server)}`, ...seen }
}

function outbound(
  through: string,
  addresses: readonly string[],
  options: { ca?: string; allowLocalhost?: boolean; connectTimeoutMs?: number } = {},
) {
  const made = createOutbound({
    allowLocalhost: false,
    proxy: through,
    ca: own.cert,
    ...options,
    lookup: async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
  })
  opened.push(made)
  return made
}

function code(promise: Promise<unknown>): Promise<OutboundReason | 'OK'> {
  return promise.then(
    () => 'OK' as const,
    (error) => error.code,
  )
}

async function json(guard: Outbound, url: string): Promise<unknown> {
  const { body } = await guard.fetch(url, {}, limits)
  return JSON.parse(Buffer.from(body).toString())
}

describe('a call through a proxy', () => {
  it('asks it for the judged address, and speaks TLS with the host itself under its name (RFC 9110 §9.3.6)', async () => {
    const through = await proxy(await target(own))
    const guard = outbound(through.url, [PUBLIC])
    expect(await json(guard, `https://${HOST}/a?b=c`)).toEqual({ sni: HOST, host: HOST, path: '/a?b=c' })
    expect(await json(guard, `https://${HOST}:8443/`)).toEqual({ sni: HOST, host: `${HOST}:8443`, path: '/' })
    expect([through.asked, through.others]).toEqual([[`${PUBLIC}:443`, `${PUBLIC}:8443`], []])
    // The proxy learns the address and nothing of the request.
    expect(through.headers.map(Object.keys)).toEqual([
      ['host', 'connection'],
      ['host', 'connection'],
    ])
  })

  it('writes an IPv6 address in brackets, and tries each judged address in turn', async () => {
    const through = await proxy(await target(own), (authority) => (authority.startsWith('[') ? 502 : null))
    const guard = outbound(through.url, ['2606:4700::1111', PUBLIC])
    expect(await json(guard, `https://${HOST}/`)).toMatchObject({ sni: HOST })
    expect(through.asked).toEqual(['[2606:4700::1111]:443', `${PUBLIC}:443`])
  })

  it('sends the credentials of its URL to the proxy alone (RFC 7617)', async () => {
    const through = await proxy(await target(own))
    await json(outbound(through.url.replace('//', '//us%20er:pa%3Ass@'), [PUBLIC]), `https://${HOST}/`)
    const expected = `Basic ${Buffer.from('us er:pa:ss').toString('base64')}`
    expect(through.headers[0]?.['proxy-authorization']).toBe(expected)
  })

  it('takes a literal address as it is', async () => {
    const through = await proxy(await target(others))
    // Nobody vouches for the address, so TLS fails, but the way was right.
    expect(await code(outbound(through.url, []).fetch(`https://${PUBLIC}/`, {}, limits))).toBe('UNREACHABLE')
    expect(through.asked).toEqual([`${PUBLIC}:443`])
  })

  it.each([['127.0.0.1'], ['10.0.0.1'], ['169.254.169.254'], ['::1'], [PUBLIC, '192.168.0.1']])(
    'is not made for a name that resolves to %s: the proxy is not even asked',
    async (...addresses) => {
      const through = await proxy(await target(own))
      const guard = outbound(through.url, addresses)
      expect(await code(guard.fetch(`https://${HOST}/`, {}, limits))).toBe('ADDRESS_REFUSED')
      expect(through.asked).toEqual([])
    },
  )

  it.each(['https://127.0.0.1/', 'https://[::1]/', 'http://example.com/', 'https://localhost/'])(
    'is not made to %s: the proxy is not even asked',
    async (url) => {
      const through = await proxy(await target(own))
      expect(await code(outbound(through.url, [PUBLIC]).fetch(url, {}, limits))).toBe('URL_REFUSED')
      expect(through.asked).toEqual([])
    },
  )

  it.each([400, 403, 405, 407, 500, 502, 503])(
    'fails when the proxy answers %s, and is not made past it: the host is not reached another way',
    async (status) => {
      let reached = 0
      const port = await target(own)
      ;(opened[opened.length - 1] as Server).on('connection', () => reached++)
      const through = await proxy(port, () => status)
      expect(await code(outbound(through.url, [PUBLIC]).fetch(`https://${HOST}/`, {}, limits))).toBe('UNREACHABLE')
      expect([through.asked, reached]).toEqual([[`${PUBLIC}:443`], 0])
    },
  )

  it('fails when there is no proxy, and when it never answers', async () => {
    const port = await listen(createServer())
    await new Promise((resolve) => (opened.pop() as Server).close(resolve))
    const gone = outbound(`http://127.0.0.1:${port}`, [PUBLIC])
    expect(await code(gone.fetch(`https://${HOST}/`, {}, limits))).toBe('UNREACHABLE')
    const silent = await listen(createServer().on('connect', () => {}))
    const waiting = outbound(`http://127.0.0.1:${silent}`, [PUBLIC], { connectTimeoutMs: 1_000 })
    expect(await code(waiting.fetch(`https://${HOST}/`, {}, { ...limits, timeoutMs: 300 }))).toBe('TIMEOUT')
  })

  it('asks a proxy that never answers for no more of a name’s many addresses once its time is over', async () => {
    const asked: string[] = []
    const server = createServer().on('connect', (request: IncomingMessage) => asked.push(request.url ?? ''))
    const addresses = Array.from({ length: 100 }, (_, at) => `93.184.216.${at}`)
    const guard = outbound(`http://127.0.0.1:${await listen(server)}`, addresses, { connectTimeoutMs: 200 })
    expect(await code(guard.fetch(`https://${HOST}/`, {}, limits))).toBe('UNREACHABLE')
    expect(asked.length).toBeLessThan(3)
  })

  it('fails when the certificate is not the host’s own, whatever the proxy let through', async () => {
    const wrongName = await proxy(await target(others))
    expect(
      await code(outbound(wrongName.url, [PUBLIC], { ca: others.cert }).fetch(`https://${HOST}/`, {}, limits)),
    ).toBe('UNREACHABLE')
    const unknownAuthority = await proxy(await target(own))
    expect(
      await code(outbound(unknownAuthority.url, [PUBLIC], { ca: others.cert }).fetch(`https://${HOST}/`, {}, limits)),
    ).toBe('UNREACHABLE')
  })

  it('keeps the bounds of every call: size and redirects', async () => {
    const huge = await listen(createTlsServer(own, (_request, response) => response.end('x'.repeat(5_000))))
    const away = await listen(
      createTlsServer(own, (_request, response) => response.writeHead(302, { location: 'https://a.example/' }).end()),
    )
    for (const [port, expected] of [
      [huge, 'TOO_LARGE'],
      [away, 'REDIRECT_REFUSED'],
    ] as const) {
      const through = await proxy(port)
      expect(await code(outbound(through.url, [PUBLIC]).fetch(`https://${HOST}/`, {}, limits))).toBe(expected)
    }
  })
})

describe('the setting OUTBOUND_PROXY', () => {
  const read = (value: string) => readEnv(z.object(outboundEnv), { OUTBOUND_PROXY: value }).OUTBOUND_PROXY

  it.each(['http://proxy:3128', 'https://proxy.example.com', 'http://user:pass@10.0.0.1:8080/', 'http://[::1]:3128'])(
    'may be %s',
    (value) => expect(read(value)).toBe(value),
  )
  it.each(['proxy:3128', 'socks5://proxy:1080', 'http://proxy/path', 'http://proxy?x', 'http://', 'on'])(
    'is refused by name when it is %s',
    (value) => expect(() => read(value)).toThrow(/OUTBOUND_PROXY: must be the http or https URL of a proxy/),
  )
  it('is unset when it is empty', () => expect(read('')).toBeUndefined())
})

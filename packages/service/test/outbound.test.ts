// Addresses and connections of others: the tables of what is private, and the ways around them.
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { isPublicAddress } from '../src/address.ts'
import { createOutbound, type Outbound, type OutboundReason } from '../src/outbound.ts'

const limits = { maxBytes: 1_000, timeoutMs: 3_000 }
const opened: (Server | Outbound)[] = []
afterEach(async () => {
  for (const item of opened.splice(0)) {
    if ('closeAllConnections' in item) item.closeAllConnections()
    await item.close()
  }
})

function outbound(
  allowLocalhost: boolean,
  lookup?: (host: string) => Promise<{ address: string; family: number }[]>,
  options: { connectTimeoutMs?: number } = {},
) {
  const made = createOutbound({ allowLocalhost, ...(lookup ? { lookup } : {}), ...options })
  opened.push(made)
  return made
}

async function server(listener: RequestListener): Promise<number> {
  const made = createServer(listener)
  opened.push(made)
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  return (made.address() as AddressInfo).port
}

function code(promise: Promise<unknown>): Promise<OutboundReason | 'OK'> {
  return promise.then(
    () => 'OK' as const,
    (error) => error.code,
  )
}

const PRIVATE = [
  '0.0.0.0',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.1.2.3',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  '2002:a00:1::1',
  '2001::1',
  '2001:db8::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  '100::1',
  '5f00::1',
  '3fff::1',
  'localhost',
  '',
  '1.2.3',
]

const PUBLIC = [
  '1.1.1.1',
  '93.184.216.34',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '2a00:1450::1',
  '2002:101:101::1',
  '64:ff9b::1.1.1.1',
  '::ffff:1.1.1.1',
]

describe('a public address', () => {
  it.each(PRIVATE)('is not %s (RFC 6890)', (address) => expect(isPublicAddress(address)).toBe(false))
  it.each(PUBLIC)('is %s', (address) => expect(isPublicAddress(address)).toBe(true))
})

describe('the URL of somebody else', () => {
  it.each([
    'https://example.com/hook',
    'https://example.com:8443/hook?x=1',
    'https://93.184.216.34/',
    'https://[2606:4700::1111]/',
  ])('may be %s', (url) => expect(outbound(false).checkUrl(url)).toBeNull())

  it.each([
    'not a url',
    '//example.com',
    'ftp://example.com',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'gopher://example.com',
    'http://example.com/',
    'http://localhost:3000/',
    'https://localhost/',
    'https://localhost./',
    'https://x.localhost/',
    'https://user@example.com/',
    'https://user:pw@example.com/',
    'https://example.com:22/',
    'https://example.com:80/',
    'https://intranet/',
    'https://db.internal/',
    'https://printer.local/',
    'https://1.0.0.127.in-addr.arpa/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://0x7f.1/',
    'https://017700000001/',
    'https://0/',
    'https://169.254.169.254/latest/meta-data/',
    'https://10.0.0.1/',
    'https://172.16.5.5/',
    'https://192.168.0.1/',
    'https://100.64.1.1/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://１２７.０.０.１/',
    'https://⑯⑨.254.169.254/',
    `https://example.com/${'a'.repeat(2_100)}`,
  ])('may not be %s', async (url) => {
    const guard = outbound(false)
    expect(guard.checkUrl(url)).toEqual(expect.any(String))
    expect(await code(guard.fetch(url, {}, limits))).toBe('URL_REFUSED')
  })

  it('may be this machine in the development setting alone', async () => {
    const port = await server((_request, response) => response.end('here'))
    const response = await outbound(true).fetch(`http://localhost:${port}/`, {}, limits)
    expect(Buffer.from(response.body).toString()).toBe('here')
    expect(await code(outbound(false).fetch(`http://localhost:${port}/`, {}, limits))).toBe('URL_REFUSED')
    expect(outbound(true).checkUrl('http://example.com/')).toBe('is not https')
    expect(outbound(true).checkUrl('https://192.168.0.1/')).toEqual(expect.any(String))
  })
})

describe('the connection', () => {
  it.each(PRIVATE.slice(0, -3))('is not made when the name resolves to %s', async (address) => {
    const guard = outbound(false, async () => [{ address, family: address.includes(':') ? 6 : 4 }])
    expect(await code(guard.fetch('https://hook.example.com/', {}, limits))).toBe('ADDRESS_REFUSED')
  })

  it('is not made when one of several addresses is not public', async () => {
    const guard = outbound(false, async () => [
      { address: '1.1.1.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ])
    expect(await code(guard.fetch('https://hook.example.com/', {}, limits))).toBe('ADDRESS_REFUSED')
  })

  it('uses the one answer that was judged, so a resolver that changes its mind gains nothing', async () => {
    let requests = 0
    const port = await server((_request, response) => {
      requests++
      response.end('ok')
    })
    let lookups = 0
    // Harmless at the first question, this machine at every later one.
    const guard = outbound(false, async () => [{ address: lookups++ === 0 ? '100.64.0.1' : '127.0.0.1', family: 4 }])
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await code(guard.fetch(`https://rebind.example.com:${port}/`, {}, limits))).toBe('ADDRESS_REFUSED')
    }
    expect(lookups).toBe(3)
    expect(requests).toBe(0)
  })

  it('does not let another name reach this machine in the development setting', async () => {
    const guard = outbound(true, async () => [{ address: '127.0.0.1', family: 4 }])
    expect(await code(guard.fetch('https://hook.example.com/', {}, limits))).toBe('ADDRESS_REFUSED')
  })

  it('does not let localhost resolve to another machine in the development setting', async () => {
    const guard = outbound(true, async () => [{ address: '10.0.0.1', family: 4 }])
    expect(await code(guard.fetch('http://localhost:9/', {}, limits))).toBe('ADDRESS_REFUSED')
  })

  it('is given up in time while the name is still being resolved', async () => {
    const guard = outbound(false, () => new Promise(() => {}), { connectTimeoutMs: 1_000 })
    expect(await code(guard.fetch('https://slow.example.com/', {}, { ...limits, timeoutMs: 300 }))).toBe('TIMEOUT')
  })

  it('tells a name that does not resolve and a port that does not answer', async () => {
    const gone = outbound(false, () => Promise.reject(new Error('ENOTFOUND')))
    expect(await code(gone.fetch('https://gone.example.com/', {}, limits))).toBe('UNREACHABLE')
    const port = await server(() => {})
    await new Promise((resolve) => (opened.pop() as Server).close(resolve))
    expect(await code(outbound(true).fetch(`http://localhost:${port}/`, {}, limits))).toBe('UNREACHABLE')
  })
})

describe('the answer', () => {
  it('is given with status, headers and body', async () => {
    const port = await server((request, response) => {
      response.writeHead(201, { 'x-method': request.method ?? '' })
      request.pipe(response)
    })
    const sent = await outbound(true).fetch(`http://localhost:${port}/`, { method: 'POST', body: 'OK?' }, limits)
    expect(sent.status).toBe(201)
    expect(sent.headers['x-method']).toBe('POST')
    expect(Buffer.from(sent.body).toString()).toBe('OK?')
  })

  it('keeps no connection open for as long as it asks for', async () => {
    let ended: Promise<string> | undefined
    const port = await server(({ socket }, response) => {
      ended = new Promise((resolve) => {
        socket.once('end', () => resolve('by us')).once('close', () => resolve('by its server'))
      })
      response.setHeader('keep-alive', 'timeout=600').end('OK')
    })
    expect((await outbound(true).fetch(`http://localhost:${port}/`, {}, limits)).status).toBe(200)
    expect(await ended).toBe('by us')
  })

  it.each([301, 302, 303, 307, 308])('is refused when it redirects (%s)', async (status) => {
    const port = await server((_request, response) =>
      response.writeHead(status, { location: 'http://127.0.0.1/' }).end(),
    )
    expect(await code(outbound(true).fetch(`http://localhost:${port}/`, {}, limits))).toBe('REDIRECT_REFUSED')
  })

  it('is cut off when it is larger than allowed, with and without a length', async () => {
    const known = await server((_request, response) => response.end('x'.repeat(5_000)))
    expect(await code(outbound(true).fetch(`http://localhost:${known}/`, {}, limits))).toBe('TOO_LARGE')
    const endless = await server((_request, response) => {
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(500), () => setImmediate(more))
      }
      more()
    })
    expect(await code(outbound(true).fetch(`http://localhost:${endless}/`, {}, limits))).toBe('TOO_LARGE')
  })

  it.each([
    ['headers', () => {}],
    ['body', (_request, response) => response.write('x')],
  ] as [string, RequestListener][])('is given up when its %s do not come in time', async (_part, listener) => {
    const port = await server(listener)
    const begun = Date.now()
    expect(await code(outbound(true).fetch(`http://localhost:${port}/`, {}, { ...limits, timeoutMs: 300 }))).toBe(
      'TIMEOUT',
    )
    expect(Date.now() - begun).toBeLessThan(20_000)
  })

  it('is read where it waits to be, though this process stood still until after its time', async () => {
    const port = await server((_request, response) => {
      // Both ends stand still together: once they go on, the end of the time and the answer come in one turn.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_100)
      response.end('OK')
    })
    const answer = outbound(true).fetch(`http://localhost:${port}/`, {}, { ...limits, timeoutMs: 1_000 })
    expect((await answer).status).toBe(200)
  })
})

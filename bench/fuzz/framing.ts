import { soundCall } from './messages.ts'
import type { Random } from './random.ts'
import { type CaseContext, type FuzzCase, headBytes, headersOf, whole } from './request.ts'

/** `bytes` in chunks of odd sizes, with chunk extensions and trailers now and then (RFC 9112 §7.1). */
function chunked(random: Random, bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = Math.min(random.pick([1, 2, 7, 16, 1000]), bytes.length - at)
    const digits = random.chance(0.5) ? size.toString(16).toUpperCase() : `000${size.toString(16)}`
    const extension = random.chance(0.1) ? ';name="value"' : ''
    parts.push(Buffer.from(`${digits}${extension}\r\n`), bytes.subarray(at, at + size), Buffer.from('\r\n'))
    at += size
  }
  parts.push(Buffer.from(random.chance(0.2) ? '0\r\nX-Trailer: 1\r\n\r\n' : '0\r\n\r\n'))
  return Buffer.concat(parts)
}

/** Requests whose HTTP framing is odd, wrong or dangerous: chunking, lengths, smuggling, methods, paths, versions. */
export function framingCase(context: CaseContext): Omit<FuzzCase, 'kind'> {
  const { random } = context
  const message = soundCall(random, context.era)
  const headers = headersOf(context, message)
  const text = JSON.stringify(message)
  const bytes = Buffer.from(text)
  const broken = { answers: 1, closes: true, mayClose: true, statuses: [400] }
  const send = (body: Buffer, line?: string) => whole(headers, body, line)

  switch (random.int(0, 13)) {
    case 0:
      headers.set('transfer-encoding', 'chunked')
      return { pieces: send(chunked(random, bytes)), answers: 1, closes: true, statuses: [200] }
    case 1:
      headers.set('transfer-encoding', 'chunked')
      return {
        ...broken,
        pieces: send(Buffer.from(`${random.pick(['zz', '-1', '0x5', ' 5', '5 '.repeat(9)])}\r\n${text}\r\n0\r\n\r\n`)),
      }
    case 2: {
      // Both framings at once: the classic of request smuggling (RFC 9112 §6.1).
      headers.set('transfer-encoding', random.pick(['chunked', 'Chunked', 'gzip, chunked']))
      headers.set('content-length', String(bytes.length))
      return { ...broken, pieces: send(chunked(random, bytes)) }
    }
    case 3:
      headers.set('transfer-encoding', random.pick(['identity', 'chunked, identity', 'xchunked', 'chunked\u000b']))
      return { ...broken, pieces: send(bytes), statuses: [400, 411, 415, 501] }
    case 4:
      headers.set('content-length', random.pick(['-1', '1e3', '0x10', '99999999999999999999', '5, 6', '+5', '']))
      return { ...broken, pieces: send(bytes), statuses: [400, 413] }
    case 5:
      // Shorter than the body: what follows is read as a next request, and is none.
      headers.set('content-length', String(Math.max(1, bytes.length - random.int(1, 20))))
      return { pieces: send(bytes), answers: 1, closes: true, statuses: [400, 401] }
    case 6: {
      const method = random.pick([
        'GET',
        'PUT',
        'PATCH',
        'DELETE',
        'OPTIONS',
        'HEAD',
        'TRACE',
        'PROPFIND',
        'CONNECT',
        'BREW',
      ])
      return {
        pieces: send(Buffer.alloc(0), `${method} ${random.pick(['/mcp', '/mcp/', '/', '*'])} HTTP/1.1`),
        answers: 1,
        toHead: method === 'HEAD',
        closes: true,
        mayClose: true,
      }
    }
    case 7: {
      const path = random.pick([
        '/mcp/',
        '//mcp',
        '/mcp%00',
        '/mcp%',
        '/MCP',
        '/mcp?access_token=x',
        '/mcp?at=x',
        '/mcp#x',
        '/%2e%2e/mcp',
        '/mcp/../mcp',
        '/.well-known/oauth-protected-resource',
        '/.well-known/oauth-protected-resource/mcp',
        '/__proto__',
        `/${'a'.repeat(9000)}`,
        'http://evil.example/mcp',
        '/\u00ff',
      ])
      return { pieces: send(bytes, `POST ${path} HTTP/1.1`), answers: 1, closes: true, mayClose: true }
    }
    case 8: {
      const version = random.pick([
        'HTTP/1.0',
        'HTTP/0.9',
        'HTTP/2.0',
        'HTTP/1.2',
        'HTTP/9.9',
        'http/1.1',
        'HTTP/1.1\t',
        '',
      ])
      return { pieces: send(bytes, `POST /mcp ${version}`), answers: 1, closes: true, mayClose: true }
    }
    case 9: {
      // A header line no parser may accept, or far too many bytes of them.
      const bad = random.pick([
        'bad header',
        ': empty',
        'x\u0000y: 1',
        `x-long: ${'a'.repeat(40_000)}`,
        'folded: 1\r\n 2',
        'x : 1',
      ])
      const head = headBytes(headers, bytes.length).toString('latin1').replace('\r\n\r\n', `\r\n${bad}\r\n\r\n`)
      return {
        ...broken,
        pieces: [{ bytes: Buffer.concat([Buffer.from(head, 'latin1'), bytes]) }],
        statuses: [400, 431],
      }
    }
    case 10: {
      const lines = Array.from({ length: random.pick([50, 500, 1500]) }, (_, n) => `x-h${n}: ${n}`).join('\r\n')
      const head = headBytes(headers, bytes.length).toString('latin1').replace('\r\n\r\n', `\r\n${lines}\r\n\r\n`)
      return {
        ...broken,
        pieces: [{ bytes: Buffer.concat([Buffer.from(head, 'latin1'), bytes]) }],
        statuses: [200, 400, 431],
      }
    }
    case 11: {
      headers.set('expect', random.pick(['100-continue', '200-ok', '']))
      return { pieces: send(bytes), answers: 1, closes: true, statuses: [200, 417] }
    }
    case 12: {
      headers.set(
        'connection',
        random.pick(['close', 'upgrade', 'keep-alive, authorization', 'Upgrade, HTTP2-Settings']),
      )
      headers.set('upgrade', random.pick(['websocket', 'h2c', 'x']))
      return { pieces: send(bytes), answers: 1, closes: true, statuses: [200, 400, 401] }
    }
    default: {
      const junk = Buffer.from(Array.from({ length: random.int(1, 300) }, () => random.int(0, 255)))
      return { ...broken, pieces: [{ bytes: Buffer.concat([junk, Buffer.from('\r\n\r\n')]) }], statuses: [400, 431] }
    }
  }
}

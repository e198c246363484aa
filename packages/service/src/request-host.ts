import type { IncomingMessage } from 'node:http'
import { standsTwice } from './header-lines.ts'

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i

/**
 * Takes the host from a target in absolute form, whatever `Host` says, and leaves the target as any other
 * (RFC 9112 §3.2.2).
 */
export function toOriginForm(request: IncomingMessage): void {
  const { url = '' } = request
  if (url.startsWith('/')) return
  const [, host, path = ''] = ABSOLUTE_FORM.exec(url) ?? []
  if (host === undefined) return
  request.headers.host = host
  request.url = path.startsWith('/') ? path : `/${path}`
}

/** A request that whoever stands before us may have passed on by the other of its hosts (RFC 9112 §3.2). Answered with 400. */
export class HostNamedTwice extends Error {
  override readonly name = 'HostNamedTwice'
  readonly statusCode = 400
}

/** True for a request with more than one `Host`, the same one too. */
export function namesHostTwice({ rawHeaders }: IncomingMessage): boolean {
  return standsTwice(rawHeaders, 'host')
}

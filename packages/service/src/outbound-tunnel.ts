import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import type { Socket } from 'node:net'

/** Where a tunnel leads: an address that was judged, never a name. */
export interface TunnelTarget {
  readonly address: string
  readonly family: number
  readonly port: number
}

/**
 * Opens a connection to an address through an HTTP proxy by CONNECT (RFC 9110 §9.3.6). Credentials in the proxy's URL
 * are sent as Basic (RFC 7617). Rejects when the proxy cannot be reached in time or answers anything but success; a
 * proxy that only takes names is no exception, because then it, not we, would decide whom a name means.
 */
export function openTunnel(proxy: URL, target: TunnelTarget, timeoutMs: number): Promise<Socket> {
  const secure = proxy.protocol === 'https:'
  const authority = `${target.family === 6 ? `[${target.address}]` : target.address}:${target.port}`
  return new Promise((resolve, reject) => {
    const request = (secure ? secureRequest : plainRequest)({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (secure ? 443 : 80),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...credentials(proxy) },
      agent: false,
      timeout: timeoutMs,
    })
    request.once('timeout', () => request.destroy(new Error('the proxy did not answer in time')))
    request.once('error', reject)
    request.once('connect', ({ statusCode = 0 }, socket, head) => {
      socket.setTimeout(0)
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy()
        reject(new Error('the proxy refused'))
        return
      }
      if (head.length > 0) socket.unshift(head)
      resolve(socket as Socket)
    })
    request.end()
  })
}

function credentials({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {}
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(plain).toString('base64')}` }
}

import { isIP } from 'node:net'
import { getDomain } from 'tldts'
import { appOfScheme } from '../authorization/clients/redirect-uris.ts'
import type { AskerView } from '../views/pages.ts'

/** The part of a host that somebody registered and answers for; the host itself where it has none, as an address has. */
export function registrableDomain(host: string): string {
  const name = host.replace(/:\d+$/, '')
  if (isIP(name.replace(/^\[|\]$/g, ''))) return name
  // Sites of a shared domain (`user.github.io`) belong to different people: the private part of the list counts.
  return getDomain(name, { allowPrivateDomains: true }) ?? name
}

/** Who asks, by the `redirectHost` of the request: nothing in it is what the client says of itself. */
export function askerOf({ redirectHost, isLocalApp }: { redirectHost: string; isLocalApp: boolean }): AskerView {
  if (!isLocalApp) return { kind: 'web', title: registrableDomain(redirectHost), place: redirectHost }
  if (!redirectHost.endsWith(':')) return { kind: 'local', title: 'An app on this computer', place: redirectHost }
  const app = appOfScheme(redirectHost.slice(0, -1))
  return { kind: 'link', title: app ? `The ${app} app's own link` : "An app's own link", place: redirectHost }
}

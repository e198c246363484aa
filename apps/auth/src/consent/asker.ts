import { isIP } from 'node:net'
import { getDomain } from 'tldts'
import { appOfScheme } from '../authorization/clients/redirect-uris.ts'
import type { AskerView } from '../views/pages.ts'
import type { Words } from '../words/words.ts'

/** The part of a host that somebody registered and answers for; the host itself where it has none, as an address has. */
export function registrableDomain(host: string): string {
  const name = host.replace(/:\d+$/, '')
  if (isIP(name.replace(/^\[|\]$/g, ''))) return name
  // Sites of a shared domain (`user.github.io`) belong to different people: the private part of the list counts.
  return getDomain(name, { allowPrivateDomains: true }) ?? name
}

/** Who asks, by the `redirectHost` of the request: nothing in it is what the client says of itself. */
export function askerOf(
  { redirectHost, isLocalApp }: { redirectHost: string; isLocalApp: boolean },
  t: Words,
): AskerView {
  if (!isLocalApp) return { kind: 'web', title: registrableDomain(redirectHost), place: redirectHost }
  if (!redirectHost.endsWith(':')) return { kind: 'local', title: t.consent.asker.local, place: redirectHost }
  const app = appOfScheme(redirectHost.slice(0, -1))
  return { kind: 'link', title: app ? t.consent.asker.link(app) : t.consent.asker.unknownLink, place: redirectHost }
}

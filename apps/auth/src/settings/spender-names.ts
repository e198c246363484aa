import { isLocalAddress } from '@vertexsms/contract/connect'
import type { NamedSpender } from '../connections/names.ts'
import { ACCOUNT_PATH, pathOf } from '../connections/spender-paths.ts'
import type { SpenderName } from '../views/pages.ts'

const GONE: SpenderName = { kind: 'gone', place: '', name: '', href: null }

/** The account, among what is said of its connections and tokens. */
export const WHOLE_ACCOUNT: SpenderName = { kind: 'account', place: '', name: '', href: ACCOUNT_PATH }

/** How a page calls a spender: by the place that its answers go to, then by the name that it gave itself. */
export function nameView(named: NamedSpender | undefined | null): SpenderName {
  if (!named) return GONE
  const { name, redirectHost: place } = named
  return { kind: kindOf(place), place: place ?? '', name, href: pathOf(named) }
}

function kindOf(place: string | null): SpenderName['kind'] {
  if (place === null) return 'token'
  if (place.endsWith(':')) return 'link'
  return isLocalAddress(`https://${place}`) ? 'local' : 'web'
}

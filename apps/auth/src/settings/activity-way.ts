import type { ActivityKey } from '../connections/activity.ts'
import type { WayView } from '../views/frame.ts'

// The activity grows while it is looked at: a page of it is named by the row beside it, not by its number.

const BEFORE = 'before'
const AFTER = 'after'

/** The row before or after which a page was asked for; neither of an address that names none, or none that could be. */
export function activityKeys(query: unknown): { readonly before?: ActivityKey; readonly after?: ActivityKey } {
  const sent = (query ?? {}) as Record<string, unknown>
  const before = readKey(sent[BEFORE])
  const after = readKey(sent[AFTER])
  return before ? { before } : after ? { after } : {}
}

/** The links to the pages around one; null where it is the only one. */
export function activityWay(
  page: { readonly rows: readonly ActivityKey[]; readonly hasOlder: boolean; readonly hasNewer: boolean },
  path: string,
): WayView | null {
  const href = (name: string, key: ActivityKey | undefined) =>
    key ? `${path}?${name}=${key.at.getTime()}-${key.id}#activity` : null
  const previous = page.hasNewer ? href(AFTER, page.rows[0]) : null
  const next = page.hasOlder ? href(BEFORE, page.rows.at(-1)) : null
  return previous === null && next === null ? null : { previous, next }
}

function readKey(text: unknown): ActivityKey | null {
  const [, at, id] = typeof text === 'string' ? (/^(\d{1,13})-(\d{1,18})$/.exec(text) ?? []) : []
  return at !== undefined && id !== undefined ? { at: new Date(Number(at)), id: BigInt(id) } : null
}

import type { PagerView } from '../views/pages.ts'

/** Rows of one list on one page. */
export const PAGE_ROWS = 20

/** One page of a list of `rows`: what to skip, and the links around it. A page beyond the last is the last. */
export function pageOf(
  rows: number,
  { path, query, name }: { readonly path: string; readonly query: unknown; readonly name: string },
): { readonly skip: number; readonly pager: PagerView | null } {
  const sent = (query ?? {}) as Record<string, unknown>
  const pages = Math.max(1, Math.ceil(rows / PAGE_ROWS))
  const asked = /^\d{1,6}$/.test(String(sent[name])) ? Number(sent[name]) : 1
  const page = Math.min(Math.max(1, asked), pages)
  const href = (to: number) => (to >= 1 && to <= pages ? `${path}?${name}=${to}#${name}` : null)
  const pager = pages === 1 ? null : { page, pages, rows, previous: href(page - 1), next: href(page + 1) }
  return { skip: (page - 1) * PAGE_ROWS, pager }
}

import type { PagerView } from '../views/frame.ts'

/** Rows of one list on one page. */
export const PAGE_ROWS = 20

/** A list that comes in pages: where it is shown, what was asked, and the name of its parameter. */
interface Paged {
  readonly path: string
  readonly query: unknown
  readonly name: string
  /** Rows on a page; {@link PAGE_ROWS} where it is left out. */
  readonly size?: number
  /** What else the links ask for. */
  readonly keep?: Readonly<Record<string, string>>
}

/** One page of a list of `rows`: what to skip, and the links around it. A page beyond the last is the last. */
export function pageOf(
  rows: number,
  { path, query, name, size = PAGE_ROWS, keep = {} }: Paged,
): { readonly skip: number; readonly pager: PagerView | null } {
  const sent = (query ?? {}) as Record<string, unknown>
  const pages = Math.max(1, Math.ceil(rows / size))
  const asked = /^\d{1,6}$/.test(String(sent[name])) ? Number(sent[name]) : 1
  const page = Math.min(Math.max(1, asked), pages)
  const href = (to: number) =>
    to >= 1 && to <= pages ? `${path}?${new URLSearchParams({ ...keep, [name]: String(to) })}#${name}` : null
  const pager = pages === 1 ? null : { page, pages, rows, previous: href(page - 1), next: href(page + 1) }
  return { skip: (page - 1) * size, pager }
}

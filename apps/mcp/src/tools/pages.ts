import { PAGE_SIZE } from '@vertexsms/contract/rest'

/** The last page anyone may ask for. */
export const PAGE_MAX = 10_000

/** The page after this one; null after a page that was not full. */
export function nextPage(page: number, rows: number): number | null {
  return rows === PAGE_SIZE && page < PAGE_MAX ? page + 1 : null
}

const LINES_MAX = 20

/** A short text for a long list: a heading, the first rows, and how to get the rest. */
export function lines(heading: string, rows: readonly string[], next: number | null = null): string {
  const shown = rows.slice(0, LINES_MAX)
  const hidden = rows.length - shown.length
  return [
    `${heading}${rows.length === 0 ? '.' : ':'}`,
    ...shown,
    ...(hidden > 0 ? [`... and ${hidden} more rows in the structured result.`] : []),
    ...(next === null ? [] : [`Next page: ${next}.`]),
  ].join('\n')
}

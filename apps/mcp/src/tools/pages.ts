import { PAGE_SIZE } from '@vertexsms/contract/rest'
import { type RouteAnswer, RouteRefusal } from '../api/judge.ts'
import { READ_TIMEOUT_MS } from '../api/timeouts.ts'
import { ToolFailure } from '../protocol/failure.ts'
import { refusalFailure, type ToolContext } from './define-tool.ts'

/** The last page anyone may ask for. */
export const PAGE_MAX = 10_000

/** The answer of a list about one country. Throws {@link ToolFailure} for a refusal, which names a country without networks. */
export async function readCountry(context: ToolContext, path: string): Promise<RouteAnswer> {
  try {
    return await context.call({ method: 'GET', path, timeoutMs: READ_TIMEOUT_MS, effect: false })
  } catch (error) {
    if (!(error instanceof RouteRefusal)) throw error
    throw refusalFailure(error, {
      NOT_FOUND: new ToolFailure('NOT_FOUND', 'No mobile networks are known of this country.'),
    })
  }
}

/** The page after this one; null after a page that was not full. */
export function nextPage(page: number, rows: number): number | null {
  return rows === PAGE_SIZE && page < PAGE_MAX ? page + 1 : null
}

/** Above a page, a list of numbers and the rates of any country: a client may show its model the text alone. */
const LINES_MAX = 200

/** A list as text: a heading, the rows, and how to get the rest. */
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

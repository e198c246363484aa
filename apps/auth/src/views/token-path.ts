import { spenderPath } from '@vertexsms/contract/page-paths'

/** What is below the page of a token. */
type TokenPage = 'edit' | 'replace' | 'value' | 'delete'

/** The address of the page of a token, or of one below it; with the name of a parameter for the `id`, that of its route. */
export function tokenPath(id: string, page?: TokenPage): string {
  const path = spenderPath({ kind: 'token', id })
  return page === undefined ? path : `${path}/${page}`
}

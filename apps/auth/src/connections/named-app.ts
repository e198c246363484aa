import { documentHostOf } from './client-places.ts'

/** What an owner knows an app by. */
export interface NamedApp {
  /** What it calls itself; empty where it gives no name. */
  readonly name: string
  /** Where its answers go: a host with its port, or a scheme with its colon. */
  readonly redirectHost: string
  /** Where its metadata document is; null for one that registered itself. */
  readonly documentHost: string | null
}

/** The app of a row of `connection`. */
export function appNamed(row: {
  readonly clientId: string
  readonly clientName: string
  readonly redirectHost: string
}): NamedApp {
  return { name: row.clientName, redirectHost: row.redirectHost, documentHost: documentHostOf(row.clientId) }
}

/** What {@link appNamed} reads of a row. */
export const NAMED_BY = { clientId: true, clientName: true, redirectHost: true } as const

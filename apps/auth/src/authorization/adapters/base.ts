import type { Database } from '@vertexsms/db/client'
import type { Adapter, KoaContextWithOIDC } from 'oidc-provider'
import { Provider } from 'oidc-provider'
import type { ClientDocuments } from '../clients/document-store.ts'
import type { RegisteredClients } from '../clients/registered-clients.ts'
import type { Resources } from '../request/parameters.ts'
import type { Reuse } from '../tokens/refresh-overlap.ts'
import type { UnitOfWork } from '../tokens/unit-of-work.ts'

/** What the adapters need. */
export interface AdapterDeps {
  readonly db: Database
  readonly operatorKey: Uint8Array
  readonly clients: RegisteredClients
  /** Null when metadata documents are switched off: clients then register. */
  readonly documents: ClientDocuments | null
  readonly resources: Resources
  readonly allowLocalhost: boolean
  /** Told of refresh tokens and codes that came a second time; the arguments are safe to log. */
  readonly onReuse: (reuse: Reuse) => void
}

/** A method that has nothing to do. */
export async function nothing(): Promise<undefined> {}

/** Every method refuses: a feature that would need it is off, and must not start storing things unnoticed. */
export function unused(model: string): Adapter {
  const refuse = async (): Promise<never> => {
    throw new Error(`${model} is not stored`)
  }
  return {
    upsert: refuse,
    find: refuse,
    findByUserCode: refuse,
    findByUid: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
  }
}

/** The unit of work of the token request being handled; undefined on every other route. */
export function currentWork(): UnitOfWork | undefined {
  return (Provider.ctx as KoaContextWithOIDC | undefined)?.state?.work as UnitOfWork | undefined
}

/**
 * Runs a read; a database failure during a token request is remembered, so that the answer can be 503. `isAnswer` knows
 * the errors that are no failures of the database.
 */
export async function reading<T>(read: () => Promise<T>, isAnswer?: (error: unknown) => boolean): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const work = currentWork()
    if (work && !isAnswer?.(error)) work.storageFailed = true
    throw error
  }
}

/** Everything the library stores with us ends some time; in seconds. */
export function lifetime(expiresIn: number | undefined): number {
  if (expiresIn === undefined) throw new Error('an artifact without a lifetime')
  return Math.floor(expiresIn)
}

/** Whole seconds since the epoch, as payloads count time. */
export function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}

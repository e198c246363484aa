import type { Database } from '@vertexsms/db/client'
import type { NewId } from '../ids.ts'

/** How fast the simulated network is. */
export interface SandboxTimes {
  /** From sending to the delivery report. */
  readonly deliveryMs: number
  /** From an HLR request to its result. */
  readonly hlrMs: number
  /** From registering a name to the end of its review. */
  readonly reviewMs: number
}

/** What the sandbox works with. */
export interface SandboxOptions {
  readonly db: Database
  readonly times: SandboxTimes
  /** 32 bytes; PINs are kept as a keyed hash under it. */
  readonly pinKey: Uint8Array
  /** The URL as it is kept. Throws URL_NOT_ALLOWED for a callback URL that must not be called. */
  readonly checkCallbackUrl: (url: string | undefined, field: string) => string | undefined
  /** New ids; random when absent. */
  readonly newIds?: { readonly sms: NewId; readonly number: NewId }
  /** Tells the job that lets time pass when something becomes due. */
  readonly wakeIn: (ms: number) => void
}

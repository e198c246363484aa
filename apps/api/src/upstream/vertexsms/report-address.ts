import { timingSafeEqual } from 'node:crypto'
import { mac } from '@vertexsms/secrets/mac'

/** What comes back to us. */
const REPORT_KINDS = ['sms', 'hlr', 'sender'] as const
/** One of them. */
export type ReportKind = (typeof REPORT_KINDS)[number]

/** True for a kind of report. */
export function isReportKind(text: string): text is ReportKind {
  return (REPORT_KINDS as readonly string[]).includes(text)
}

/** The first part of the path of all of them. */
export const REPORT_PREFIX = '/reports'

/** 128 bits: nobody guesses one, and the address stays short. */
const MAC_BYTES = 16

/** Signed addresses: each takes what is told of one thing of ours, and of nothing else. */
export interface ReportAddresses {
  /** Null where this installation has no public address. */
  of(kind: ReportKind, id: bigint): string | null
  /** Whether an address that was called is one of ours; takes the same time whatever is wrong with it. */
  isOurs(kind: ReportKind, id: bigint, told: string): boolean
}

/** Addresses below a public one of this API, under the key `report-address`. */
export function createReportAddresses(key: Uint8Array, publicUrl: string | undefined): ReportAddresses {
  const macOf = (kind: ReportKind, id: bigint) => mac(key, JSON.stringify([kind, String(id)])).subarray(0, MAC_BYTES)
  return {
    of: (kind, id) =>
      publicUrl === undefined
        ? null
        : `${publicUrl}${REPORT_PREFIX}/${kind}/${id}/${macOf(kind, id).toString('base64url')}`,
    isOurs(kind, id, told) {
      const given = Buffer.from(told, 'base64url')
      return given.length === MAC_BYTES && timingSafeEqual(given, macOf(kind, id))
    },
  }
}

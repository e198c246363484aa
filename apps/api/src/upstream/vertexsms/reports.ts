// What the real operator posts to us, read into what our side knows. Null for what makes no sense.
import type { DeliveryReport, LookupReport } from '../upstream.ts'
import { deliveryReportSchema, lookupResultSchema, senderReportSchema } from './wire.ts'

/** A delivery report about a message of ours. */
export function readDeliveryReport(messageId: bigint, body: unknown): DeliveryReport | null {
  const read = deliveryReportSchema.safeParse(body)
  if (!read.success) return null
  const { status, error, mcc, mnc } = read.data
  return { messageId, status, error: error ?? 0, mcc: mcc || null, mnc: mnc || null }
}

/** The result of a lookup of ours. */
export function readLookupReport(messageId: bigint, body: unknown): LookupReport | null {
  const read = lookupResultSchema.safeParse(body)
  if (!read.success) return null
  const { error, imsi, country, operatorId, operator, mcc, mnc, ported } = read.data
  return {
    messageId,
    result: {
      error: String(error),
      imsi: imsi || null,
      country: country || null,
      operatorId: operatorId ?? null,
      operator: operator || null,
      mcc: mcc || null,
      mnc: mnc || null,
      ported: (ported ?? []).map((one) => ({
        operatorId: one.operatorId,
        operator: one.operator ?? '',
        country: one.country ?? '',
      })),
    },
  }
}

/** How the review of a sender name ended. */
export function readSenderReport(body: unknown): 'confirmed' | 'rejected' | null {
  const read = senderReportSchema.safeParse(body)
  return read.success ? read.data.status : null
}

// What the real operator tells us, under addresses that only we can make. They are open to everybody, and judged before a
// body is read: one that is not ours is no address.
import { normalizeAddress } from '@vertexsms/contract/ip-allow-list'
import { readJson } from '@vertexsms/service/json'
import type { FastifyInstance } from 'fastify'
import { isAddressAllowed } from '../guard/address.ts'
import { ApiError } from '../http/api-error.ts'
import { toApiError, unavailable } from '../http/error-answers.ts'
import { ReportTooEarly } from '../sending/reports.ts'
import type { ReportDoor } from '../upstream/upstream.ts'
import {
  isReportKind,
  REPORT_PREFIX,
  type ReportAddresses,
  type ReportKind,
} from '../upstream/vertexsms/report-address.ts'
import { readDeliveryReport, readLookupReport, readSenderReport } from '../upstream/vertexsms/reports.ts'

/** A lookup's result is the longest of them. */
const BODY_LIMIT_BYTES = 16 * 1024

/** What the operator takes as the sign that a report has come; anything else lets it come again. */
const TAKEN = 'OK'

/** Where reports are taken. */
export interface ReportRouteOptions {
  readonly addresses: ReportAddresses
  readonly door: ReportDoor
  /** Takes the end of a name's review, once. */
  readonly reviewed: (senderId: bigint, status: 'confirmed' | 'rejected') => Promise<void>
  /** Addresses and blocks that reports come from; null for any. */
  readonly sources: readonly string[] | null
}

interface Params {
  readonly kind: string
  readonly id: string
  readonly mac: string
}

/**
 * `POST /reports/{kind}/{id}/{mac}`: answers `OK` once everything is written, also for what is gone, and for a report that
 * came before. Throws NOT_FOUND for an address that is not ours or a caller from elsewhere, INVALID_INPUT, TOO_LARGE
 * or UNSUPPORTED_MEDIA_TYPE for a report that makes no sense, which the log tells, UNAVAILABLE for one that must come again.
 */
export function reportRoutes(app: FastifyInstance, { addresses, door, reviewed, sources }: ReportRouteOptions): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, readJson(body as Buffer, { uniqueNames: true }))
    } catch {
      done(new ApiError('INVALID_INPUT'))
    }
  })

  app.addHook<{ Params: Params }>('onRequest', async ({ params: { kind, id, mac }, ip }) => {
    const isKnown = isReportKind(kind) && /^[1-9]\d{0,17}$/.test(id) && addresses.isOurs(kind, BigInt(id), mac)
    if (!isKnown || !isAddressAllowed(sources ?? [], normalizeAddress(ip))) throw new ApiError('NOT_FOUND')
  })

  // Whether its body cannot be read or says nothing: whoever it came from knew its address.
  app.addHook<{ Params: Params }>('onError', async ({ params: { kind }, log }, _reply, error) => {
    const { status } = toApiError(error)
    if (status < 500 && status !== 404) log.warn({ event: kind }, 'report makes no sense')
  })

  app.post<{ Params: Params }>(
    `${REPORT_PREFIX}/:kind/:id/:mac`,
    { bodyLimit: BODY_LIMIT_BYTES },
    async ({ params: { kind, id }, body }, reply) => {
      const take = reader(kind as ReportKind, BigInt(id), body)
      if (take === null) throw new ApiError('INVALID_INPUT')
      await take().catch((error: unknown) => {
        throw error instanceof ReportTooEarly ? unavailable() : error
      })
      return reply.type('text/plain; charset=utf-8').send(TAKEN)
    },
  )

  function reader(kind: ReportKind, id: bigint, body: unknown): (() => Promise<void>) | null {
    switch (kind) {
      case 'sms': {
        const report = readDeliveryReport(id, body)
        return report && (() => door.delivery(report))
      }
      case 'hlr': {
        const report = readLookupReport(id, body)
        return report && (() => door.lookup(report))
      }
      case 'sender': {
        const status = readSenderReport(body)
        return status && (() => reviewed(id, status))
      }
    }
  }
}

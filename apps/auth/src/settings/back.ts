import type { FastifyRequest } from 'fastify'
import type { SpenderNotice } from '../views/spender.ts'
import { HOME_PATH, sentFrom } from '../web/return-to.ts'

/** The page that a form was sent from, where it says which of ours that is; else `otherwise`. It leads there again. */
export function backFrom(request: FastifyRequest, otherwise: string = HOME_PATH): string {
  return sentFrom(request) ?? otherwise
}

/** A page with what it says of the change. */
export function withNotice(page: string, notice: string): string {
  return `${page}?done=${notice}`
}

const NOTICES = {
  limits: true,
  pause: true,
  resume: true,
  ended: true,
  cancelled: true,
  too_late: true,
  unreachable: true,
  sent: true,
  not_sent: true,
  settled: true,
} as const satisfies Record<SpenderNotice, true>

/**
 * What a page is asked to say of a change; null for nothing, and for what it does not know. Of a pause, and of the end of
 * one, only where it `isPaused` or not: the page may be loaded again when that is over, and a link can ask for it as well.
 */
export function noticeOf(request: FastifyRequest, isPaused: boolean): SpenderNotice | null {
  const { done } = request.query as { done?: unknown }
  const isUntrue = isPaused ? done === 'resume' : done === 'pause'
  return typeof done === 'string' && Object.hasOwn(NOTICES, done) && !isUntrue ? (done as SpenderNotice) : null
}

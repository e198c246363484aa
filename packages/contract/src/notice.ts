// What an account's owner is told by mail: the API and auth write it, auth sends it.
import { z } from 'zod'

/** Kinds of notices, as the column has them; each can be switched off. */
export const NOTICE_KINDS = ['new_connection', 'first_send', 'limit_near', 'auto_pause'] as const
export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** From which part of a limit on its owner is told, in fifths. */
export const LIMIT_NEAR_FIFTHS = 4

/** Limits that a notice may be about. */
export const NEAR_LIMITS = ['day', 'total', 'recipients'] as const

/** What a notice of each kind says besides whose it is; integers as text, money in micro-EUR. */
export const noticeDetails = {
  new_connection: z.object({}),
  first_send: z.object({}),
  limit_near: z.object({
    upstream: z.string(),
    limit: z.enum(NEAR_LIMITS),
    max: z.string().regex(/^\d{1,18}$/),
    used: z.string().regex(/^\d{1,18}$/),
  }),
  auto_pause: z.object({ rule: z.string() }),
} as const

// What an account's owner is told by mail: the API and auth write it, auth sends it.
import { z } from 'zod'

/** Kinds of notices that can be switched off, as the column has them. */
export const MUTABLE_NOTICES = ['new_connection', 'first_send', 'limit_near', 'auto_pause'] as const
export type MutableNotice = (typeof MUTABLE_NOTICES)[number]
/** All of them: nobody can keep from an owner that the password was changed. */
export type NoticeKind = MutableNotice | 'password_changed'

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
  password_changed: z.object({}),
} as const

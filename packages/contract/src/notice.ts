// What an account's owner is told by mail: the API and auth write it, auth sends it.
import * as z from 'zod'

/** Kinds of notices that can be switched off, as the column has them. */
export const MUTABLE_NOTICES = ['new_connection', 'first_send', 'limit_near', 'auto_pause'] as const
export type MutableNotice = (typeof MUTABLE_NOTICES)[number]
/** What nobody can keep from an owner: how one gets into the account has changed. */
export type WayInNotice = 'password_changed' | 'passkey_added' | 'passkey_removed'
export type NoticeKind = MutableNotice | WayInNotice

/** True for a kind that can be switched off. */
export function isMutableNotice(kind: NoticeKind): kind is MutableNotice {
  return (MUTABLE_NOTICES as readonly NoticeKind[]).includes(kind)
}

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
  passkey_added: z.object({}),
  passkey_removed: z.object({}),
} as const

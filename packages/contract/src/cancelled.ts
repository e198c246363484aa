// What `apps/api` writes in `send_message.failure_reason` and `apps/auth` tells the owner: one list for both.

/**
 * Why a message that waited was cancelled: somebody took it back or what it was to be sent by ended, its app may not send
 * any more, or the account's token at VertexSMS, or the upstream, is another than it was accepted for.
 */
export const CANCELLED = ['cancelled', 'scope_lost', 'account_changed'] as const
export type Cancelled = (typeof CANCELLED)[number]

/** The word in `approval.reason` of one that was closed before its time because it was asked for another account there. */
export const ACCOUNT_CHANGED: Cancelled = 'account_changed'

import * as z from 'zod'

const MAX_SENT_CHARS = 1000

/** An email address as accounts are found by: trimmed, lower case, at most 254 characters (RFC 5321 §4.5.3.1). */
export const emailSchema = z.string().max(MAX_SENT_CHARS).pipe(z.string().trim().toLowerCase().max(254)).pipe(z.email())

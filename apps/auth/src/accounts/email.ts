import { z } from 'zod'

/** An e-mail address as accounts are found by: trimmed, lower case, at most 254 characters (RFC 5321 §4.5.3.1). */
export const emailSchema = z.string().trim().toLowerCase().max(254).pipe(z.email())

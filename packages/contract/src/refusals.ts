import { SCHEDULE_MAX_DAYS, SENDER_NAME_LENGTH } from './rest.ts'

/** One mistake in a request that only the API can find. */
export interface RefusalReason {
  /** The member of the request that is at fault; null for the number of whatever request it is. */
  readonly field: string | null
  /** What is wrong and how to mend it, without the subject; it follows the field's name, at REST and through MCP alike. */
  readonly fix: string
}

/**
 * The mistakes that the API finds in a request which is well-formed. It names one in `details.reason`, so that every
 * client can say in its own words which it is; the words here are the ones that REST and the MCP server use.
 */
export const REFUSAL_REASONS = {
  not_mobile: { field: null, fix: 'is no mobile number. Check the digits; messages and lookups need a mobile number.' },
  not_in_plans: {
    field: null,
    fix: 'is not a number that the numbering plans know. Check the digits, and write it in international form with a leading +.',
  },
  sender_not_confirmed: {
    field: 'from',
    fix: 'is not registered and confirmed on the account. Register it first, or use a sender that is.',
  },
  sender_name_not_taken: {
    field: 'from',
    fix: 'is a name, and the networks of this country take only numbers as senders. Use a number that is confirmed on the account.',
  },
  message_blank: { field: 'message', fix: 'holds nothing that can be read. Write a text.' },
  message_too_long: { field: 'message', fix: 'is too long for one message, even in parts. Shorten it.' },
  message_not_in_coding: {
    field: 'message',
    fix: 'has characters that the named coding cannot carry. Leave coding out, or remove those characters.',
  },
  message_not_in_one_part: {
    field: 'message',
    fix: 'is too long for one part, and a message that names coding or udh is not split. Leave them out, or shorten the text.',
  },
  udh_without_coding: { field: 'udh', fix: 'needs coding beside it: 0 for GSM-7, 1 for 8-bit, 2 for UCS-2.' },
  scheduled_in_the_past: {
    field: 'scheduled',
    fix: 'lies in the past. Name a later time, or leave it out to send now.',
  },
  scheduled_too_far: {
    field: 'scheduled',
    fix: `lies too far ahead. Name a time within the next ${SCHEDULE_MAX_DAYS} days.`,
  },
  scheduled_after_end: {
    field: 'scheduled',
    fix: 'lies after the end of this connection or token, which would cancel the message. Name an earlier time, or ask the owner of the account to connect again or to make another token.',
  },
  recipient_refused: {
    field: null,
    fix: 'was refused by VertexSMS. Check the digits, and that the account may send there.',
  },
  sender_refused: {
    field: 'from',
    fix: 'was refused by VertexSMS. Use a sender that is registered and confirmed on the account.',
  },
  message_refused: { field: 'message', fix: 'was refused by VertexSMS. Change the text.' },
  sender_name_form: {
    field: 'name',
    fix: `must be ${SENDER_NAME_LENGTH.min} to ${SENDER_NAME_LENGTH.max} latin letters, digits, spaces, dots and - _ & # !, with a letter. A Shortcode or Landline may be digits alone.`,
  },
  registration_refused: {
    field: 'name',
    fix: 'was refused by VertexSMS, or what stands beside it was. Check how it is written, its category and its description.',
  },
} as const satisfies Record<string, RefusalReason>

/** One key of {@link REFUSAL_REASONS}. */
export type RefusalReasonName = keyof typeof REFUSAL_REASONS

/** The reason of a name that came over the wire; undefined for one that this side does not know. */
export function refusalReason(name: unknown): RefusalReason | undefined {
  if (typeof name !== 'string' || !Object.hasOwn(REFUSAL_REASONS, name)) return undefined
  return REFUSAL_REASONS[name as RefusalReasonName]
}

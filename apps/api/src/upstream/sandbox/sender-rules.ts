/**
 * Countries whose networks deliver a name as sender only when it was registered beforehand. The list is a choice for
 * the sandbox, made of countries known for such a rule; docs/decisions has the reason.
 */
export const NAME_MUST_BE_REGISTERED: ReadonlySet<string> = new Set(
  'AE BY EG ID IN JO KW LK OM PH QA RU SA SG TH TR VN'.split(' '),
)

/** Countries whose networks take no names as senders at all. */
export const NAME_NOT_TAKEN: ReadonlySet<string> = new Set('CA PR US'.split(' '))

/** Names that say nothing of who is sending; the simulated review rejects them. */
export const GENERIC_NAMES: ReadonlySet<string> = new Set(
  'alert bank code info notice otp police sms test verify'.split(' '),
)

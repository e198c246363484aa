/**
 * The rules by which a connection is paused automatically, by the name that `spender.auto_paused_reason` keeps. Their
 * numbers are fixed, so that everybody can say why one fired: `apps/api` applies them, the pages of `apps/auth` say them.
 */
export const PAUSE_RULES = {
  /** Many times more sends than it usually makes in as long a time. */
  burst: { windowMinutes: 10, times: 10, afterSends: 50, lookBackDays: 7 },
  /** Numbers that follow each other and were never sent to: a range is worked off, as whoever earns by it would. */
  number_block: { numbers: 8, within: 20, lookBackHours: 24 },
  /** Countries that it may not send to, one after the other: somebody looks for one that is open. */
  refused_countries: { countries: 3, minutes: 10 },
} as const

/** A rule's name. */
export type PauseRule = keyof typeof PAUSE_RULES

/** How long a read of the API may take. */
export const READ_TIMEOUT_MS = 10_000

/** How long a call that changes or costs something may take; past it the outcome is unknown, so it is generous. */
export const EFFECT_TIMEOUT_MS = 30_000

/** The longest that a call waits for delivery reports. */
export const DELIVERY_WAIT_MAX_MS = 20_000

/** The longest that a call takes which waits with what others left it of this: below the 60 s of clients made with the SDK. */
export const CALL_MAX_MS = 55_000

/**
 * The longest that a call waits for its turn where as many as may be are at the API. With the longest answer of a
 * send after it and the wait for delivery reports it stays below the 60 s that clients made with the SDK give a call, unless
 * the last look at a report waits for its own turn as well.
 */
export const TURN_WAIT_MAX_MS = 8_000

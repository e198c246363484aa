/** How long a read of the API may take. */
export const READ_TIMEOUT_MS = 10_000

/** How long a call that changes or costs something may take; past it the outcome is unknown, so it is generous. */
export const EFFECT_TIMEOUT_MS = 30_000

/** The longest that a call waits for delivery reports. */
export const DELIVERY_WAIT_MAX_MS = 20_000

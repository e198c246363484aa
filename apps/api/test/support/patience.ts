import { TIME_LIMITS } from '@vertexsms/db/time-limits'
import { SENDING_TIMES } from '../../src/sending/deps.ts'

// What is waited for so long is missing, or the machine is out of breath: that is no answer of ours.

/** How long the database is waited for where a test does not say so itself. */
export const PATIENT_LIMITS = { ...TIME_LIMITS, connectMs: 60_000, statementMs: 60_000, lockMs: 60_000 }

/** The times of sending where a test does not say them itself. */
export const PATIENT_TIMES = { ...SENDING_TIMES, pricesMs: 60_000, answerMs: 60_000, placeMs: 60_000, turnMs: 60_000 }

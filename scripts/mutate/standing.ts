import { ACCESS_TOKEN } from './standing/access-token.ts'
import { CLASSIFIER } from './standing/classifier.ts'
import { CONSENT } from './standing/consent.ts'
import { GUARD } from './standing/guard.ts'
import { LEDGER } from './standing/ledger.ts'
import { LIMITS } from './standing/limits.ts'
import type { Standing } from './standing/row.ts'
import { SENDING } from './standing/sending.ts'
import { TOKENS } from './standing/tokens.ts'

/** Every mutant that may survive, zone by zone. */
export const STANDING: readonly Standing[] = [
  ...ACCESS_TOKEN,
  ...CLASSIFIER,
  ...CONSENT,
  ...GUARD,
  ...LEDGER,
  ...LIMITS,
  ...SENDING,
  ...TOKENS,
]

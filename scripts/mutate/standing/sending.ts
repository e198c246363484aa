import type { Standing } from './row.ts'

const EACH = 'There is one price for each recipient; this tells the compiler.'

/** What stands in the zone sending. */
export const SENDING: readonly Standing[] = [
  {
    file: 'sending/admit-due.ts',
    change: 'recipients[at]?.id ?? 0n  =>  recipients[at]?.id',
    why: EACH,
  },
  {
    file: 'sending/admit-due.ts',
    change: 'recipients[at]?.id ?? 0n,  =>  recipients[at]?.id ?? 1n,',
    why: EACH,
  },
]

import type { Standing } from './row.ts'

/** What stands in the zone ledger. */
export const LEDGER: readonly Standing[] = [
  {
    file: 'ledger/standing.ts',
    change: 'sender !== null && DIGITS.test(sender)  =>  sender !== null',
    why: 'A number of the list is digits alone, which a name is never equal to.',
  },
  {
    file: 'ledger/standing.ts',
    change: 'sender !== null && DIGITS.test(sender)  =>  DIGITS.test(sender)',
    why: 'A pattern reads null as its name, which is no digits either.',
  },
  {
    file: 'ledger/standing.ts',
    change: 's.account_id = live.account_id  =>  true',
    why: 'Both ids come from the caller that is alive; this is the same said once more.',
  },
  {
    file: 'ledger/standing.ts',
    change: 'DESC, ends_at DESC LIMIT 1  =>  DESC, ends_at LIMIT 1',
    why: 'Two counters of one day end together, unless the owner changed the zone between their first sends; either end is right then.',
  },
  {
    file: 'ledger/standing.ts',
    change: 'u WHERE u.id = s.id)  =>  u WHERE true)',
    why: 'Whichever of the two it is new to, both together are asked.',
  },
  {
    file: 'ledger/key.ts',
    change: `s.spender_id = \${spenderId}::uuid  =>  true`,
    why: 'A key that may be used again is free, whether it is taken from the send that has it or not: that of another is, too.',
  },
  {
    file: 'ledger/key.ts',
    change: `s.upstream = \${upstream}  =>  true`,
    why: 'A key that may be used again is free, whether it is taken from the send that has it or not: that of another is, too.',
  },
  {
    file: 'ledger/key.ts',
    change: `s.route = \${route}  =>  true`,
    why: 'A key that may be used again is free, whether it is taken from the send that has it or not: that of another is, too.',
  },
  {
    file: 'ledger/key.ts',
    change: `s.key_hash = \${keyHash}::bytea  =>  true`,
    why: 'A key that may be used again is free, whether it is taken from the send that has it or not: that of another is, too.',
  },
  {
    file: 'ledger/key.ts',
    change: "'taken'  =>  undefined",
    why: 'Whoever asks looks for what stands under the key of any call that was not kept, and has not ended.',
  },
  {
    file: 'ledger/key.ts',
    change: "'23505') return 'taken'  =>  '23505') return ''",
    why: 'Whoever asks looks for what stands under the key of any call that was not kept, and has not ended.',
  },
]

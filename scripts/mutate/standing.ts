/** A change that no test notices, and why that is right. */
export interface Standing {
  /** How the file's path ends. */
  readonly file: string
  /** As the run prints it. */
  readonly change: string
  readonly why: string
}

/** Every mutant that may survive. */
export const STANDING: readonly Standing[] = [
  {
    file: 'access-token/src/remember.ts',
    change: "'base64'  =>  ''",
    why: 'Another spelling of the same hash, which only has to tell tokens apart.',
  },
  {
    file: 'access-token/src/verify.ts',
    change:
      "typeof sub === 'string' && sub !== '' && typeof jti === 'string' && exp !== undefined  =>  typeof sub === 'string' && sub !== '' && typeof jti === 'string'",
    why: 'jose refuses a token without `exp` before, which the test of one without an expiry proves; this tells the compiler.',
  },
  {
    file: 'guard/address.ts',
    change: 'lists.set(key, list)  =>  (nothing)',
    why: 'A cache alone: the list is built anew with each request.',
  },
  {
    file: 'guard/guard.ts',
    change: 'clearTimeout(timer)  =>  (nothing)',
    why: 'The timer rejects what nobody waits for any more.',
  },
  {
    file: 'guard/signing-keys.ts',
    change: 'key && !(key instanceof Uint8Array)  =>  key',
    why: 'Bytes have no type either, so they are left out by the next condition; this tells the compiler.',
  },
  {
    file: 'guard/signing-keys.ts',
    change: 'age > REFRESH_MS  =>  age >= REFRESH_MS',
    why: 'One millisecond of thirty seconds.',
  },
  {
    file: 'guard/signing-keys.ts',
    change: 'age < 0  =>  age <= 0',
    why: 'Reads the keys once more within the millisecond in which they were read.',
  },
  {
    file: 'guard/signing-keys.ts',
    change: 'age > UNKNOWN_KID_PACE_MS  =>  age >= UNKNOWN_KID_PACE_MS',
    why: 'One millisecond of two seconds.',
  },
  {
    file: 'guard/signing-keys.ts',
    change: '!keys.has(kid) && age > UNKNOWN_KID_PACE_MS  =>  age > UNKNOWN_KID_PACE_MS',
    why: 'A cache alone: known keys are read oftener, and are the same.',
  },
  {
    file: 'guard/token-value.ts',
    change: 'at < rawHeaders.length  =>  at <= rawHeaders.length',
    why: 'One turn more, past the end, where no header has a name.',
  },
  {
    file: 'guard/token-value.ts',
    change: "rawHeaders[at] ?? ''  =>  rawHeaders[at]",
    why: 'Node gives names and values in pairs; this tells the compiler.',
  },
  {
    file: 'guard/token-value.ts',
    change: "rawHeaders[at + 1] ?? ''  =>  rawHeaders[at + 1]",
    why: 'Node gives names and values in pairs; this tells the compiler.',
  },
  {
    file: 'guard/token-value.ts',
    change: "authorization[0] ?? ''  =>  authorization[0]",
    why: 'A pattern reads undefined as its name, which is no bearer token either.',
  },
  {
    file: 'adapters/tokens.ts',
    change: '...(found.consumedAt && { consumed: seconds(found.consumedAt) })  =>  {}',
    why: 'The write of the exchange refuses a used code too and ends its connection, which the test of thirty exchanges at once proves.',
  },
  {
    file: 'adapters/tokens.ts',
    change: 'started.then(() => undefined)  =>  undefined',
    why: 'The library waits for the first revocation of the request together with this one.',
  },
  {
    file: 'adapters/tokens.ts',
    change: "throw new Error('a refresh token outside a token request')  =>  (nothing)",
    why: 'The library makes refresh tokens at the token endpoint alone.',
  },
  {
    file: 'tokens/token-endpoint.ts',
    change: "outcome === 'spent' && presented?.kind === 'AuthorizationCode'  =>  outcome === 'spent'",
    why: 'A refresh that lost is answered again or has ended its connection, which ends once; only one that lost to more than 32 rotations would differ.',
  },
  {
    file: 'tokens/token-store.ts',
    change: 'spent === 1 && written === 1  =>  spent === 1',
    why: 'The row of the access token is made from the one of `spent`: there are both or none.',
  },
  {
    file: 'tokens/token-store.ts',
    change: 'spent === 1 && written === 1  =>  written === 1',
    why: 'The row of the access token is made from the one of `spent`: there are both or none.',
  },
  {
    file: 'tokens/token-store.ts',
    change: 'row?.seconds ?? 0  =>  row?.seconds',
    why: 'Without a row it is not a number, which is not above zero either.',
  },
  {
    file: 'tokens/token-store.ts',
    change: "kind = 'oauth_access'  =>  true",
    why: "No other kind of token has the hash of an access token's id.",
  },
  {
    file: 'tokens/token-endpoint.ts',
    change:
      "outcome === 'spent' && presented?.kind === 'AuthorizationCode' && grant  =>  outcome === 'spent' && presented?.kind === 'AuthorizationCode'",
    why: 'Whatever is presented was found together with its grant; this tells the compiler.',
  },
  {
    file: 'tokens/token-endpoint.ts',
    change:
      "outcome === 'spent' && presented?.kind === 'AuthorizationCode'  =>  presented?.kind === 'AuthorizationCode'",
    why: 'The only other outcome is that of a connection that has ended, and it ends once.',
  },
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
]

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
]

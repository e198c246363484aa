import type { Standing } from './row.ts'

/** What stands in the zone access-token. */
export const ACCESS_TOKEN: readonly Standing[] = [
  {
    file: 'access-token/src/remember.ts',
    change: "hash('sha256', value, 'base64') }  =>  hash('sha256', value, '') }",
    why: 'Another spelling of the same hash, which only has to tell tokens apart.',
  },
  {
    file: 'access-token/src/remember.ts',
    change: 'verified.delete(key)  =>  (nothing)',
    why: 'Room alone: what has expired is not recalled whether it lies there or not.',
  },
  {
    file: 'access-token/src/verify.ts',
    change:
      "typeof sub === 'string' && sub !== '' && typeof jti === 'string' && exp !== undefined  =>  typeof sub === 'string' && sub !== '' && typeof jti === 'string'",
    why: 'jose refuses a token without `exp` before, which the test of one without an expiry proves; this tells the compiler.',
  },
]

import type { Standing } from './row.ts'

/** What stands in the zone guard. */
export const GUARD: readonly Standing[] = [
  {
    file: 'guard/address.ts',
    change: 'lists.set(key, list)  =>  (nothing)',
    why: 'A cache alone: the list is built anew with each request.',
  },
  {
    file: 'guard/guard.ts',
    change:
      'accessTokens.recall(key) ?? (await accessTokens.verify(value, key))  =>  await accessTokens.verify(value, key)',
    why: 'A cache alone: the signature is asked for again with each request.',
  },
  {
    file: 'guard/guard.ts',
    change: 'jwt.exp * 1000 <= now.getTime()  =>  jwt.exp * 1000 < now.getTime()',
    why: 'The millisecond of the end itself.',
  },
  {
    file: 'guard/guard.ts',
    change: "app.decorateRequest('token')  =>  (nothing)",
    why: 'Set on every request that passes; declared first, all requests are of one shape (Fastify).',
  },
  {
    file: 'guard/guard.ts',
    change: "app.decorateRequest('token')  =>  app.decorateRequest('')",
    why: 'As above: the shape alone.',
  },
  {
    file: 'guard/guard.ts',
    change: "app.decorateRequest('throughMcp', false)  =>  (nothing)",
    why: 'As above: the shape alone.',
  },
  {
    file: 'guard/guard.ts',
    change: "app.decorateRequest('throughMcp', false)  =>  app.decorateRequest('', false)",
    why: 'As above: the shape alone.',
  },
  {
    file: 'guard/guard.ts',
    change: "app.decorateRequest('throughMcp', false)  =>  app.decorateRequest('throughMcp', true)",
    why: 'Set on every request that passes, and read of no other.',
  },
  {
    file: 'guard/guard.ts',
    change: "[route.method].flat()[0] ?? ''  =>  [route.method].flat()[0]",
    why: 'Every route has a method; this tells the compiler.',
  },
  {
    file: 'guard/guard.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: code, as the run prints it.
    change: 'throw new Error(`the contract knows no route ${route.method} ${route.url}`)  =>  (nothing)',
    why: 'A mistake of ours that ends the start; the contract knows every route there is.',
  },
  {
    file: 'guard/guard.ts',
    change: '...route.config  =>  {}',
    why: 'What Fastify keeps there is read by nobody.',
  },
  {
    file: 'guard/guard.ts',
    change: 'wanted ?? []  =>  wanted',
    why: 'A permission that is none is held by no token either; this tells the compiler.',
  },
  {
    file: 'guard/guard.ts',
    change: 'clearTimeout(timer)  =>  (nothing)',
    why: 'The timer rejects what nobody waits for any more.',
  },
  {
    file: 'guard/request-limits.ts',
    change: "['node', waits.perNode],  =>  ['', waits.perNode],",
    why: 'A key is any text that is none of the others.',
  },
  {
    file: 'guard/request-limits.ts',
    change: 'waiting.get(key) ?? 0  =>  waiting.get(key)',
    why: 'Nothing is not more than a limit either; this tells the compiler.',
  },
  {
    file: 'guard/request-limits.ts',
    change: '((waiting.get(key) ?? 0) >=  =>  ((waiting.get(key) ?? 1) >=',
    why: 'Every limit of those who wait is above one.',
  },
  {
    file: 'guard/request-limits.ts',
    change: 'waiting.get(key) ?? 1  =>  waiting.get(key)',
    why: 'Whoever ends a wait was counted; this tells the compiler.',
  },
  {
    file: 'guard/request-limits.ts',
    change: '(waiting.get(key) ?? 1) -  =>  (waiting.get(key) ?? 2) -',
    why: 'Whoever ends a wait was counted; this tells the compiler.',
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
    change: 'age < 0 || (!keys.has(kid)  =>  age < 1 || (!keys.has(kid)',
    why: 'Reads the keys once more within the millisecond in which they were read.',
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
    file: 'guard/token-row.ts',
    change: 'cardinality(t.permissions) > 0  =>  true',
    why: 'An empty text is the permission of no route.',
  },
  {
    file: 'guard/token-row.ts',
    change: 'WHEN cardinality(t.permissions) > 0 THEN  =>  WHEN cardinality(t.permissions) >= 0 THEN',
    why: 'An empty text is the permission of no route.',
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
    file: 'guard/last-used.ts',
    change: 'newestMs = 0  =>  newestMs = 1',
    why: 'One millisecond of 1970.',
  },
  {
    file: 'guard/last-used.ts',
    change: 'clearTimeout(timer)  =>  (nothing)',
    why: 'The timer finds nothing that waits.',
  },
  {
    file: 'guard/last-used.ts',
    change: 'atMs <= before  =>  atMs < before',
    why: 'Room alone: a use of a minute ago is kept in mind a little longer, and is written all the same.',
  },
  {
    file: 'guard/last-used.ts',
    change: 'noted.delete(id)  =>  (nothing)',
    nth: 1,
    why: 'Room alone: a use of a minute ago is kept in mind a little longer, and is written all the same.',
  },
  {
    file: 'guard/last-used.ts',
    change: 'newestMs = Math.max(newestMs, nowMs)  =>  (nothing)',
    why: 'Room alone: a use of a minute ago is kept in mind a little longer, and is written all the same.',
  },
  {
    file: 'guard/last-used.ts',
    change:
      'Math.max(noted.get(tokenId) ?? 0, lastUsedAt?.getTime()  =>  Math.max(noted.get(tokenId) ?? 1, lastUsedAt?.getTime()',
    why: 'One millisecond of 1970.',
  },
  {
    file: 'guard/last-used.ts',
    change: 'lastUsedAt?.getTime() ?? 0)  =>  lastUsedAt?.getTime() ?? 1)',
    why: 'One millisecond of 1970.',
  },
]

import type { Standing } from './row.ts'

/** What stands in the zone tokens. */
export const TOKENS: readonly Standing[] = [
  {
    file: 'adapters/tokens.ts',
    change: "reason !== 'revoked') {  =>  reason !== '') {",
    why: 'It is `revoked` outside a token request alone, where no grant was looked up either.',
  },
  {
    file: 'adapters/tokens.ts',
    change: "...unused('RefreshToken')  =>  {}",
    why: 'What stands there throws when the library asks for it, which it never does.',
  },
  {
    file: 'adapters/tokens.ts',
    change: 'work?.grant?.scopes ?? []  =>  work?.grant?.scopes',
    why: 'A used token that is honoured has left its grant; this tells the compiler.',
  },
  {
    file: 'connections/end.ts',
    change: 'ended_at IS NULL  =>  true',
    nth: 1,
    why: 'Locks connections that have ended as well; what is changed is chosen by the next statement.',
  },
  {
    file: 'tokens/jwt-tokens.ts',
    change: 'ctx.status = 200  =>  (nothing)',
    nth: 2,
    why: 'Koa answers a body with 200 by itself, which nobody need know here.',
  },
  {
    file: 'tokens/refresh-overlap.ts',
    change: 'hop < ROTATIONS_MAX && latest?.overlap  =>  hop < ROTATIONS_MAX',
    why: 'A chain breaks only where the connection ends between two looks.',
  },
  {
    file: 'tokens/token-store.ts',
    change: '!sealed || !payload || !expiresAt  =>  !sealed || !payload',
    why: 'Both are columns of one row, and never null there; this tells the compiler.',
  },
  {
    file: 'tokens/token-store.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source of a statement
    change: 'oidc_artifact.id = ${work.presented?.id}  =>  true',
    why: 'A grant has one code.',
  },
  {
    file: 'tokens/token-store.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source of a statement
    change: 'grant_id = ${grant.grantId}  =>  true',
    nth: 4,
    why: 'The id of a code is that of one grant.',
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
]

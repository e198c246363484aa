/** A part of the product whose tests must notice every change of its meaning. */
export interface Zone {
  /** The files that are changed. */
  readonly files: readonly string[]
  /** The test files that judge, the quickest and sharpest first: the first failure ends a run. */
  readonly tests: readonly string[]
}

/** The zones, by the name the command takes. */
export const ZONES: Readonly<Record<string, Zone>> = {
  guard: {
    files: [
      'apps/api/src/guard/address.ts',
      'apps/api/src/guard/guard.ts',
      'apps/api/src/guard/signing-keys.ts',
      'apps/api/src/guard/token-row.ts',
      'apps/api/src/guard/token-value.ts',
    ],
    tests: [
      'apps/api/test/guard.test.ts',
      'apps/api/test/token-headers.test.ts',
      'apps/api/test/allow-list.test.ts',
      'apps/api/test/allow-list-grammar.test.ts',
      'apps/api/test/lookup-limit.test.ts',
      'apps/api/test/clocks.test.ts',
    ],
  },
  'access-token': {
    files: ['packages/access-token/src/remember.ts', 'packages/access-token/src/verify.ts'],
    tests: ['packages/access-token/test/verify.test.ts', 'apps/api/test/guard.test.ts'],
  },
  tokens: {
    files: [
      'apps/auth/src/authorization/adapters/tokens.ts',
      'apps/auth/src/connections/end.ts',
      'apps/auth/src/authorization/tokens/jwt-tokens.ts',
      'apps/auth/src/authorization/tokens/refresh-overlap.ts',
      'apps/auth/src/authorization/tokens/token-endpoint.ts',
      'apps/auth/src/authorization/tokens/token-store.ts',
    ],
    tests: [
      'apps/auth/test/tokens.test.ts',
      'apps/auth/test/overlap.test.ts',
      'apps/auth/test/faults.test.ts',
      'apps/auth/test/attacks/refresh.test.ts',
      'apps/auth/test/attacks/codes.test.ts',
      'apps/auth/test/api-tokens.test.ts',
      'apps/auth/test/clocks.test.ts',
    ],
  },
  classifier: {
    files: ['apps/mcp/src/protocol/classify.ts', 'apps/mcp/src/endpoint/route.ts'],
    tests: [
      'apps/mcp/test/edge.test.ts',
      'apps/mcp/test/batch.test.ts',
      'apps/mcp/test/clients.test.ts',
      'apps/mcp/test/liveness.test.ts',
      'apps/mcp/test/hostile-input.test.ts',
      'apps/mcp/test/limits.test.ts',
    ],
  },
  consent: {
    files: ['apps/auth/src/consent/page.ts', 'apps/auth/src/consent/decide.ts'],
    tests: [
      'apps/auth/test/consent.test.ts',
      'apps/auth/test/attacks/consent.test.ts',
      'apps/auth/test/connect.test.ts',
    ],
  },
}

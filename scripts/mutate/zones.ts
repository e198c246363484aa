import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** A part of the product whose tests must notice every change of its meaning. */
export interface Zone {
  /** The files that are changed; of a folder all that lie in it. */
  readonly files: readonly string[]
  /** The test files that judge, the quickest and sharpest first: the first failure ends a run. */
  readonly tests: readonly string[]
}

const api = (...names: string[]) => names.map((name) => `apps/api/test/${name}.test.ts`)
const auth = (...names: string[]) => names.map((name) => `apps/auth/test/${name}.test.ts`)
const mcp = (...names: string[]) => names.map((name) => `apps/mcp/test/${name}.test.ts`)

/** The zones, by the name the command takes. */
export const ZONES: Readonly<Record<string, Zone>> = {
  guard: {
    files: ['apps/api/src/guard'],
    tests: api(
      'token-row',
      'token-headers',
      'last-used',
      'guard',
      'mistyped-token',
      'allow-list',
      'allow-list-grammar',
      'lookup-limit',
      'clocks.process',
      'shares',
      'faults',
      'silence',
      'ended',
      'pause',
    ),
  },
  alive: {
    files: ['packages/db/src/alive.ts', 'packages/db/src/paused.ts'],
    tests: [
      'packages/db/test/alive.test.ts',
      'packages/db/test/paused.test.ts',
      ...api('guard', 'ended'),
      ...auth('spenders', 'tokens', 'accounts'),
    ],
  },
  'access-token': {
    files: ['packages/access-token/src'],
    tests: ['packages/access-token/test/verify.test.ts', ...api('guard')],
  },
  tokens: {
    files: [
      'apps/auth/src/authorization/adapters/tokens.ts',
      'apps/auth/src/connections/end.ts',
      'apps/auth/src/authorization/tokens',
    ],
    tests: auth(
      'tokens',
      'overlap',
      'faults',
      'attacks/refresh',
      'attacks/codes',
      'api-tokens',
      'clocks.process',
      'spenders',
      'accounts',
      'clean-up',
      'bystanders',
      'attacks/forged-tokens',
      'authorization-details',
      'outage',
    ),
  },
  classifier: {
    files: ['apps/mcp/src/protocol', 'apps/mcp/src/endpoint'],
    tests: mcp(
      'edge',
      'batch',
      'questions',
      'streams',
      'clients',
      'old-endpoints',
      'errors',
      'registry',
      'resources',
      'liveness',
      'limits',
      'auth',
      'release',
      'send',
      'approval',
      'hostile-input',
    ),
  },
  consent: {
    files: ['apps/auth/src/consent', 'apps/auth/src/connections/imitation.ts', 'apps/auth/src/connections/our-name.ts'],
    tests: auth(
      'consent-page',
      'consent',
      'attacks/consent',
      'connect',
      'spenders',
      'parameters',
      'authorization-details',
      'outage',
      'tokens',
      'floods',
      'attacks/reset',
      'mail',
      'clean-up',
    ),
  },
  ledger: {
    files: ['apps/api/src/ledger', 'apps/api/src/activity', 'apps/api/src/live.ts'],
    tests: api(
      'agree',
      'admit',
      'scheduled-price',
      'two-runners',
      'ledger',
      'activity',
      'late-money',
      'approval',
      'repeat',
      'repeated-lists',
      'days',
      'sending',
      'reports',
      'stop',
      'pause',
      'clocks.process',
      'ended',
      'fewer-scopes',
      'faults',
      'sms',
      'hlr',
      'taken-meanwhile',
      'upstream-change',
      'money.property',
    ),
  },
  limits: {
    files: ['apps/api/src/limits'],
    tests: api(
      'judge',
      'days',
      'agree',
      'pause',
      'owner-notices',
      'stop',
      'ledger',
      'approval',
      'sending',
      'sms',
      'money.property',
    ),
  },
  sending: {
    files: ['apps/api/src/sending'],
    tests: api(
      'sending',
      'repeat',
      'late-money',
      'approval',
      'reports',
      'places',
      'lost-answer',
      'stop',
      'sms',
      'hlr',
      'spellings',
      'sender-ids',
      'pause',
      'judge',
      'scheduled-price',
      'due',
      'two-runners',
      'left-lists',
      'faults',
      'ended',
      'fewer-scopes',
      'statements',
      'operator',
      'shares',
      'clocks.process',
      'delivery',
      'reference',
      'callback-shares',
      'hostile-input',
      'repeated-lists',
      'vertexsms',
      'vertexsms-reports',
      'upstream-change',
      'undone',
      'internal',
      'turns',
      'taken-meanwhile',
      'plans',
      'retention',
      'money.property',
    ),
  },
}

/**
 * The files of a zone, from the root of the repository, with those of its folders. Throws for one that is not there, and
 * for a test that is not: a zone that lost its files would pass every run.
 */
export function filesOf(root: string, { files, tests }: Zone): string[] {
  const missing = [...files, ...tests].filter((path) => !existsSync(join(root, path)))
  if (missing.length > 0) throw new Error(`not there: ${missing.join(', ')}`)
  return files.flatMap((path) => {
    if (path.endsWith('.ts')) return [path]
    const inside = readdirSync(join(root, path)).filter((name) => name.endsWith('.ts'))
    if (inside.length === 0) throw new Error(`nothing lies in ${path}`)
    return inside.sort().map((name) => `${path}/${name}`)
  })
}

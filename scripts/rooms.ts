/**
 * The rooms of each app, from the bottom up, and what each may import beside its own files, those that stand at the root of
 * the app and packages. Who names a room may import the rooms in it, too; in a room that has rooms, each is named by itself.
 */
export const ROOMS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  auth: {
    words: [],
    connections: ['words'],
    views: ['words', 'connections'],
    accounts: ['connections'],
    web: ['words', 'connections', 'views', 'accounts'],
    authorization: [
      'words',
      'connections',
      'views',
      'accounts',
      'web',
      'authorization/request',
      'authorization/clients',
      'authorization/tokens',
      'authorization/adapters',
    ],
    'authorization/request': ['words', 'views', 'web'],
    'authorization/clients': ['connections', 'web', 'authorization/request'],
    'authorization/tokens': ['connections', 'web', 'authorization/request', 'authorization/clients'],
    'authorization/adapters': ['connections', 'authorization/request', 'authorization/clients', 'authorization/tokens'],
    consent: ['words', 'connections', 'views', 'accounts', 'web', 'authorization'],
    'sign-in': ['words', 'connections', 'views', 'accounts', 'web'],
    settings: ['words', 'connections', 'views', 'accounts', 'web'],
    jobs: ['words', 'connections', 'accounts', 'authorization'],
    cli: ['words', 'connections', 'accounts', 'authorization'],
  },
  mcp: {
    caller: [],
    api: ['caller'],
    protocol: ['caller', 'api'],
    resources: ['caller', 'api', 'protocol'],
    tools: ['caller', 'api', 'protocol'],
    endpoint: ['caller', 'api', 'protocol'],
  },
  api: {
    http: [],
    message: ['http'],
    upstream: ['http', 'message'],
    'upstream/sandbox': ['http', 'message', 'upstream'],
    'upstream/vertexsms': ['http', 'message', 'upstream'],
    limits: ['upstream'],
    activity: ['upstream'],
    ledger: ['upstream', 'limits', 'activity'],
    sending: ['http', 'message', 'upstream', 'limits', 'activity', 'ledger'],
    guard: ['http'],
    routes: ['http', 'message', 'upstream', 'limits', 'activity', 'ledger', 'sending', 'guard'],
    jobs: ['http', 'message', 'upstream', 'limits', 'activity', 'ledger', 'sending'],
  },
}

interface Pattern {
  readonly group: readonly string[]
  readonly message: string
}

/** What holds in every file; Biome replaces the options of a rule by those of an override, so each of them repeats it. */
const EVERYWHERE: readonly Pattern[] = [
  { group: ['@prisma/*', 'pg', '@electric-sql/*'], message: 'Only packages/db talks to Prisma and the drivers.' },
  { group: ['**/apps/*/**'], message: 'No app imports another app.' },
  { group: ['**/packages/*/src/**'], message: 'Import a package by its name.' },
]
/** Zod's object of everything brings forty languages into each bundle, 8 MB of what a service holds. */
const PATHS = { zod: { importNames: ['z'], message: "Import it as a namespace: import * as z from 'zod'." } }
const NO_SERVER: Pattern = {
  group: ['./server.ts'],
  message: 'Nothing imports the server: server -> app -> zone -> domain.',
}
const NO_APP: Pattern = {
  group: ['**/server.ts', '**/app.ts'],
  message: 'A zone knows neither the app nor the server: server -> app -> zone -> domain.',
}

const outerOf = (room: string) => (room.includes('/') ? room.slice(0, room.indexOf('/')) : undefined)

/** The imports that a room of `rooms` may not make, as Biome's globs over what stands in the import. */
function closedTo(room: string, rooms: Readonly<Record<string, readonly string[]>>): string[] {
  const open = new Set([room, ...(rooms[room] ?? [])])
  const outer = outerOf(room)
  const inSight = Object.keys(rooms).filter((other) => [undefined, room, outer].includes(outerOf(other)))
  const closed = inSight.filter((other) => !open.has(other))
  return closed.map((other) => {
    if (other === outer) return '../*.ts'
    return `**/${other.slice(other.indexOf('/') + 1)}/**`
  })
}

function roomRule(app: string, room: string, rooms: Readonly<Record<string, readonly string[]>>) {
  const may = rooms[room]?.map((other) => `${other}/`).join(', ') || 'no other room'
  const message = `${room}/ may import ${may}: see scripts/rooms.ts.`
  return override([`apps/${app}/src/${room}/**`], [NO_APP, { group: closedTo(room, rooms), message }])
}

function override(includes: readonly string[], patterns: readonly Pattern[]) {
  return { includes, linter: { rules: { style: restricted([...EVERYWHERE, ...patterns]) } } }
}

function restricted(patterns: readonly Pattern[]) {
  return { noRestrictedImports: { level: 'error', options: { paths: PATHS, patterns } } }
}

/** The part of Biome's configuration that keeps {@link ROOMS}, for `biome.imports.json`, which `biome.json` extends. */
export function importRules() {
  return {
    linter: { rules: { style: restricted(EVERYWHERE) } },
    overrides: [
      override(['apps/*/src/*.ts', '!**/server.ts'], [NO_SERVER]),
      override(['apps/*/src/*/**'], [NO_APP]),
      ...Object.entries(ROOMS).flatMap(([app, rooms]) => Object.keys(rooms).map((room) => roomRule(app, room, rooms))),
    ],
  }
}

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleOf } from '../harness/bundle.ts'
import type { Issuer } from '../harness/issuer.ts'
import { MCP_RESOURCE_URL } from '../harness/issuer.ts'
import { startBundle, startOurs } from '../harness/ours.ts'
import { type Started, type StartOptions, start } from '../harness/process.ts'
import type { Scenario } from './scenarios.ts'

/** One server in the comparison. */
export interface Contestant {
  readonly id: string
  readonly title: string
  /** What part it plays in the goals. */
  readonly role: 'limit' | 'ours' | 'plain' | 'documented' | 'prebuilt' | 'reference'
  serves(scenario: Scenario): boolean
  start(issuer: Issuer, apiUrl: string, how: How): Promise<Started>
}

/** On which core and with which Node a contestant runs. */
export type How = Pick<StartOptions, 'core' | 'node' | 'nodeArguments'>

const PEERS = fileURLToPath(new URL('peers', import.meta.url))

function environment(issuer: Issuer, apiUrl: string): Record<string, string> {
  return { API_URL: apiUrl, ISSUER_URL: issuer.issuerUrl, JWKS_URL: issuer.jwksUrl, MCP_RESOURCE_URL }
}

/** From its source, through the loader for TypeScript. */
function script(path: string, extra: Readonly<Record<string, string>> = {}): Contestant['start'] {
  return (issuer, apiUrl, how) =>
    start({ ...how, script: `bench/mcp/${path}`, env: { ...environment(issuer, apiUrl), ...extra } })
}

/** As one file, the way ours runs, for those whose memory is compared too. */
function bundled(path: string): Contestant['start'] {
  let made: Promise<string> | undefined
  return async (issuer, apiUrl, how) => {
    made ??= bundleOf(`bench/mcp/${path}`)
    return start({ ...how, script: await made, plain: true, env: environment(issuer, apiUrl) })
  }
}

const always = (): boolean => true
const handshakeOnly = (scenario: Scenario): boolean => scenario.era === '2025-11-25'
const callOnly = (scenario: Scenario): boolean => scenario.method === 'tools/call'

/** Everything that is compared, in the order of the table. */
export const CONTESTANTS: readonly Contestant[] = [
  {
    id: 'limit',
    title: 'bare `node:http` proxy (the limit)',
    role: 'limit',
    serves: always,
    start: bundled('contestants/limit.ts'),
  },
  {
    id: 'fastify',
    title: 'plain dispatch in Fastify',
    role: 'plain',
    serves: callOnly,
    start: bundled('contestants/fastify.ts'),
  },
  {
    id: 'limit-undici',
    title: 'the same, undici upstream',
    role: 'reference',
    serves: callOnly,
    start: script('contestants/limit-undici.ts'),
  },
  {
    id: 'by-hand',
    title: '`node:http`, one tool by hand',
    role: 'reference',
    serves: callOnly,
    start: script('contestants/by-hand.ts'),
  },
  {
    id: 'ours',
    title: '**ours**, as in the image',
    role: 'ours',
    serves: always,
    start: startBundle,
  },
  {
    id: 'ours-source',
    title: 'ours, from its source through tsx',
    role: 'reference',
    serves: callOnly,
    start: startOurs,
  },
  {
    id: 'ours-logging',
    title: 'ours, access log on',
    role: 'reference',
    serves: (scenario) => scenario.name === 'tools/call, 2026-07-28',
    start: (issuer, apiUrl, how) => startBundle(issuer, apiUrl, { ...how, env: { LOG_LEVEL: 'info' } }),
  },
  {
    id: 'sdk-v1',
    title: 'SDK v1 as documented',
    role: 'documented',
    serves: handshakeOnly,
    start: script('contestants/sdk-v1.ts'),
  },
  {
    id: 'sdk-v2',
    title: 'SDK v2 as documented',
    role: 'documented',
    serves: always,
    start: script('contestants/sdk-v2.ts'),
  },
  {
    id: 'sdk-v1-schemas-once',
    title: 'SDK v1, schemas made once',
    role: 'reference',
    serves: handshakeOnly,
    start: script('contestants/sdk-v1.ts', { SCHEMAS: 'once' }),
  },
  {
    id: 'sdk-v2-schemas-once',
    title: 'SDK v2, schemas made once',
    role: 'reference',
    serves: callOnly,
    start: script('contestants/sdk-v2.ts', { SCHEMAS: 'once' }),
  },
  {
    id: 'fastmcp',
    title: 'fastmcp as documented',
    role: 'documented',
    serves: handshakeOnly,
    start: (...args) => {
      installPeers()
      return script('peers/fastmcp.mjs')(...args)
    },
  },
  {
    id: 'sdk-v2-prebuilt',
    title: 'SDK v2, prebuilt `Server` per request',
    role: 'prebuilt',
    serves: always,
    start: script('contestants/sdk-v2-prebuilt.ts'),
  },
  {
    id: 'sdk-v2-prebuilt-cached',
    title: 'the same, verified tokens remembered',
    role: 'reference',
    serves: callOnly,
    start: script('contestants/sdk-v2-prebuilt.ts', { CACHE_VERIFIED: 'on' }),
  },
]

/** Installs the peers that are no part of the workspace, once. */
function installPeers(): void {
  if (existsSync(`${PEERS}/node_modules/fastmcp`)) return
  console.error('installing fastmcp, once ...')
  execFileSync('npx', ['-y', 'pnpm@12.21.0', 'install', '--frozen-lockfile'], { cwd: PEERS, stdio: 'ignore' })
}

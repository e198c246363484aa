// Runs the conformance suite against two builds of the app on loopback: the suite's fixtures on the product's own edge,
// and the product itself with a list of what it does not have. The suite needs Node 22 or newer, so npx brings its own.
// `node --import tsx apps/mcp/test/conformance/run.ts`; exits 1 when anything is not as it must be.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12'

interface Run {
  build: 'fixtures' | 'product'
  revision: string
  /** The file of scenarios that may fail. */
  baseline?: string
  /** Required scenarios that must pass, at least. */
  passAtLeast: number
}

const RUNS: Run[] = [
  { build: 'fixtures', revision: '2026-07-28', passAtLeast: 37 },
  { build: 'fixtures', revision: '2025-11-25', baseline: 'fixtures-2025-11-25.yml', passAtLeast: 26 },
  { build: 'product', revision: '2026-07-28', baseline: 'product-2026-07-28.yml', passAtLeast: 9 },
  { build: 'product', revision: '2025-11-25', baseline: 'product-2025-11-25.yml', passAtLeast: 6 },
]

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

async function serve(build: Run['build']): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', here('serve.ts'), build], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const [url] = (await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => [''])])) as [string]
  if (!url.startsWith('http')) throw new Error(`the ${build} build did not start`)
  return { child, url }
}

async function suite(url: string, { revision, baseline }: Run): Promise<{ code: number; output: string }> {
  const results = mkdtempSync(join(tmpdir(), 'conformance-'))
  const options = ['--url', url, '--requirements', revision, '-o', results]
  if (baseline !== undefined) options.push('--expected-failures', here(baseline))
  const child = spawn('npx', ['-y', '-p', 'node@24', '-p', SUITE, 'conformance', 'server', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: results,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const [code] = (await once(child, 'close')) as [number]
  rmSync(results, { recursive: true, force: true })
  return { code, output }
}

// Run by the suite but part of no requirement: extensions, and what it cannot pass itself.
const UNSCORED =
  /^(tasks-|sep-2640-|server-session-lifecycle|server-sse-polling|json-schema-2020-12|http-(custom-)?header-)/

function requiredPasses(output: string): number {
  const summary = (output.split('=== SUMMARY ===')[1] ?? '').split('Total:')[0] ?? ''
  return [...summary.matchAll(/^✓ ([a-z0-9-]+): /gm)].filter(([, name]) => !UNSCORED.test(name ?? '')).length
}

let passed = 0
let failed = 0
for (const run of RUNS) {
  const { child, url } = await serve(run.build)
  try {
    const { code, output } = await suite(url, run)
    const passes = requiredPasses(output)
    const isGood = code === 0 && passes >= run.passAtLeast
    passed += passes
    if (!isGood) {
      failed += Math.max(1, run.passAtLeast - passes)
      process.stdout.write(output)
    }
    process.stdout.write(
      `${isGood ? 'ok  ' : 'FAIL'} ${run.build} at ${run.revision}: ${passes} required scenarios passed (at least ${run.passAtLeast}), exit code ${code}\n`,
    )
  } finally {
    child.kill()
  }
}
process.stdout.write(`conformance: ${passed} passed, ${failed} failed\n`)
process.exit(failed === 0 ? 0 : 1)

// The authorization checks of the official MCP conformance suite against the running demo, a person in a real browser
// approving what it asks for. Prints `authorization: N passed, N failed` and ends with status 1 where one failed.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleForTests } from '@vertexsms/service/bundle'
import { PROGRAMS } from '../../scripts/demo/program.ts'
import { findChromium } from '../support/chromium.ts'
import { freePorts } from '../support/free-ports.ts'
import { fetchProgram, type NpxProgram } from '../support/npx-program.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'
import { authorize } from '../support/pages/consent.ts'
import { type StackFacts, startStack } from '../support/stack.ts'

const PACKAGE = '@modelcontextprotocol/conformance@0.2.0-alpha.12'

async function main(): Promise<number> {
  if (findChromium() === null) return leaveOut('there is no Chromium')
  const program = await fetchProgram([PACKAGE], 'conformance')
  if (program === null) return leaveOut('npx cannot fetch the suite')
  const programs = mkdtempSync(join(tmpdir(), 'vertexsms-programs-'))
  await bundleForTests(PROGRAMS, programs)
  process.env.TEST_PROGRAMS_DIR = programs
  const stack = await startStack()
  const browser = await openBrowser()
  try {
    return await runSuite(program, stack, browser)
  } finally {
    await browser.close()
    await stack.stop()
    await stack.clean()
    rmSync(programs, { recursive: true, force: true })
  }
}

/** Outside CI a part that cannot run here is left out, with one clear line. */
function leaveOut(reason: string): number {
  console.log(`authorization: skipped: ${reason}`)
  return process.env.CI ? 1 : 0
}

async function runSuite(program: NpxProgram, stack: StackFacts, browser: Browser): Promise<number> {
  const [port = 0] = await freePorts(1)
  const results = mkdtempSync(join(tmpdir(), 'vertexsms-conformance-'))
  const clientId = await register(stack, `http://127.0.0.1:${port}/callback`)
  const args = ['--url', stack.issuer, '--client-id', clientId, '--resource', stack.mcpUrl, '-p', String(port)]
  const suite = spawn(program.node, [program.script, 'authorization', ...args, '-o', results], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let approving: Promise<void> | undefined
  const read = (chunk: Buffer) => {
    output += chunk.toString()
    process.stdout.write(chunk)
    const url = /https?:\/\/\S+\/oauth\/authorize\?[^\s"']+(?=\s)/.exec(output)?.[0]
    if (url !== undefined) approving ??= browser.newVisitor().then((page) => authorize(page, new URL(url), stack))
  }
  suite.stdout.on('data', read)
  suite.stderr.on('data', read)
  const exitCode = await new Promise<number | null>((resolve) => suite.once('close', resolve))
  await approving
  rmSync(results, { recursive: true, force: true })
  return report(output, exitCode)
}

/** Repeats the suite's own sum in the line that CI reads; its exit code counts as well. */
function report(output: string, exitCode: number | null): number {
  const [, passed = '0', failed = '1'] = /Total: (\d+) passed, (\d+) failed/.exec(output) ?? []
  console.log(`authorization: ${passed} passed, ${failed} failed`)
  return exitCode === 0 && failed === '0' && passed !== '0' ? 0 : 1
}

/** The suite registers no client itself (RFC 7591 §3.1). */
async function register(stack: StackFacts, redirectUri: string): Promise<string> {
  const response = await fetch(`${stack.issuer}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Conformance suite',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    }),
  })
  if (response.status !== 201) throw new Error(`The registration was answered with ${response.status}.`)
  return ((await response.json()) as { client_id: string }).client_id
}

process.exitCode = await main()

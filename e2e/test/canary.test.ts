import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isRunning } from '../support/processes.ts'
import { rememberedSecrets, type Secret } from '../support/secrets.ts'
import { waitUntil } from '../support/wait-until.ts'

// Reads what the other test files have left behind, and so runs after them (the root's vitest.config.ts).
const runDir = process.env.E2E_RUN_DIR ?? ''
const sharedPid = Number(process.env.E2E_STACK_PID)

// Nobody needs the shared product any more. What it says at its end is read, too.
process.kill(sharedPid, 'SIGTERM')
await waitUntil('the shared product to end', 30_000, () => (isRunning(sharedPid) ? undefined : true))

/** What a secret looks like, for values that no test has seen. */
const SHAPES: readonly (readonly [string, RegExp])[] = [
  ['a JWT', /eyJ[\w-]{10,}\.[\w-]+/],
  ['a manual token', /vsms_[\w-]{20,}/],
  ['a bearer header', /bearer\s+[\w-]{20,}/i],
  // Ends in letters: the version of a package in a stack frame is no address.
  ['an email address', /[\w.+-]+@[\w-]+\.[a-z]{2,}\b/i],
  ['a query string', /[?&](code|state|iss|client_id|number|access_token|scope)=/],
  ['an interaction', /\/interaction\/[\w-]{10,}/],
]

/** Where a value or a shape stands in a log; the value itself is not repeated. */
function findings(lines: readonly string[], secrets: readonly Secret[]): string[] {
  const found = new Set<string>()
  for (const line of lines) {
    for (const { kind, value } of secrets) if (line.includes(value)) found.add(`${kind} in: ${hide(line, value)}`)
    for (const [shape, pattern] of SHAPES)
      if (pattern.test(line)) found.add(`${shape} in: ${line.replace(pattern, '***')}`)
  }
  return [...found]
}

function hide(line: string, value: string): string {
  return line.replaceAll(value, '***')
}

/** All lines of standard output and error of this run, over all starts of the product, the welcome block apart. */
function loggedLines(): string[] {
  const logs = readdirSync(runDir).filter((name) => name.endsWith('.log'))
  return logs.flatMap((name) => withoutWelcome(readFileSync(join(runDir, name), 'utf8').split('\n')))
}

/** The lines outside the block that greets the person; a log line that fell into the middle of it stays. */
function withoutWelcome(lines: readonly string[]): string[] {
  let inside = false
  return lines.filter((line) => {
    if (line === 'VertexSMS Connect is ready.') inside = true
    if (line.startsWith('demo: ')) inside = false
    return !inside || line.startsWith('{"level"')
  })
}

describe('Standard output and error of the whole run, the welcome block apart', () => {
  const lines = loggedLines()
  const secrets = rememberedSecrets().filter(({ value }) => value.length >= 6)

  test('hold no token, password, phone number, message text, email address, code or cookie', () => {
    expect(findings(lines, secrets)).toEqual([])
  })

  test.each(['auth', 'mcp', 'api'])(
    'hold the requests that %s has answered, so that there was something to leak',
    (service) => {
      const requests = lines.filter((line) => line.includes(`"service":"${service}"`) && line.includes('"route"'))
      expect(requests.length).toBeGreaterThan(20)
    },
  )

  test('would show each kind of secret that was used, were it there', () => {
    const kinds = new Map(secrets.map((secret) => [secret.kind, secret]))
    expect([...kinds.keys()]).toEqual(
      expect.arrayContaining([
        'password',
        'invitation',
        'token',
        'upstream token',
        'email',
        'access token',
        'refresh token',
        'authorization code',
        'code verifier',
        'cookie',
        'phone number',
        'message text',
      ]),
    )
    for (const { kind, value } of kinds.values()) {
      const planted = [...lines.slice(0, 3), `{"level":"info","service":"auth","msg":"${value}"}`]
      expect(findings(planted, secrets)).toContainEqual(expect.stringMatching(new RegExp(`^${kind} in: `)))
    }
    for (const example of ['Bearer abcdefghijklmnopqrstuvwxyz', 'GET /cb?code=x', 'someone@example.com']) {
      expect(findings([example], [])).not.toEqual([])
    }
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { programOf } from '../../scripts/demo/program.ts'
import { readOperatorEnvironment } from '../../scripts/demo/settings.ts'
import { rememberSecret } from './secrets.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Stores the account's own token by the operator's command, which reads it from its standard input. */
export async function storeUpstreamToken(dataDir: string, email: string, token: string): Promise<void> {
  await operate(dataDir, ['upstream-token', email, '--check', 'off'], `${token}\n`)
}

/** Says by the operator's command what a lookup costs the account. */
export async function setLookupPrice(dataDir: string, email: string, eur: string): Promise<void> {
  await operate(dataDir, ['upstream', email, '--hlr-price', eur])
}

/** Invites by the operator's command, and resolves with the link that sets the first password; its secret is `link`. */
export async function invite(dataDir: string, email: string): Promise<URL> {
  const said = await operate(dataDir, ['invite', email])
  const link = new URL(/https?:\S+/.exec(said)?.[0] ?? '')
  rememberSecret('invitation', link.searchParams.get('link'))
  return link
}

/** Runs one command beside a running product, and resolves with what it printed. */
async function operate(dataDir: string, command: readonly string[], input = ''): Promise<string> {
  const child = spawn(
    process.execPath,
    [...programOf('apps/auth/src/cli/main.ts', process.env.TEST_PROGRAMS_DIR), ...command],
    {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...readOperatorEnvironment(dataDir) },
    },
  )
  child.stdin.end(input)
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null]>])
  if (code !== 0) throw new Error(`The command ended with ${code}.`)
  return said
}

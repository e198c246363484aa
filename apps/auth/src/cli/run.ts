import { parseArgs } from 'node:util'
import { createDatabase, databaseOptions } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { expectMigrated } from '@vertexsms/db/readiness'
import { sqlStateOf } from '@vertexsms/db/sql-state'
import { TIME_LIMITS } from '@vertexsms/db/time-limits'
import { READ_ONLY } from '@vertexsms/db/unreachable'
import { SealError } from '@vertexsms/secrets/subkey'
import { ConfigurationError } from '@vertexsms/service/env'
import { deleteAccount, exportAccount } from './account-data.ts'
import { accounts, disable, dismiss, enable, invite, requests, reset } from './accounts.ts'
import { activity, timeZone } from './activity.ts'
import { approvals, approve, refuse, settleUnknown } from './approvals.ts'
import { type Command, CommandError, plainText } from './command.ts'
import { readCliEnv } from './env.ts'
import { introspectionClient } from './introspection-client.ts'
import { apiKeys, keys, rotateKeys } from './keys.ts'
import { limits, pause, resume } from './limits.ts'
import { seedDemo } from './seed-demo.ts'
import { removeToken, setToken, upstream } from './upstream.ts'

/** Every command, in the order of the help. */
const COMMANDS: readonly Command[] = [
  requests,
  dismiss,
  invite,
  accounts,
  reset,
  disable,
  enable,
  exportAccount,
  deleteAccount,
  keys,
  rotateKeys,
  apiKeys,
  introspectionClient,
  limits,
  pause,
  resume,
  approvals,
  approve,
  refuse,
  settleUnknown,
  activity,
  timeZone,
  upstream,
  setToken,
  removeToken,
  seedDemo,
]

const HELP = `The operator's commands of the authorization server.

Usage: COMMAND [ARGUMENTS]
  beside the demo       npx -y pnpm operator COMMAND [ARGUMENTS]
  in the auth container node cli.js COMMAND [ARGUMENTS]

${COMMANDS.map(({ usage, summary }) => `  ${usage.padEnd(32)} ${summary}`).join('\n')}
  ${'--help'.padEnd(32)} Show this

Environment (each also as NAME_FILE, naming a file that holds the value):
  DATABASE_URL   The PostgreSQL database of the deployment.
  ISSUER_URL     The public URL that links begin with; http://localhost:4000 if unset.
  OPERATOR_KEY   Only for the commands that say so: the deployment's 32 bytes in base64url.
  API_INTERNAL_URL  The internal listener of the API, where a token is checked before it is stored.

Exit status: 0 done, 1 refused or failed, 2 a command line that is not understood.

Links are printed once and stored as hashes. Hand them over by a way you trust: whoever opens one sets the password.`

/** How a command is typed, behind whatever runs it: the demo's `operator`, or `cli.js` in a container. */
const usageOf = ({ usage }: Command) => `Usage: ${usage}`

/** Where a command reads and writes; the process in production. */
export interface Terminal {
  readonly env: Record<string, string | undefined> | undefined
  readonly readInput: () => Promise<string>
  readonly print: (line: string) => void
  readonly complain: (line: string) => void
}

/** A command line that is not understood: nothing was tried. */
class UsageError extends CommandError {}

/** Runs one command line; returns the exit code: 0 done, 1 refused with a sentence, 2 a line that is not understood. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name = '--help', ...rest] = argv[0] === 'help' ? [...argv.slice(1, 2), '--help'] : argv
  const command = COMMANDS.find(({ usage }) => usage.split(' ')[0] === name)
  const isHelp = (word: string) => word === '--help' || word === '-h'
  if (isHelp(name) || (command && rest.some(isHelp))) {
    terminal.print(command ? `${usageOf(command)}\n${command.summary}.` : HELP)
    return 0
  }
  if (!command) {
    // Below the help: what is said last is what a terminal shows.
    terminal.complain(`${HELP}\n\n${unknownCommand(name)}`)
    return 2
  }
  try {
    const { values, positionals } = readArguments(command, rest)
    const wanted = /^\S+ [A-Z]+\b/.test(command.usage) ? 1 : 0
    if (positionals.length !== wanted) throw new UsageError('That is not how this command is used.')
    await run(command, positionals, values, terminal)
    return 0
  } catch (error) {
    if (!isExpected(error)) {
      // By name and code: a driver's message may quote the connection URL.
      const { name, code } = error as { name?: string; code?: unknown }
      const what = [name, code].filter((part) => typeof part === 'string').join(' ')
      const isReadOnly = sqlStateOf(error) === READ_ONLY
      const hint = isReadOnly
        ? 'The database takes no writes; is it a standby?'
        : 'Is the database running, and DATABASE_URL right?'
      terminal.complain(`The command failed: ${what}. ${hint}`)
      return 1
    }
    const isMisused = error instanceof UsageError
    // What was typed as it is meant is not mended by how it is typed: the sentence says what is.
    terminal.complain(isMisused ? `${error.message}\n${usageOf(command)}` : error.message)
    return isMisused ? 2 : 1
  }
}

/** Enough of what was typed to see the slip in it. */
const TYPED_CHARACTERS_MAX = 40

function unknownCommand(typed: string): string {
  return `There is no command called "${shown(typed)}".`
}

function shown(typed: string): string {
  const characters = [...plainText(typed)]
  return `${characters.slice(0, TYPED_CHARACTERS_MAX).join('')}${characters.length > TYPED_CHARACTERS_MAX ? '…' : ''}`
}

/** Judged here and not by `parseArgs`, which refuses a value such as -1 before a command can say what it takes. */
function readArguments({ options = [] }: Command, args: readonly string[]) {
  const { tokens, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: Object.fromEntries(options.map((option) => [option, { type: 'string' as const }])),
    strict: false,
    tokens: true,
  })
  const all =
    options.length === 0
      ? 'This command takes no options.'
      : `Options of this command, each with a value: ${options.map((option) => `--${option}`).join(', ')}.`
  const values: Record<string, string> = {}
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    if (!rawName.startsWith('--') || !options.includes(name)) {
      throw new UsageError(`There is no option ${shown(rawName)}. ${all}`)
    }
    // An empty value is a variable of the shell that is not set; it must not lift a limit.
    if (value === undefined || value.trim() === '' || (!token.inlineValue && value.startsWith('--'))) {
      throw new UsageError(`The option ${rawName} is without its value. ${all}`)
    }
    if (Object.hasOwn(values, name)) throw new UsageError(`The option ${rawName} is there twice. ${all}`)
    values[name] = value
  }
  return { values, positionals }
}

async function run(
  command: Command,
  args: readonly string[],
  given: Record<string, string>,
  { env: source, readInput, print }: Terminal,
): Promise<void> {
  const env = readCliEnv(source)
  const options = databaseOptions(env)
  const { limits = TIME_LIMITS } = options
  // What may take long may also wait long for what others hold.
  const atLeast = (ms: number) => Math.max(ms, command.statementMs ?? 0)
  const patient = { ...limits, statementMs: atLeast(limits.statementMs), lockMs: atLeast(limits.lockMs) }
  const db = createDatabase({ ...options, limits: patient, poolSize: 2 })
  try {
    await expectMigrated(db)
    const now = await databaseNow(db)
    await command.run({ db, source, issuerUrl: env.ISSUER_URL, now, readInput, print }, args, given)
  } finally {
    await db.$disconnect()
  }
}

function isExpected(error: unknown): error is Error {
  // Of a value that does not open only its key's id and ours are said.
  return error instanceof CommandError || error instanceof ConfigurationError || error instanceof SealError
}

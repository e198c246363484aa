import { parseArgs } from 'node:util'
import { createDatabase } from '@vertexsms/db/client'
import { ConfigurationError } from '@vertexsms/service/env'
import { accounts, disable, dismiss, enable, invite, requests, reset } from './accounts.ts'
import { type Command, CommandError } from './command.ts'
import { readCliEnv } from './env.ts'
import { keys, rotateKeys } from './keys.ts'
import { seedDemo } from './seed-demo.ts'

/** Every command, in the order of the help. */
const COMMANDS: readonly Command[] = [
  requests,
  dismiss,
  invite,
  accounts,
  reset,
  disable,
  enable,
  keys,
  rotateKeys,
  seedDemo,
]

const HELP = `The operator's commands of the authorization server.

Usage: vertexsms COMMAND [ARGUMENTS]

${COMMANDS.map(({ usage, summary }) => `  ${usage.padEnd(32)} ${summary}`).join('\n')}
  ${'--help'.padEnd(32)} Show this

Environment (each also as NAME_FILE, naming a file that holds the value):
  DATABASE_URL   The PostgreSQL database of the deployment.
  ISSUER_URL     The public URL that links begin with; http://localhost:4000 if unset.
  OPERATOR_KEY   Only for the commands about keys: the deployment's 32 bytes in base64url.

Links are printed once and stored as hashes. Hand them over by a way you trust: whoever opens one sets the password.`

async function main(argv: readonly string[]): Promise<number> {
  const [name = '--help', ...rest] = argv
  if (['--help', '-h', 'help'].includes(name) || rest.includes('--help')) {
    console.log(HELP)
    return 0
  }
  const command = COMMANDS.find(({ usage }) => usage.split(' ')[0] === name)
  if (!command) {
    console.error(`There is no command of this name.\n\n${HELP}`)
    return 2
  }
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      allowPositionals: true,
      options: Object.fromEntries((command.options ?? []).map((option) => [option, { type: 'string' as const }])),
    })
    await run(command, positionals, values as Record<string, string>)
    return 0
  } catch (error) {
    if (!isExpected(error)) throw error
    console.error(`${error.message}\nUsage: vertexsms ${command.usage}`)
    return 1
  }
}

async function run(command: Command, args: readonly string[], options: Record<string, string>): Promise<void> {
  const env = readCliEnv()
  const db = createDatabase({ url: env.DATABASE_URL, poolSize: 2, namedStatements: env.DATABASE_NAMED_STATEMENTS })
  try {
    await command.run({ db, issuerUrl: env.ISSUER_URL, now: new Date(), print: console.log }, args, options)
  } finally {
    await db.$disconnect()
  }
}

function isExpected(error: unknown): error is Error {
  if (error instanceof CommandError || error instanceof ConfigurationError) return true
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

process.exitCode = await main(process.argv.slice(2))

// The operator's commands on the demo that is running: `npx -y pnpm operator accounts`, `npx -y pnpm operator invite a@b.example`.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, runToEnd } from './demo/children.ts'
import { programOf } from './demo/program.ts'
import { readOperatorEnvironment, readSettings } from './demo/settings.ts'

/** Help is read before anything runs, and wants no database. */
function asksForHelp(args: string[]): boolean {
  return args.length === 0 || args[0] === 'help' || args.includes('--help') || args.includes('-h')
}

async function main(args: string[]): Promise<number> {
  const { DATA_DIR } = readSettings()
  const env = readOperatorEnvironment(DATA_DIR) ?? (asksForHelp(args) ? {} : undefined)
  if (env === undefined) {
    console.error(`No demo is running on ${DATA_DIR}. Start it with \`npx -y pnpm demo\`, with the same DATA_DIR.`)
    return 1
  }
  // A clone in which nothing was started yet: what the commands import is not made.
  if (!existsSync(join(ROOT, 'packages/db/generated'))) {
    spawnSync('pnpm generate', { cwd: ROOT, shell: true, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  return runToEnd([...programOf('apps/auth/src/cli/main.ts', undefined), ...args], env, [
    'inherit',
    'inherit',
    'inherit',
  ])
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status
  },
  (error: Error) => {
    console.error(error.message)
    process.exitCode = 1
  },
)

// The operator's commands on the demo that is running: `npx -y pnpm operator accounts`, `npx -y pnpm operator invite a@b.example`.
import { runToEnd } from './demo/children.ts'
import { programOf } from './demo/program.ts'
import { readOperatorEnvironment, readSettings } from './demo/settings.ts'

async function main(args: string[]): Promise<number> {
  const { DATA_DIR } = readSettings()
  const env = readOperatorEnvironment(DATA_DIR)
  if (env === undefined) {
    console.error(`No demo is running on ${DATA_DIR}. Start it with \`npx -y pnpm demo\`, with the same DATA_DIR.`)
    return 1
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

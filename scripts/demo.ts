// The whole product on one machine: `npx -y pnpm demo` (`--fresh` starts over, `--verbose` shows requests, `--watch` restarts
// what changes).
import { startEmbedded } from '@vertexsms/db/embedded'
import { migrate } from '@vertexsms/db/migrate'
import { checkSettings, describeApps, internalUrl, publicUrls } from './demo/apps.ts'
import { Children, ROOT, runToEnd } from './demo/children.ts'
import { openLog } from './demo/log.ts'
import { freePort, waitForPorts } from './demo/ports.ts'
import { programBelow } from './demo/program.ts'
import { leftAccountNotes, realAccountNotes, storeRealAccount } from './demo/real-account.ts'
import {
  credentialsFile,
  forget,
  isReal,
  keepOperatorEnvironment,
  keepSecrets,
  readCredentials,
  readSettings,
} from './demo/settings.ts'
import { watchSources } from './demo/watch.ts'
import { welcomeText } from './welcome.ts'

const EXPECTED = new Set(['ConfigurationError', 'FolderLockedError', 'MigrationError', 'Error'])
const FLAGS = ['--fresh', '--verbose', '--watch']
const HELP = `The whole product on this machine: npx -y pnpm demo [OPTIONS]

  --fresh    Start over: everything in the data folder is forgotten
  --verbose  Show requests here, too
  --watch    Restart what changes (npx -y pnpm dev)
  --help     Show this

AUTH_PORT, MCP_PORT and API_PORT choose other ports than 4000, 4001 and 4002, DATA_DIR another folder than .data.
.env.example lists every setting.`
const cleanups: (() => Promise<void>)[] = []
let ending: Promise<never> | undefined

function say(text: string): void {
  console.log(`demo: ${text}`)
}

/** Stops what was started, last first, and ends the process. */
function end(status: number): Promise<never> {
  ending ??= (async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    process.exit(status)
  })()
  return ending
}

async function main(flags: string[]): Promise<void> {
  if (flags.some((flag) => flag === '--help' || flag === '-h')) {
    console.log(HELP)
    return
  }
  const unknown = flags.find((flag) => !FLAGS.includes(flag))
  if (unknown) throw new Error(`unknown option ${unknown}; there are ${FLAGS.join(', ')}, --help`)
  const fresh = flags.includes('--fresh')
  checkSettings()
  const settings = readSettings()
  const { AUTH_PORT, MCP_PORT, API_PORT, DATA_DIR, HOST, DEMO_PROGRAMS_DIR } = settings

  for (const note of realAccountNotes(settings)) say(note)
  say(`starting the database in ${DATA_DIR}${fresh ? ', from nothing' : ''}`)
  const database = await startEmbedded(DATA_DIR, { fresh })
  cleanups.push(() => database.close())
  if (fresh) forget(DATA_DIR)
  const applied = await migrate(database.url)
  if (applied.length > 0) say(`created the tables (${applied.length} migrations)`)
  for (const note of await leftAccountNotes(settings, database.url)) say(note)
  const secrets = keepSecrets(DATA_DIR)

  await waitForPorts({ AUTH_PORT, MCP_PORT, API_PORT }, { host: HOST, waitMs: settings.DEMO_PORT_WAIT_MS, say })
  say('starting the authorization server, the MCP server and the REST API')
  const internalPort = await freePort()
  const apps = describeApps(settings, { databaseUrl: database.url, ...secrets, internalPort })
  const log = openLog(settings.DEMO_LOG_FILE, say, { verbose: flags.includes('--verbose') })
  cleanups.push(async () => log.close())
  const children = new Children({
    say,
    restartDelayMs: settings.DEMO_RESTART_DELAY_MS,
    log: log.descriptor,
    programsDir: DEMO_PROGRAMS_DIR,
  })
  cleanups.push(() => children.stop())
  const { issuer, mcp, api } = publicUrls(settings)
  await Promise.all([
    children.start(apps),
    runToEnd(
      [
        ...programBelow('apps/auth/src/cli/main.ts', DEMO_PROGRAMS_DIR),
        ...['seed-demo', '--credentials', credentialsFile(DATA_DIR)],
      ],
      { DATABASE_URL: database.url, ISSUER_URL: issuer, UPSTREAM: isReal(settings) ? 'vertexsms' : 'sandbox' },
      ['ignore', 'ignore', 'inherit'],
    ).then((status) => {
      if (status !== 0) throw new Error(`preparing the demo account failed with status ${status}`)
    }),
  ])
  if (ending) return
  const operator = {
    DATABASE_URL: database.url,
    ISSUER_URL: issuer,
    OPERATOR_KEY: secrets.operatorKey,
    API_INTERNAL_URL: internalUrl(internalPort),
  }
  await storeRealAccount(settings, { email: readCredentials(DATA_DIR).email, env: operator })
  if (ending) return
  const forgetOperator = keepOperatorEnvironment(DATA_DIR, operator)
  cleanups.push(async () => forgetOperator())
  const urls = { dashboardUrl: issuer, mcpUrl: mcp, apiUrl: api }
  console.log(welcomeText({ ...urls, isReal: isReal(settings), ...readCredentials(DATA_DIR) }))
  say(`requests are logged to ${settings.DEMO_LOG_FILE}; --verbose shows them here`)
  const where = process.env.DATA_DIR === undefined ? '' : `DATA_DIR=${DATA_DIR} `
  say(`commands of the operator, such as inviting people: ${where}npx -y pnpm operator --help`)
  if (isReal(settings)) {
    say('your VertexSMS token is kept in the data folder, sealed: the next start needs UPSTREAM=vertexsms and no token')
  }
  say(`Ctrl-C stops, --fresh starts over; account and token are kept in ${credentialsFile(DATA_DIR)}`)
  if (flags.includes('--watch')) cleanups.push(await watchSources(ROOT, apps, children, say))
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!ending) say('stopping')
    void end(0)
  })
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (ending) return
  // Our own sentences; anything unexpected by name and place, its message may hold a connection URL.
  const { name, message, stack } = error as Error
  const text = EXPECTED.has(name) ? message : `${name}\n${(stack ?? '').split('\n').slice(1).join('\n')}`
  const hint =
    name === 'FolderLockedError'
      ? '. A demo that runs already is stopped by Ctrl-C where it was started; a second one beside it wants DATA_DIR and ports of its own (AUTH_PORT, MCP_PORT, API_PORT)'
      : ''
  console.error(`demo: cannot start: ${text}${hint}`)
  void end(1)
})

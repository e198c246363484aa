// Makes the database logins of the services: `node prepare-database.js`. Safe to run at every start.
import { readPrepareEnv } from './env.ts'
import { prepareDatabase } from './prepare.ts'

try {
  const env = readPrepareEnv()
  const credentials = (url: string) => {
    const { username, password } = new URL(url)
    return { name: decodeURIComponent(username), password: decodeURIComponent(password) }
  }
  const logins = {
    migrate: credentials(env.MIGRATE_DATABASE_URL),
    auth: credentials(env.AUTH_DATABASE_URL),
    api: credentials(env.API_DATABASE_URL),
  }
  await prepareDatabase(env.DATABASE_URL, logins, {
    statementMs: env.DATABASE_STATEMENT_TIMEOUT_MS,
    lockMs: env.DATABASE_LOCK_TIMEOUT_MS,
    idleInTransactionMs: env.DATABASE_IDLE_TRANSACTION_TIMEOUT_MS,
  })
  process.stdout.write('the database logins are ready\n')
} catch (error) {
  // The class and our own sentence; a driver's message could quote the connection URL.
  const { name, code } = error as { name?: string; code?: string }
  process.stderr.write(
    `preparing the database failed: ${name === 'ConfigurationError' ? (error as Error).message : `${name} ${code ?? ''}`}\n`,
  )
  process.exitCode = 1
}

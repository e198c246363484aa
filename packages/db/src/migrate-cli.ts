import { readDatabaseUrl } from './env.ts'
import { migrate } from './migrate.ts'

try {
  const applied = await migrate(readDatabaseUrl())
  for (const name of applied) process.stdout.write(`applied ${name}\n`)
  if (applied.length === 0) process.stdout.write('the database is up to date\n')
} catch (error) {
  // The class and our own sentence; a driver's message could quote the connection URL.
  const { name, code } = error as { name?: string; code?: string }
  const ours = name === 'MigrationError' || name === 'ConfigurationError'
  process.stderr.write(`migration failed: ${ours ? (error as Error).message : `${name} ${code ?? ''}`}\n`)
  process.exitCode = 1
}

// `npx -y pnpm migrate:new NAME` writes the migration that the schema files ask for.
// `npx -y pnpm migrate:check` fails when one is missing.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MIGRATIONS_FOLDER, readMigrations } from '@vertexsms/db/migrate'
import { missingMigration } from '@vertexsms/db/schema-diff'

const NEWEST_FILE = fileURLToPath(new URL('../packages/db/src/newest-migration.ts', import.meta.url))

const [argument] = process.argv.slice(2)
mkdirSync(MIGRATIONS_FOLDER, { recursive: true })
const sql = await missingMigration()

if (argument === '--check') {
  if (sql === null) console.log('migrations and schema agree')
  else {
    console.error(`the schema asks for more than the migrations give; run migrate:new:\n${sql}`)
    process.exitCode = 1
  }
} else if (argument === undefined || !/^[a-z][a-z0-9_]{2,60}$/.test(argument)) {
  console.error('usage: npx -y pnpm migrate:new NAME (lower case, words joined by _)')
  process.exitCode = 1
} else if (sql === null) {
  console.log('nothing to do: migrations and schema agree')
} else {
  const name = `${timestamp()}_${argument}`
  const file = join(MIGRATIONS_FOLDER, name, 'migration.sql')
  mkdirSync(join(file, '..'))
  writeFileSync(file, sql)
  writeFileSync(NEWEST_FILE, readFileSync(NEWEST_FILE, 'utf8').replace(/'.*'/, `'${name}'`))
  console.log(`wrote ${file}; read it before you commit it`)
}

/** The present second, or one after the last migration: names must sort in the order they were made. */
function timestamp(): string {
  const now = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
  const last = readMigrations(MIGRATIONS_FOLDER).at(-1)?.name.slice(0, 14) ?? '0'
  return last < now ? now : String(BigInt(last) + 1n)
}

// Development and CI only: what the schema files ask for and the migrations do not yet give. Prisma's engine, as
// WebAssembly, compares the two over a database in memory: nothing is downloaded and no server is needed.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  type ColumnType,
  ColumnTypeEnum,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
  type SqlResultSet,
} from '@prisma/driver-adapter-utils'
import type { MigrationDirectory } from '@prisma/schema-engine-wasm'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'
import { newSecret } from '@vertexsms/secrets/new-secret'
import type pg from 'pg'
import { embeddedUrl } from './embedded/embedded.ts'
import { servePglite } from './embedded/pglite-server.ts'
import { MIGRATIONS_FOLDER, readMigrations } from './migrate.ts'

const SCHEMA_FOLDER = fileURLToPath(new URL('../../../prisma/schema', import.meta.url))
const NO_FILTERS = { externalTables: [], externalEnums: [] }

/** The SQL that turns the result of all migrations into the schema; null when they agree. */
export async function missingMigration(
  schemaFolder: string = SCHEMA_FOLDER,
  migrationsFolder: string = MIGRATIONS_FOLDER,
): Promise<string | null> {
  const db = await PGlite.create()
  const password = newSecret()
  const server = await servePglite(db, password)
  try {
    const engine = await startEngine(embeddedUrl(password, server.port))
    const { exitCode, stdout } = await engine.diff({
      from: {
        tag: 'migrations',
        baseDir: migrationsFolder,
        lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
        shadowDbInitScript: '',
        migrationDirectories: migrationDirectories(migrationsFolder),
      },
      to: { tag: 'schemaDatamodel', files: schemaFiles(schemaFolder) },
      script: true,
      exitCode: true,
      filters: NO_FILTERS,
    })
    return exitCode === 2 ? (stdout ?? '') : null
  } finally {
    await server.close()
    await db.close()
  }
}

let loaded: Promise<void> | undefined

/**
 * The package's entry imports a .wasm file, which Node does only under a flag: this does the same by hand, and once,
 * because the bindings hold one instance.
 */
function loadEngine(): Promise<void> {
  loaded ??= (async () => {
    const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'))
    const code = readFileSync(join(folder, 'schema_engine_bg.wasm'))
    const { instance } = await WebAssembly.instantiate(code, { './schema_engine_bg.js': { ...bindings } })
    const wasm = instance.exports as { __wbindgen_start(): void }
    ;(bindings as unknown as { __wbg_set_wasm(wasm: unknown): void }).__wbg_set_wasm(wasm)
    wasm.__wbindgen_start()
  })()
  return loaded
}

async function startEngine(url: string): Promise<bindings.SchemaEngine> {
  await loadEngine()
  const prisma = new PrismaPg({ connectionString: url, max: 1 })
  const factory: SqlMigrationAwareDriverAdapterFactory = {
    provider: 'postgres',
    adapterName: prisma.adapterName,
    connect: () => prisma.connect(),
    // The database is empty and in memory: it is its own shadow.
    async connectToShadowDb() {
      const connection = await prisma.connect()
      // Whole: the adapter would cut a script at every semicolon.
      connection.executeScript = async (script) => {
        await connection.underlyingDriver().query(script)
      }
      // PostgreSQL's one-byte "char", which fills its catalogue, is unknown to the adapter; as a cast it is plain text.
      const queryRaw = connection.queryRaw.bind(connection)
      connection.queryRaw = async (query) => {
        try {
          return await queryRaw(query)
        } catch {
          return queryCatalogue(connection.underlyingDriver(), query)
        }
      }
      return connection
    },
  }
  return bindings.SchemaEngine.new({ datamodels: undefined }, () => {}, bindMigrationAwareSqlAdapterFactory(factory))
}

/** A query whose result has "char" columns. Every type that the engine asks the catalogue for is listed. */
async function queryCatalogue(driver: pg.Pool, { sql, args }: SqlQuery): Promise<SqlResultSet> {
  const result = await driver.query({ text: sql, values: args, rowMode: 'array' })
  return {
    columnNames: result.fields.map(({ name }) => name),
    columnTypes: result.fields.map(({ dataTypeID }) => COLUMN_TYPES[dataTypeID] ?? ColumnTypeEnum.Text),
    rows: result.rows,
  }
}

/** Object ids of PostgreSQL's types (pg_type.dat). */
const COLUMN_TYPES: Record<number, ColumnType> = {
  16: ColumnTypeEnum.Boolean,
  18: ColumnTypeEnum.Character,
  20: ColumnTypeEnum.Int64,
  21: ColumnTypeEnum.Int32,
  23: ColumnTypeEnum.Int32,
  26: ColumnTypeEnum.Int64,
  1005: ColumnTypeEnum.Int32Array,
  1009: ColumnTypeEnum.TextArray,
}

function schemaFiles(folder: string): { path: string; content: string }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.prisma'))
    .sort()
    .map((name) => ({ path: join(folder, name), content: readFileSync(join(folder, name), 'utf8') }))
}

function migrationDirectories(folder: string): MigrationDirectory[] {
  return readMigrations(folder).map(({ name, sql }) => ({
    path: name,
    migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
  }))
}

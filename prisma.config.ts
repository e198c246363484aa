import { defineConfig } from 'prisma/config'

// `prisma generate` asks for the schema engine binary although it never runs it, and downloads it
// where it is missing. Any existing file satisfies the check, so nothing is fetched from outside
// the package registry. Migrations do not use that engine either: packages/db/src/migrate.ts.
// biome-ignore lint/style/noProcessEnv: Prisma reads this setting from the environment only
if (process.argv.includes('generate')) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({ schema: 'prisma/schema', migrations: { path: 'prisma/migrations' } })

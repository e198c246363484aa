import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { missingMigration } from '../src/schema-diff.ts'

const SCHEMA = fileURLToPath(new URL('../../../prisma/schema', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'schema-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('schema and migrations', () => {
  it('agree but for a column that has no migration', async () => {
    cpSync(SCHEMA, folder, { recursive: true })
    const file = join(folder, 'accounts.prisma')
    writeFileSync(file, readFileSync(file, 'utf8').replace('model Account {', 'model Account {\n  nickname String?\n'))
    const missing = await missingMigration(folder)
    expect(missing?.trim().split(/\s+/).join(' ')).toBe(
      '-- AlterTable ALTER TABLE "account" ADD COLUMN "nickname" TEXT;',
    )
  })
})

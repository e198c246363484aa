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
  it('agree', async () => expect(await missingMigration()).toBeNull())

  it('are told apart when a column has no migration', async () => {
    cpSync(SCHEMA, folder, { recursive: true })
    const file = join(folder, 'accounts.prisma')
    writeFileSync(file, readFileSync(file, 'utf8').replace('model Account {', 'model Account {\n  nickname String?\n'))
    expect(await missingMigration(folder)).toMatch(/ALTER TABLE "account" ADD COLUMN\s+"nickname" TEXT/)
  })
})

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BIOME = join(dirname(createRequire(import.meta.url).resolve('@biomejs/biome/package.json')), 'bin/biome')

const FORBIDDEN: readonly [file: string, from: string][] = [
  ['apps/auth/src/oidc/up.ts', '../dashboard/paging.ts'],
  ['apps/auth/src/accounts/up.ts', '../interaction/consent.ts'],
  ['apps/auth/src/dashboard/up.ts', '../app.ts'],
  ['apps/mcp/src/tools/up.ts', '../edge/limits.ts'],
  ['apps/mcp/src/protocol/up.ts', '../tools/registry.ts'],
  ['apps/api/src/upstream/sandbox/up.ts', '../../routes/sms.ts'],
  ['apps/api/src/guard/up.ts', '../upstream/upstream.ts'],
  ['apps/api/src/up.ts', './server.ts'],
  ['apps/api/src/guard/driver.ts', '@prisma/client'],
  ['apps/mcp/src/app.ts', '../../../apps/api/src/app.ts'],
]
const ALLOWED: readonly [file: string, from: string][] = [
  ['apps/auth/src/dashboard/down.ts', '../oidc/api-tokens.ts'],
  ['apps/mcp/src/edge/down.ts', '../protocol/methods.ts'],
  ['apps/api/src/routes/down.ts', '../upstream/upstream.ts'],
  ['apps/api/src/server.ts', './app.ts'],
  ['apps/api/src/app.ts', './guard/guard.ts'],
]

let folder: string
let report: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'import-rules-'))
  const { vcs: _, $schema: __, ...rules } = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'))
  writeFileSync(join(folder, 'biome.json'), JSON.stringify(rules))
  for (const [file, from] of [...FORBIDDEN, ...ALLOWED]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), `import { thing } from '${from}'\n\nthing()\n`)
  }
  const args = [BIOME, 'lint', '--only=style/noRestrictedImports', '--max-diagnostics=none', '.']
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  report = stdout + stderr
})
afterAll(() => rmSync(folder, { recursive: true }))

it.each(FORBIDDEN)('%s may not import %s', (file) => {
  expect(report).toContain(`${file}:1:23 lint/style/noRestrictedImports`)
})

it.each(ALLOWED)('%s may import %s', (file) => {
  expect(report).toContain('lint/style/noRestrictedImports')
  expect(report).not.toContain(`${file}:`)
})

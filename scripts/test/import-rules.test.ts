import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ROOMS } from '../rooms.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BIOME = join(dirname(createRequire(import.meta.url).resolve('@biomejs/biome/package.json')), 'bin/biome')

const FORBIDDEN: readonly [file: string, from: string][] = [
  ['apps/auth/src/authorization/up.ts', '../consent/decide.ts'],
  ['apps/auth/src/authorization/tokens/up.ts', '../adapters/adapters.ts'],
  ['apps/auth/src/authorization/clients/up.ts', '../../settings/token-list.ts'],
  ['apps/auth/src/accounts/up.ts', '../web/page.ts'],
  ['apps/auth/src/connections/up.ts', '../accounts/session.ts'],
  ['apps/auth/src/words/up.ts', '../connections/limits.ts'],
  ['apps/auth/src/connections/page.ts', '../views/pages.ts'],
  ['apps/auth/src/accounts/page.ts', '../views/pages.ts'],
  ['apps/auth/src/words/page.ts', '../views/pages.ts'],
  ['apps/auth/src/views/up.ts', '../web/page.ts'],
  ['apps/auth/src/web/up.ts', '../authorization/request/paths.ts'],
  ['apps/auth/src/authorization/request/up.ts', '../clients/registration.ts'],
  ['apps/auth/src/authorization/tokens/out.ts', '../keys.ts'],
  ['apps/auth/src/settings/up.ts', '../app.ts'],
  ['apps/auth/src/settings/across.ts', '../sign-in/sign-in.ts'],
  ['apps/mcp/src/tools/up.ts', '../endpoint/limits.ts'],
  ['apps/mcp/src/endpoint/across.ts', '../tools/registry.ts'],
  ['apps/mcp/src/protocol/up.ts', '../tools/registry.ts'],
  ['apps/mcp/src/api/up.ts', '../protocol/methods.ts'],
  ['apps/mcp/src/caller/up.ts', '../api/session.ts'],
  ['apps/mcp/src/resources/up.ts', '../endpoint/respond.ts'],
  ['apps/api/src/http/up.ts', '../guard/guard.ts'],
  ['apps/api/src/message/up.ts', '../upstream/upstream.ts'],
  ['apps/api/src/limits/up.ts', '../ledger/admit.ts'],
  ['apps/api/src/ledger/up.ts', '../routes/sms.ts'],
  ['apps/api/src/ledger/across.ts', '../sending/repeat.ts'],
  ['apps/api/src/activity/up.ts', '../ledger/admit.ts'],
  ['apps/api/src/limits/across.ts', '../activity/record.ts'],
  ['apps/api/src/message/across.ts', '../sending/request.ts'],
  ['apps/api/src/sending/across.ts', '../routes/sms.ts'],
  ['apps/api/src/upstream/across.ts', '../sending/reports.ts'],
  ['apps/api/src/sending/up.ts', '../jobs/callbacks.ts'],
  ['apps/api/src/upstream/up.ts', '../ledger/settle.ts'],
  ['apps/api/src/upstream/sandbox/up.ts', '../../routes/sms.ts'],
  ['apps/api/src/upstream/sandbox/across.ts', '../vertexsms/client.ts'],
  ['apps/api/src/upstream/vertexsms/up.ts', '../../routes/sms.ts'],
  ['apps/api/src/upstream/vertexsms/across.ts', '../sandbox/hash.ts'],
  ['apps/api/src/guard/up.ts', '../upstream/upstream.ts'],
  ['apps/api/src/up.ts', './server.ts'],
  ['apps/api/src/guard/driver.ts', '@prisma/client'],
  ['apps/mcp/src/app.ts', '../../../apps/api/src/app.ts'],
]
const ALLOWED: readonly [file: string, from: string][] = [
  ['apps/auth/src/settings/down.ts', '../connections/tokens.ts'],
  ['apps/auth/src/authorization/adapters/down.ts', '../tokens/token-store.ts'],
  ['apps/auth/src/accounts/down.ts', '../connections/end.ts'],
  ['apps/auth/src/connections/down.ts', '../words/words.ts'],
  ['apps/auth/src/views/down.ts', '../connections/who.ts'],
  ['apps/auth/src/web/down.ts', '../views/pages.ts'],
  ['apps/mcp/src/endpoint/down.ts', '../protocol/methods.ts'],
  ['apps/mcp/src/api/down.ts', '../caller/refusal.ts'],
  ['apps/api/src/routes/down.ts', '../upstream/upstream.ts'],
  ['apps/api/src/routes/sends.ts', '../sending/send.ts'],
  ['apps/api/src/sending/down.ts', '../ledger/admit.ts'],
  ['apps/api/src/ledger/down.ts', '../limits/judge.ts'],
  ['apps/api/src/upstream/sandbox/down.ts', '../operators.ts'],
  ['apps/api/src/upstream/vertexsms/down.ts', '../operators.ts'],
  ['apps/api/src/server.ts', './app.ts'],
  ['apps/api/src/app.ts', './guard/guard.ts'],
]

const ZOD = { 'apps/mcp/src/tools/zod-object.ts': '{ z }', 'apps/mcp/src/tools/zod-names.ts': '* as z' }

let folder: string
let report: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'import-rules-'))
  const { vcs: _, $schema: __, ...rules } = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'))
  writeFileSync(join(folder, 'biome.json'), JSON.stringify(rules))
  copyFileSync(join(ROOT, 'biome.imports.json'), join(folder, 'biome.imports.json'))
  for (const [file, from] of [...FORBIDDEN, ...ALLOWED]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), `import { thing } from '${from}'\n\nthing()\n`)
  }
  for (const [file, what] of Object.entries(ZOD))
    writeFileSync(join(folder, file), `import ${what} from 'zod'\n\nz.any()\n`)
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

it('zod is imported as a namespace, never as its object of everything', () => {
  const [refused, taken] = Object.keys(ZOD)
  expect(report).toContain(`${refused}:1:10 lint/style/noRestrictedImports`)
  expect(report).not.toContain(`${taken}:`)
})

it.each(Object.keys(ROOMS))('every folder of apps/%s with code in it has its rule', (app) => {
  const files = readdirSync(join(ROOT, 'apps', app, 'src'), { recursive: true, encoding: 'utf8' })
  const folders = new Set(files.filter((file) => file.endsWith('.ts')).map(dirname))
  expect([...folders].filter((folder) => folder !== '.').sort()).toEqual(Object.keys(ROOMS[app] ?? {}).sort())
})

it('every room names only rooms that are there, and none that stands above it', () => {
  for (const rooms of Object.values(ROOMS)) {
    const order = Object.keys(rooms)
    for (const [room, open] of Object.entries(rooms)) {
      for (const other of open) {
        expect(order).toContain(other)
        if (!other.startsWith(`${room}/`)) expect(order.indexOf(other)).toBeLessThan(order.indexOf(room))
      }
    }
  }
})

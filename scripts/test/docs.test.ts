import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LIVE } from '@vertexsms/contract/discovery'
import { ERRORS } from '@vertexsms/contract/errors'
import { TOOL_NAMES } from '@vertexsms/contract/scopes'
import { expect, it } from 'vitest'
import { documents, outdated } from '../gen-docs.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

it('the generated pages are up to date (npx -y pnpm gen)', () => {
  expect(outdated()).toEqual([])
})

it('the generated pages name every code and every tool', () => {
  for (const code of Object.keys(ERRORS)) expect(documents().get('docs/errors.md')).toContain(`\`${code}\``)
  for (const tool of TOOL_NAMES) expect(documents().get('docs/tools.md')).toContain(`## ${tool}`)
})

it('the page of the tools says that no scope contains another (MCP 2026-07-28, authorization)', () => {
  expect(documents().get('docs/tools.md')).toContain('Scopes have no hierarchy')
})

it('the page of the REST API leads nobody to the live service with a token of another installation', () => {
  expect(documents().get('docs/rest.md')).toContain('http://localhost:4002')
  expect(documents().get('docs/rest.md')).not.toContain(LIVE.api)
})

it('the page for operators explains every alarm, and none that nothing raises', () => {
  const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8')
  const alarms = ['apps', 'packages'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).flatMap((name) => alarmsBelow(join(ROOT, folder, name, 'src'))),
  )
  expect(alarms.length).toBeGreaterThan(20)
  const explained = [...page.matchAll(/^\| `(?:error|warn)`, ([^|]+)/gm)].flatMap(([, lines = '']) =>
    [...lines.matchAll(/`(?!event: )([^`]+)`/g)].map(([, text]) => text),
  )
  expect(new Set(explained)).toEqual(new Set(alarms))
})

/** What the sources of a folder log as a warning or an error: the quoted texts of such calls; names have no spaces. */
function alarmsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(ALARM)])
    .flatMap(([, told = '']) => [...told.matchAll(/'([^']*)'/g)].map(([, text = '']) => text))
    .filter((text) => text.trim().includes(' '))
}

/** A call of a logger up to its closing parenthesis, with those that stand within. */
const ALARM = /\b(?:log|logger|requestLog\(\))\.(?:warn|error|fatal)\(((?:[^()]|\([^()]*\))*)\)/gi

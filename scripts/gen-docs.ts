// Writes docs/errors.md, docs/rest.md, docs/tools.md and server.json from the catalogues and the tools themselves, and
// biome.imports.json from the rooms, so that they cannot drift.
// `npx -y pnpm gen` writes them, `npx -y pnpm docs:check` fails when they are not up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { LIVE, registryEntry } from '@vertexsms/contract/discovery'
import { errorsPage } from '@vertexsms/contract/errors-page'
import { openApiDocument } from '@vertexsms/contract/openapi'
import { referencePage } from '@vertexsms/contract/reference'
// biome-ignore lint/style/noRestrictedImports: the page is made from the tools as they are served
import { toolsPage } from '../apps/mcp/src/tools-page.ts'
import manifest from '../package.json' with { type: 'json' }
import { importRules } from './rooms.ts'

/** Not that of the live service, which knows no token of another installation. */
const API_ADDRESS = 'that of your installation (`API_RESOURCE_URL`), `http://localhost:4002` in the demo'

const NOTICE = '<!-- Made by `npx -y pnpm gen`. Do not edit by hand. -->'

/** The generated files: path under the repository, and text. */
export function documents(): ReadonlyMap<string, string> {
  const pages = {
    'docs/errors.md': errorsPage(),
    'docs/rest.md': referencePage(openApiDocument(LIVE.api, manifest.version), API_ADDRESS),
    'docs/tools.md': toolsPage(),
  }
  return new Map([
    ...Object.entries(pages).map(([path, text]) => [path, `${NOTICE}\n\n${text}`] as const),
    ['server.json', json(registryEntry(LIVE, manifest.version))],
    ['biome.imports.json', importRulesFile()],
  ])
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/** One override a line, so that a change of a room is a change of its line. */
function importRulesFile(): string {
  const { linter, overrides } = importRules()
  const lines = overrides.map((override) => JSON.stringify(override)).join(',\n')
  return `{ "linter": ${JSON.stringify(linter)}, "overrides": [\n${lines}\n] }\n`
}

const root = new URL('../', import.meta.url)

/** The paths of files that are not what would be written now. */
export function outdated(): string[] {
  return [...documents()].filter(([path, text]) => readOrEmpty(new URL(path, root)) !== text).map(([path]) => path)
}

function readOrEmpty(url: URL): string {
  try {
    return readFileSync(url, 'utf8')
  } catch {
    return ''
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const paths = outdated()
    for (const path of paths) console.error(`${path} is out of date: run npx -y pnpm gen`)
    process.exitCode = paths.length === 0 ? 0 : 1
  } else {
    for (const [path, text] of documents()) {
      writeFileSync(new URL(path, root), text)
      console.log(`wrote ${path}`)
    }
  }
}

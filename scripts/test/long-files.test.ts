import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDERS = ['apps', 'bench', 'e2e', 'packages', 'scripts']

/** What others wrote, or a program. */
const NOT_OURS = new Set(['node_modules', 'dist', 'generated', 'test-results', '.turbo'])

const LINES_MAX = 250

function* sourcesIn(folder: string): Generator<string> {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory() && !NOT_OURS.has(entry.name)) yield* sourcesIn(path)
    if (entry.isFile() && /\.(ts|js|css)$/.test(entry.name)) yield path
  }
}

/**
 * True for a text that begins with a comment, or that needs no explanation. One beneath the imports is the sentence that every
 * export has, and says nothing of the file.
 */
const isExplained = (text: string) => text.split('\n').length <= LINES_MAX + 1 || /^(\/\/ |\/\*)/.test(text)

it('a file past 250 lines says at its top why', () => {
  const silent = FOLDERS.flatMap((folder) => [...sourcesIn(folder)]).filter(
    (path) => !isExplained(readFileSync(join(ROOT, path), 'utf8')),
  )
  expect(silent).toEqual([])
})

it('one that says nothing is found', () => {
  const lines = (count: number) => 'export {}\n'.repeat(count)
  const beneath = `import { a } from 'a'\n\n/** What this export is. */\n${lines(251)}`
  expect([lines(250), lines(251), beneath].map(isExplained)).toEqual([true, false, false])
  expect([`// Why.\n${lines(251)}`, `/* Why. */\n${lines(251)}`].map(isExplained)).toEqual([true, true])
})

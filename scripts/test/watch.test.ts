// What `dev` notices, in a copy of the workspace's manifests with a source file or two each.
import { EventEmitter, once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from '../demo/children.ts'
import { watchSources } from '../demo/watch.ts'

const WITHIN_MS = 60_000
const APPS = [{ name: 'auth' }, { name: 'mcp' }, { name: 'api' }] as const

let root: string
let restarts: EventEmitter
let restarted: string[]
let told: string[]
let end: () => Promise<void>
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'watch-'))
  for (const kind of ['apps', 'packages']) {
    for (const name of readdirSync(join(ROOT, kind))) {
      const manifest = join(kind, name, 'package.json')
      cpSync(join(ROOT, manifest), join(root, manifest))
      write(`${kind}/${name}/src/file.ts`)
      write(`${kind}/${name}/src/below/file.ts`)
    }
  }
  restarts = new EventEmitter()
  restarted = []
  told = []
  const restart = async ({ name }: { name: string }) => {
    restarted.push(name)
    restarts.emit(name)
  }
  end = await watchSources(root, APPS, { restart }, (text) => told.push(text))
})
afterEach(async () => {
  await end()
  rmSync(root, { recursive: true, force: true })
})

let writes = 0
function write(file: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writes += 1
  writeFileSync(join(root, file), `// ${writes}`)
}

/** As git, `sed -i` and most editors save: a new file takes the old one's name. */
function replace(file: string): void {
  write(`${file}.new`)
  renameSync(join(root, `${file}.new`), join(root, file))
}

/** Resolves once each of the apps was restarted because of what `change` does. */
async function restartedBy(apps: readonly string[], change: () => void): Promise<void> {
  const seen = apps.map((app) => once(restarts, app, { signal: AbortSignal.timeout(WITHIN_MS) }))
  change()
  await Promise.all(seen)
}

/** What was restarted because of what `change` does, once two later changes of the others were noticed. */
async function restartedBeside(others: readonly string[], change: () => void): Promise<string[]> {
  restarted = []
  change()
  for (let round = 0; round < 2; round++) {
    await restartedBy(others, () => {
      for (const app of others) replace(`apps/${app}/src/file.ts`)
    })
  }
  return restarted.filter((app) => !others.includes(app))
}

describe('dev', () => {
  it.each(['apps/mcp/src/file.ts', 'apps/mcp/src/below/file.ts'])(
    'notices %s each time that it is replaced',
    async (file) => {
      for (let time = 0; time < 3; time++) await restartedBy(['mcp'], () => replace(file))
    },
  )

  it('notices a file each time that it is written in place', async () => {
    for (let time = 0; time < 3; time++) await restartedBy(['mcp'], () => write('apps/mcp/src/below/file.ts'))
  })

  it('notices a file that is removed, and one that comes in its place', async () => {
    const file = 'apps/mcp/src/below/file.ts'
    for (let time = 0; time < 2; time++) {
      await restartedBy(['mcp'], () => unlinkSync(join(root, file)))
      await restartedBy(['mcp'], () => write(file))
    }
    await restartedBy(['mcp'], () => replace(file))
  })

  it('notices a file in a new folder, and in one that was removed and made again', async () => {
    const folder = join(root, 'apps/mcp/src/new')
    for (let time = 0; time < 2; time++) {
      await restartedBy(['mcp'], () => write('apps/mcp/src/new/deep/file.ts'))
      await restartedBy(['mcp'], () => replace('apps/mcp/src/new/deep/file.ts'))
      await restartedBy(['mcp'], () => rmSync(folder, { recursive: true }))
    }
  })

  it.each([
    ['access-token', ['auth', 'mcp', 'api'], []],
    ['contract', ['auth', 'mcp', 'api'], []],
    ['service', ['auth', 'mcp', 'api'], []],
    ['db', ['auth', 'api'], ['mcp']],
    ['secrets', ['auth', 'api'], ['mcp']],
  ])('restarts for a change of packages/%s the apps that need it: %j', async (name, needing, others) => {
    const file = `packages/${name}/src/below/file.ts`
    await restartedBy(needing, () => replace(file))
    await restartedBy(needing, () => replace(file))
    expect(restarted.filter((app) => others.includes(app))).toEqual([])
  })

  it('restarts only the app whose file changed, and says which', async () => {
    expect(await restartedBeside(['auth'], () => {})).toEqual([])
    expect(new Set(told)).toEqual(new Set(['auth changed, starting it again']))
  })

  it.each([
    'apps/mcp/test/file.test.ts',
    'apps/mcp/node_modules/library/index.js',
    'apps/mcp/dist/server.js',
    'packages/service/test/file.test.ts',
    'packages/db/generated/client.ts',
    'apps/mcp/src/.file.ts.swp',
    'apps/mcp/src/file.ts~',
  ])('leaves everything running when %s changes', async (file) => {
    expect(await restartedBeside(['api'], () => write(file))).toEqual([])
  })
})

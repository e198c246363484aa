import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { watch } from 'chokidar'
import type { AppDescription } from './apps.ts'

/** Saving several files is one change. */
const SETTLE_MS = 200
/** What an editor keeps beside the file that is open. */
const OF_EDITOR = /^\.|~$/
const PACKAGE = '@vertexsms/'

/**
 * Restarts an app when its source changes below `root`, or that of a package it needs, however the file was saved. Resolves
 * once every source is watched, with what ends the watching; rejects with the system's error where that cannot be.
 */
export async function watchSources<App extends Pick<AppDescription, 'name'>>(
  root: string,
  apps: readonly App[],
  children: { restart(app: App): Promise<void> },
  say: (text: string) => void,
): Promise<() => Promise<void>> {
  const timers = new Map<App, NodeJS.Timeout>()
  const watchers = apps.map((app) => {
    const restart = () => {
      say(`${app.name} changed, starting it again`)
      void children.restart(app)
    }
    return watch([...new Set(sourcesOf(root, `apps/${app.name}`))], {
      ignored: (path) => OF_EDITOR.test(basename(path)),
      ignoreInitial: true,
    })
      .on('all', () => {
        clearTimeout(timers.get(app))
        timers.set(app, setTimeout(restart, SETTLE_MS))
      })
      .on('error', (error) => say(`a change of ${app.name} may go unnoticed: ${(error as Error).message}`))
  })
  await Promise.all(watchers.map((watcher) => once(watcher, 'ready')))
  return async () => {
    await Promise.all(watchers.map((watcher) => watcher.close()))
    for (const timer of timers.values()) clearTimeout(timer)
  }
}

/** The source folders of an app or a package and of all packages that its manifest names, however far down. */
function sourcesOf(root: string, folder: string): string[] {
  const { dependencies } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const packages = Object.keys(dependencies).filter((name) => name.startsWith(PACKAGE))
  return [
    join(root, folder, 'src'),
    ...packages.flatMap((name) => sourcesOf(root, `packages/${name.slice(PACKAGE.length)}`)),
  ]
}

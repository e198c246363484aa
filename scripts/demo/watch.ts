import { watch } from 'node:fs'
import { join } from 'node:path'
import type { AppDescription } from './apps.ts'
import { type Children, ROOT } from './children.ts'

/** Saving several files is one change. */
const SETTLE_MS = 200

/** Restarts an app when its source changes, and all of them when a package's does. */
export function watchSources(apps: AppDescription[], children: Children, say: (text: string) => void): void {
  const changed = new Set<AppDescription>()
  let timer: NodeJS.Timeout | undefined
  const note = (affected: AppDescription[]) => {
    for (const app of affected) changed.add(app)
    clearTimeout(timer)
    timer = setTimeout(() => {
      for (const app of changed) {
        say(`${app.name} changed, starting it again`)
        void children.restart(app)
      }
      changed.clear()
    }, SETTLE_MS)
  }
  for (const app of apps) watch(join(ROOT, 'apps', app.name, 'src'), { recursive: true }, () => note([app]))
  for (const name of ['contract', 'db', 'service']) {
    watch(join(ROOT, 'packages', name, 'src'), { recursive: true }, () => note(apps))
  }
}

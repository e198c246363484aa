import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle } from '@vertexsms/service/bundle'
import { ROOT } from './process.ts'

const folders: string[] = []
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const images = new Map<string, string>()

/** Makes what the container image of an app holds, once; gives its folder, which goes when this process ends. */
export function imageOf(app: 'auth' | 'mcp' | 'api'): string {
  let folder = images.get(app)
  if (folder === undefined) {
    folder = temporary()
    execFileSync(process.execPath, ['--import', 'tsx', 'scripts/image/bundle.ts', app, folder], { cwd: ROOT })
    images.set(app, folder)
  }
  return folder
}

/** One of our own programs as a single file, bundled as the image of an app is, so that no loader counts against it. */
export async function bundleOf(script: string): Promise<string> {
  const folder = temporary()
  await bundle({
    programs: { program: script },
    folder,
    target: 'node20',
    ownUrl: (place) => JSON.stringify(pathToFileURL(join(ROOT, place)).href),
  })
  return join(folder, 'program.js')
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vertexsms-bench-'))
  folders.push(folder)
  return folder
}

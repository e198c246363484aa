import { execFile } from 'node:child_process'
import { delimiter, join } from 'node:path'

/** A program from npm that needs a newer Node than the product does, with the Node that runs it. */
export interface NpxProgram {
  readonly node: string
  readonly script: string
}

const FETCH_MS = 180_000
const WHERE_AM_I = 'process.stdout.write(JSON.stringify([process.execPath, process.env.PATH]))'

/**
 * Lets npx fetch a package together with Node 24 and resolves with where both are; null where they cannot be had (no
 * network, no npx).
 */
export function fetchProgram(packageSpec: string, command: string): Promise<NpxProgram | null> {
  const args = ['-y', '-p', 'node@24', '-p', packageSpec, '--', 'node', '-e', WHERE_AM_I]
  return new Promise((resolve) => {
    execFile('npx', args, { timeout: FETCH_MS }, (error, stdout) => {
      if (error !== null) return resolve(null)
      const [node = '', path = ''] = JSON.parse(stdout) as string[]
      resolve({ node, script: join(path.split(delimiter)[0] ?? '', command) })
    })
  })
}

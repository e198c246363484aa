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
 * Lets npx fetch packages together with Node 24 and resolves with where the command and Node are; null where they cannot
 * be had in time (no network, no npx). They are kept in `cache`, or where npm keeps everything.
 */
export function fetchProgram(
  packages: readonly string[],
  command: string,
  { cache, timeoutMs = FETCH_MS }: { readonly cache?: string; readonly timeoutMs?: number } = {},
): Promise<NpxProgram | null> {
  const wanted = ['node@24', ...packages].flatMap((one) => ['-p', one])
  const args = ['-y', ...(cache === undefined ? [] : ['--cache', cache]), ...wanted, '--', 'node', '-e', WHERE_AM_I]
  return new Promise((resolve) => {
    execFile('npx', args, { timeout: timeoutMs }, (error, stdout) => {
      if (error !== null) return resolve(null)
      const [node = '', path = ''] = JSON.parse(stdout) as string[]
      resolve({ node, script: join(path.split(delimiter)[0] ?? '', command) })
    })
  })
}

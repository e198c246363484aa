import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

// The Inspector needs Node 22.19 or later; npx fetches it together with a Node of its own.
const NPX_ARGUMENTS = ['-y', '-p', 'node@24', '-p', '@modelcontextprotocol/inspector@2.12.0', '--', 'node', '-e']
const FETCH_MS = 120_000
const RUN_MS = 60_000

/** What one run of the Inspector's command line came to. */
export interface InspectorRun {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** The MCP Inspector's command line; every run has a home folder of its own. */
export interface Inspector {
  run(args: readonly string[]): Promise<InspectorRun>
}

/** Fetches the Inspector; null where it cannot be had (no network, no npx). */
export async function findInspector(): Promise<Inspector | null> {
  const script = 'process.stdout.write(JSON.stringify([process.execPath, process.env.PATH]))'
  const found = await execute('npx', [...NPX_ARGUMENTS, script], process.env, FETCH_MS).catch(() => null)
  if (found === null || found.exitCode !== 0) return null
  const [node = '', path = ''] = JSON.parse(found.stdout) as string[]
  const program = join(path.split(delimiter)[0] ?? '', 'mcp-inspector')
  return {
    run: async (args) => {
      const home = mkdtempSync(join(tmpdir(), 'vertexsms-inspector-'))
      const env = { ...process.env, HOME: home, BROWSER: 'true' }
      return execute(node, [program, '--cli', ...args], env, RUN_MS).finally(() =>
        rmSync(home, { recursive: true, force: true }),
      )
    },
  }
}

function execute(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  timeout: number,
): Promise<InspectorRun> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { env, timeout }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

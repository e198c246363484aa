import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchProgram } from '../npx-program.ts'

const PACKAGE = '@modelcontextprotocol/inspector@2.12.0'
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

/** Fetches the Inspector; null where it cannot be had. */
export async function findInspector(): Promise<Inspector | null> {
  const program = await fetchProgram([PACKAGE], 'mcp-inspector')
  if (program === null) return null
  return {
    run: (args) => {
      const home = mkdtempSync(join(tmpdir(), 'vertexsms-inspector-'))
      const options = { timeout: RUN_MS, env: { ...process.env, HOME: home, BROWSER: 'true' } }
      return new Promise<InspectorRun>((resolve, reject) => {
        execFile(program.node, [program.script, '--cli', ...args], options, (error, stdout, stderr) => {
          if (error !== null && typeof error.code !== 'number') reject(error)
          else resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr })
        })
      }).finally(() => rmSync(home, { recursive: true, force: true }))
    },
  }
}

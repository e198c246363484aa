import { readFileSync } from 'node:fs'
import type { ClientProgram } from './programs.ts'
import type { PackageName } from './versions.ts'

/** A library, in the program that its reader writes with it; the file of a client with the same members configures it. */
function adapter(name: string, packages: readonly PackageName[]): ClientProgram {
  const source = (file: string) => readFileSync(new URL(`adapters/${file}`, import.meta.url), 'utf8')
  return {
    name,
    packages,
    command: 'node',
    async connect({ home, way, server, block, call, run, signIn }) {
      home.write(`${name}.mjs`, source(`${name}.mjs`))
      home.write('provider.mjs', source('provider.mjs'))
      home.write('mcp.json', block('claude-code', '.mcp.json'))
      home.write('call.json', JSON.stringify({ server, ...call, signsIn: way === 'sign-in' }))
      const program = `node ${name}.mjs > answer.json`
      await (way === 'sign-in' ? signIn(program) : run(program))
      const answer = await run('cat answer.json')
      return (words) => answer.includes(words)
    },
  }
}

/** Libraries that bring the tools of a server to a program. */
export const ADAPTERS: readonly ClientProgram[] = [
  adapter('langchain', ['@langchain/mcp-adapters', '@langchain/core']),
  adapter('ai-sdk', ['@ai-sdk/mcp']),
]

import { ADAPTERS } from './adapters.ts'
import { AGENTS } from './agents.ts'
import { inspectorPage } from './inspector-page.ts'
import { mcpRemote } from './mcp-remote.ts'
import type { Shown, Trial } from './trial.ts'
import type { PackageName } from './versions.ts'

/** One program of others, in the version that is tried. */
export interface ClientProgram {
  readonly name: string
  /** From npm, in the versions of the table. */
  readonly packages: readonly PackageName[]
  readonly command: string
  /** What a package must run once before it works, under its folder `node_modules`. */
  readonly prepare?: string
  /** True for one that is used in a browser. */
  readonly needsBrowser?: boolean
  /** Why it is not tried with a sign-in. */
  readonly noSignIn?: string
  /** Connects it by the page's block and lets it make the one call; throws what went wrong. */
  readonly connect: (trial: Trial) => Promise<Shown>
}

const mcporter: ClientProgram = {
  name: 'mcporter',
  packages: ['mcporter'],
  command: 'mcporter',
  async connect({ home, way, server, block, call, run, signIn }) {
    home.write('config/mcporter.json', block('cursor', '.cursor/mcp.json'))
    if (way === 'sign-in') await signIn(`mcporter auth ${server}`)
    const output = await run(`mcporter call ${server}.${call.tool} --args '${JSON.stringify(call.args)}' --output json`)
    return (words) => output.includes(words)
  },
}

/** Every program that is tried, agents first. */
export const PROGRAMS: readonly ClientProgram[] = [...AGENTS, inspectorPage, mcpRemote, mcporter, ...ADAPTERS]

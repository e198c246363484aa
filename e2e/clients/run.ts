// Connects real programs to a running demo as a new user does, by the blocks of the page and with a home of their own:
// `npx -y pnpm clients [NAME...]`, beside `npx -y pnpm demo`. They come from npm, so this is no part of the tests.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { clientGuides, TOKEN_SERVER_NAME } from '@vertexsms/contract/connect'
import { publicUrls } from '../../scripts/demo/apps.ts'
import { readCredentials, readSettings } from '../../scripts/demo/settings.ts'
import { fetchProgram } from '../support/npx-program.ts'

const RUN_MS = 120_000

interface ClientProgram {
  readonly package: string
  readonly command: string
  /** What a package of npm must run once before it works, under its folder. */
  readonly prepare?: string
  /** What a person types, one shell command each; the last one tells whether it is connected. */
  readonly steps: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly expected: RegExp
}

const settings = readSettings()
const { mcp, api } = publicUrls(settings)
const { token } = readCredentials(settings.DATA_DIR)
const guides = clientGuides(mcp, token)

/** The command of the page that uses the token. */
function tokenCommand(id: string): string {
  const block = guides.find((guide) => guide.id === id)?.tokenBlocks.find(({ place }) => place === 'Terminal')
  if (block === undefined) throw new Error(`the page has no command for ${id}`)
  return block.text
}

const PROGRAMS: Readonly<Record<string, ClientProgram>> = {
  'claude-code': {
    package: '@anthropic-ai/claude-code@2.1.332',
    command: 'claude',
    prepare: '@anthropic-ai/claude-code/install.cjs',
    steps: [tokenCommand('claude-code'), 'claude mcp list'],
    expected: /vertexsms-token: .* Connected/,
  },
  gemini: {
    package: '@google/gemini-cli@0.61.0',
    command: 'gemini',
    steps: [tokenCommand('gemini'), 'gemini mcp list'],
    // In a folder that a person has not yet trusted it connects to nothing.
    env: { GEMINI_CLI_TRUST_WORKSPACE: 'true' },
    expected: /vertexsms-token: .* Connected/,
  },
  mcporter: {
    package: 'mcporter@0.12.3',
    command: 'mcporter',
    steps: [`mcporter call ${TOKEN_SERVER_NAME}.get_sms_rates country=LT`],
    expected: /"country_name": "Lithuania"/,
  },
}

/** Runs one program in an empty home; the reason why it is not connected, or undefined. */
async function connect({ prepare, steps, env, expected, ...program }: ClientProgram): Promise<string | undefined> {
  const found = await fetchProgram(program.package, program.command)
  if (found === null) return `${program.package} could not be fetched`
  const home = mkdtempSync(join(tmpdir(), 'vertexsms-client-'))
  try {
    const bin = dirname(found.script)
    const installer = prepare === undefined ? undefined : join(bin, '..', prepare)
    if (installer !== undefined && existsSync(installer)) spawnSync(found.node, [installer], { timeout: RUN_MS })
    mkdirSync(join(home, 'config'))
    const cursorShape = guides.find(({ id }) => id === 'cursor')?.tokenBlocks[0]?.text ?? ''
    writeFileSync(join(home, 'config', 'mcporter.json'), cursorShape)
    const options = {
      cwd: home,
      timeout: RUN_MS,
      encoding: 'utf8',
      env: { ...env, HOME: home, PATH: [bin, dirname(found.node), process.env.PATH].join(delimiter) },
    } as const
    let said = ''
    for (const step of steps) {
      const { status, stdout, stderr } = spawnSync('bash', ['-c', step], options)
      said = `${stdout}${stderr}`
      if (status !== 0) return `a command ended with ${status}: ${said.replaceAll(token, '...').slice(-500)}`
    }
    return expected.test(said) ? undefined : `it said: ${said.replaceAll(token, '...').slice(-500)}`
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

if (
  !(await fetch(`${api}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  ))
) {
  console.error('clients: start the demo first: npx -y pnpm demo')
  process.exit(1)
}
const wanted = process.argv.slice(2)
const unknown = wanted.find((name) => !Object.hasOwn(PROGRAMS, name))
if (unknown !== undefined) {
  console.error(`clients: there is no ${unknown}; there are ${Object.keys(PROGRAMS).join(', ')}`)
  process.exit(2)
}
let failed = 0
for (const [name, program] of Object.entries(PROGRAMS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const problem = await connect(program)
  if (problem !== undefined) failed++
  console.log(
    `${problem === undefined ? 'ok    ' : 'FAILED'} ${name} (${program.package})${problem ? `: ${problem}` : ''}`,
  )
}
process.exitCode = failed === 0 ? 0 : 1

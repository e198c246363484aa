// An independent client that is a program for the command line. Of `npx -y pnpm test:clients`.
import { TOOL_NAMES } from '@vertexsms/contract/scopes'
import { describe, expect, inject, test } from 'vitest'
import { findInspector } from '../../support/clients/inspector.ts'
import { newRound } from '../../support/ten-calls.ts'

const stack = inject('stack')
const inspector = await findInspector()
if (inspector === null && process.env.CI) throw new Error('The MCP Inspector cannot be fetched here.')
if (inspector === null) console.log('e2e: the MCP Inspector cannot be fetched by npx: its tests are skipped.')

describe.skipIf(inspector === null)("The MCP Inspector's command line", () => {
  const run = async (era: string, ...args: string[]) => {
    const result = await inspector?.run([
      stack.mcpUrl,
      '--transport',
      'http',
      '--protocol-era',
      era,
      '--format',
      'json',
      ...args,
    ])
    if (result === undefined) throw new Error('The Inspector is not there.')
    return result
  }
  const authorized = ['--header', `Authorization: Bearer ${stack.token}`]

  test.each(['legacy', 'auto', 'modern'])(
    'lists the ten tools in the %s era and finds no fault in their schemas',
    async (era) => {
      const { exitCode, stdout, stderr } = await run(era, ...authorized, '--method', 'tools/list', '--strict')
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
      const { tools } = resultOf(stdout) as { tools: { name: string }[] }
      expect(tools.map(({ name }) => name)).toEqual(TOOL_NAMES)
    },
  )

  test.each(['legacy', 'modern'])('calls a tool in the %s era', async (era) => {
    const { recipient } = newRound(3)
    const args = JSON.stringify({ numbers: [{ number: recipient, country: 'LT' }] })
    const { exitCode, stdout } = await run(
      era,
      ...authorized,
      '--method',
      'tools/call',
      '--tool-name',
      'correct_phone_number',
      '--tool-args-json',
      args,
    )
    expect(exitCode).toBe(0)
    expect(resultOf(stdout)).toMatchObject({ structuredContent: { count: 1, results: [{ mobile: true }] } })
  })

  test('is told that a login is required where it may not start one (MCP authorization)', async () => {
    const { exitCode, stdout, stderr } = await run('auto', '--stored-auth-only', '--method', 'tools/list')
    expect(exitCode).toBe(3)
    expect(stdout + stderr).toContain('auth_required')
  })
})

/** The result in what the program prints, which may stand inside an envelope of its own. */
function resultOf(stdout: string): unknown {
  const printed = JSON.parse(stdout)
  return printed.result ?? printed
}

import { consentPage } from '../support/pages/consent.ts'
import { signIn } from '../support/pages/sign-in.ts'
import { waitUntil } from '../support/wait-until.ts'
import type { ClientProgram } from './programs.ts'

const FILE = '.mcp.json'
const START_MS = 60_000
const RESULT_MS = 60_000

/** The Inspector's web page, in a browser. It reads the same file as Claude Code, and signs in within its own window. */
export const inspectorPage: ClientProgram = {
  name: 'inspector-page',
  packages: ['@modelcontextprotocol/inspector'],
  command: 'mcp-inspector',
  needsBrowser: true,
  async connect({ home, way, server, stack, block, call, person }) {
    home.write(FILE, block('claude-code', FILE))
    const serving = home.serve(`mcp-inspector --web --config ${FILE}`, { MCP_INSPECTOR_SECRET_STORE: 'memory' })
    try {
      const address = await waitUntil(
        'the Inspector to tell its address',
        START_MS,
        () => serving.output().match(/http:\S+\?MCP_INSPECTOR_API_TOKEN=\S+/)?.[0],
      )
      const page = await person()
      await page.goto(address)
      // What a person clicks is drawn over the switch that the label names.
      await page.getByRole('switch', { name: server }).dispatchEvent('click')
      if (way === 'sign-in') {
        await page.waitForURL(`${stack.issuer}/**`)
        await signIn(page, stack)
        await consentPage(page).allow()
        await page.waitForURL((url) => url.origin === new URL(address).origin)
      }
      await page.getByText('Tools', { exact: true }).click()
      await page.getByRole('button', { name: call.tool }).click()
      await page.getByRole('switch', { name: 'Edit as JSON' }).dispatchEvent('click')
      await page.getByRole('textbox', { name: 'Arguments JSON' }).focus()
      await page.keyboard.press('Control+A')
      await page.keyboard.insertText(JSON.stringify(call.args))
      await page.getByRole('button', { name: 'Execute Tool' }).click()
      const seen = await waitUntil('a message id in the Inspector', RESULT_MS, async () => {
        const [text = ''] = await page.locator('body').allInnerTexts()
        return /\b\d{18}\b/.test(text) ? text : undefined
      })
      await page.context().close()
      return (words) => seen.includes(words)
    } finally {
      await serving.stop()
    }
  },
}

// Independent clients that register and let a person sign in. Of `npx -y pnpm test:clients`.
import type { Scope } from '@vertexsms/contract/scopes'
import { sampleOf } from '@vertexsms/service/sample'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { findChromium } from '../../support/chromium.ts'
import type { IndependentClient } from '../../support/clients/client.ts'
import { type McpRemoteMode, mcpRemoteClient } from '../../support/clients/mcp-remote.ts'
import { sdkV1Client } from '../../support/clients/sdk-v1.ts'
import { type SdkV2Mode, sdkV2Client } from '../../support/clients/sdk-v2.ts'
import { expectConnectsInSteps } from '../../support/connect-in-steps.ts'
import { type Browser, openBrowser } from '../../support/pages/browser.ts'

const stack = inject('stack')
const ASK_AGAIN_MS = 120_000

describe.skipIf(findChromium() === null)('Connecting an independent client through a real browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  const newClients: readonly (readonly [string, () => Promise<IndependentClient>, Scope])[] = [
    ['The v1 SDK client', () => sdkV1Client(stack.mcpUrl), 'sender:write'],
    ...(['default', 'auto', 'pinned'] satisfies SdkV2Mode[]).map(
      (mode, index) =>
        [
          `The v2 SDK client in its ${mode} mode`,
          () => sdkV2Client(stack.mcpUrl, mode),
          (['numbers:read', 'sms:send', 'hlr:lookup'] as const)[index] ?? 'sms:send',
        ] as const,
    ),
    ...(['legacy', 'auto'] satisfies McpRemoteMode[]).map(
      (mode) =>
        [
          `mcp-remote in its ${mode} mode`,
          () => mcpRemoteClient(stack.mcpUrl, { mode }),
          mode === 'legacy' ? 'sms:rates' : 'sms:send',
        ] as const,
    ),
  ]

  // Of each kind one, unless there is time for all.
  test.each(sampleOf(newClients, 3, process.env))(
    '%s registers, gets what the person ticked, is told what is missing, and works in full once all is ticked (MCP authorization)',
    async (_title, newClient, unticked) =>
      expectConnectsInSteps(await newClient(), unticked, { stack, browser, seed: 1 }),
    ASK_AGAIN_MS,
  )
})

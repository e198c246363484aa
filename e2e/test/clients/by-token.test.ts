// Independent clients with a token made by hand. Of `npx -y pnpm test:clients`, as all in this folder, and no part of `pnpm test`.
import { TOOL_NAMES } from '@vertexsms/contract/scopes'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { findChromium } from '../../support/chromium.ts'
import type { IndependentClient } from '../../support/clients/client.ts'
import { mcpRemoteClient } from '../../support/clients/mcp-remote.ts'
import { sdkV1Client } from '../../support/clients/sdk-v1.ts'
import { sdkV2Client } from '../../support/clients/sdk-v2.ts'
import { type Browser, openBrowser } from '../../support/pages/browser.ts'
import { readPinOn, readTextOn } from '../../support/pages/sandbox-phone.ts'
import { callWithRealArguments, newRound } from '../../support/ten-calls.ts'

const stack = inject('stack')

describe.skipIf(findChromium() === null)('A BYO token in the Authorization header, without OAuth', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  const clients: readonly (readonly [string, () => Promise<IndependentClient>])[] = [
    ['the v1 SDK client', () => sdkV1Client(stack.mcpUrl, stack.token)],
    ['the v2 SDK client', () => sdkV2Client(stack.mcpUrl, 'pinned', stack.token)],
    ['mcp-remote in its legacy mode', () => mcpRemoteClient(stack.mcpUrl, { mode: 'legacy', token: stack.token })],
    ['mcp-remote in its auto mode', () => mcpRemoteClient(stack.mcpUrl, { mode: 'auto', token: stack.token })],
  ]

  test.each(clients)('lets %s call all ten tools with real arguments (RFC 6750 §2.1)', async (_title, newClient) => {
    const client = await newClient()
    const page = await browser.newVisitor()
    const round = newRound(2)
    expect(await client.connect()).toBeNull()
    await callWithRealArguments(client, TOOL_NAMES, round, (msisdn) => readPinOn(page, stack, msisdn))
    expect(await readTextOn(page, stack, round.recipient, /parcel/)).toBe(round.message)
    await client.close()
    await page.context().close()
  })
})

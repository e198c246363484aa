import { SCOPE_NAMES, SCOPES, type Scope, TOOL_NAMES } from '@vertexsms/contract/scopes'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { expectAuthorization, type IndependentClient } from '../support/clients/client.ts'
import { type McpRemoteMode, mcpRemoteClient } from '../support/clients/mcp-remote.ts'
import { rawClient } from '../support/clients/raw.ts'
import { sdkV1Client } from '../support/clients/sdk-v1.ts'
import { type SdkV2Mode, sdkV2Client } from '../support/clients/sdk-v2.ts'
import { expectInsufficientScope } from '../support/expectations.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'
import { authorize, consentPage } from '../support/pages/consent.ts'
import { readTextOn } from '../support/pages/sandbox-phone.ts'
import { signIn } from '../support/pages/sign-in.ts'
import { callWithRealArguments, newRound, SAMPLE_ARGUMENTS, succeeded } from '../support/ten-calls.ts'

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
    ['A client of plain HTTP requests', () => rawClient(stack.mcpUrl), 'sender:write'],
  ]

  test.each(newClients)(
    '%s registers, gets what the person ticked, is told what is missing, and works in full once all is ticked (MCP authorization)',
    async (_title, newClient, unticked) => {
      const client = await newClient()
      const page = await browser.newVisitor()
      const readPin = async (msisdn: string) =>
        /\b\d{5}\b/.exec(await readTextOn(page, stack, msisdn, /\b\d{5}\b/))?.[0] ?? ''

      await authorize(page, expectAuthorization(client, await client.connect()), stack, [unticked])
      await client.finish()
      const granted = SCOPE_NAMES.filter((scope) => scope !== unticked)
      expect((await client.credentials()).scope.split(' ').sort()).toEqual([...granted].sort())
      expect((await client.listTools()).map(({ name }) => name)).toEqual(TOOL_NAMES)
      await callWithRealArguments(
        client,
        granted.flatMap((scope) => [...SCOPES[scope].tools]),
        newRound(1),
        readPin,
      )

      const tools: readonly string[] = SCOPES[unticked].tools
      await gainTheRest(client, unticked, tools, (url) => authorize(page, url, stack))
      expect((await client.credentials()).scope.split(' ').sort()).toEqual([...SCOPE_NAMES].sort())
      const round = newRound(1)
      await callWithRealArguments(client, TOOL_NAMES, round, readPin)
      expect(await readTextOn(page, stack, round.recipient, /parcel/)).toBe(round.message)
      expect(browser.faults).toEqual([])
      await client.close()
      await page.context().close()
    },
    ASK_AGAIN_MS,
  )

  /** Sees every tool of the unticked scope refused, then approves all five by whatever way the client offers. */
  async function gainTheRest(
    client: IndependentClient,
    unticked: Scope,
    tools: readonly string[],
    approve: (url: URL) => Promise<void>,
  ): Promise<void> {
    const granted = SCOPE_NAMES.filter((scope) => scope !== unticked)
    let stepUp: URL | null = null
    for (const tool of tools) {
      const outcome = await client.callTool(tool, SAMPLE_ARGUMENTS[tool] ?? {})
      if (outcome.kind === 'step-up') {
        expect(requestedScopes(outcome.authorizeUrl)).toEqual([...SCOPE_NAMES].sort())
        await approve(outcome.authorizeUrl)
        succeeded(tool, { kind: 'result', result: await outcome.result })
        return
      }
      expectInsufficientScope(outcome, granted, unticked)
      stepUp = outcome.authorizeUrl
    }
    if (stepUp !== null) expect(requestedScopes(stepUp)).toEqual([...SCOPE_NAMES].sort())
    await approve(stepUp ?? expectAuthorization(client, await client.reconnect()))
    await client.finish()
  }

  test('A denial tells the client so and gives it nothing (RFC 6749 §4.1.2.1, RFC 9207)', async () => {
    const client = await rawClient(stack.mcpUrl)
    const page = await browser.newVisitor()
    const url = expectAuthorization(client, await client.connect())
    const redirected = page.waitForRequest((request) => request.url().startsWith('http://127.0.0.1:'))
    await page.goto(url.href)
    await signIn(page, stack)
    await consentPage(page).deny()
    const { searchParams } = new URL((await redirected).url())
    expect(searchParams.get('error')).toBe('access_denied')
    expect(searchParams.get('iss')).toBe(stack.issuer)
    expect(searchParams.get('code')).toBeNull()
    await expect(client.finish()).rejects.toThrow()
    await client.close()
  })
})

function requestedScopes(authorizeUrl: URL): string[] {
  return (authorizeUrl.searchParams.get('scope') ?? '')
    .split(' ')
    .filter((scope) => scope !== 'offline_access')
    .sort()
}

import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { expectAuthorization } from '../support/clients/client.ts'
import { sdkV1Client } from '../support/clients/sdk-v1.ts'
import { sdkV2Client } from '../support/clients/sdk-v2.ts'
import { expectUnavailable } from '../support/expectations.ts'
import { MCP_REQUESTS, send } from '../support/mcp-requests.ts'
import { type Browser, openBrowser } from '../support/pages/browser.ts'
import { authorize, consentPage } from '../support/pages/consent.ts'
import { signIn } from '../support/pages/sign-in.ts'
import { isRunning, runningProcesses } from '../support/processes.ts'
import { appProcess, isReady, type Stack, startStack } from '../support/stack.ts'
import { succeeded } from '../support/ten-calls.ts'
import { waitUntil } from '../support/wait-until.ts'

const TWO_STARTS_MS = 300_000
const RESTART_MS = 30_000
/** A code lives a minute; on a loaded machine a start can take longer than that. */
const SETTINGS = { AUTHORIZATION_CODE_SECONDS: '600' }

// A product of its own: nobody else can use one that is stopped and killed.
let stack: Stack
beforeAll(async () => {
  stack = await startStack({ env: SETTINGS })
})
afterAll(async () => {
  await stack?.stop()
  await stack?.clean()
})

describe('While the API is stopped', () => {
  test('every request gets 503 with Retry-After and never 401, and is served again once the API is back', async () => {
    const api = appProcess(stack, 'api')
    if (api === undefined) throw new Error('The API does not run.')
    // The launcher would start the API again; it is held until the requests have been sent.
    process.kill(stack.pid, 'SIGSTOP')
    try {
      process.kill(api.pid, 'SIGKILL')
      await waitUntil('the API to be gone', RESTART_MS, () => (isRunning(api.pid) ? undefined : true))
      for (const request of MCP_REQUESTS) {
        await expectUnavailable(await send(stack.mcpUrl, stack.token, request))
      }
    } finally {
      process.kill(stack.pid, 'SIGCONT')
    }
    await waitUntil('the API to be back', RESTART_MS, async () => (await isReady(stack, 'api')) || undefined)
    for (const request of MCP_REQUESTS) {
      const response = await waitUntil(`${request.title} to be served again`, RESTART_MS, async () => {
        const answer = await send(stack.mcpUrl, stack.token, request)
        return answer.status === 503 ? undefined : answer
      })
      expect({ [request.title]: response.status }).toEqual({ [request.title]: request.statusWhenAlive })
    }
  })
})

describe.skipIf(findChromium() === null)('Killing the demo with SIGKILL in the middle of a connect flow', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  /** Kills the demo and starts it again on the same folder and ports; nothing of the first may run on. */
  const crashAndRestart = async () => {
    const before = stack
    const below = await before.crash()
    expect(
      below.map(({ command }) => command).filter((command) => /apps\/\w+\/src\/server\./.test(command)),
    ).toHaveLength(3)
    const alive = new Set(runningProcesses().map(({ pid }) => pid))
    expect(below.filter(({ pid }) => alive.has(pid))).toEqual([])
    stack = await startStack({ env: SETTINGS, dataDir: before.dataDir, ports: before.ports })
    expect({ password: stack.password, token: stack.token }).toEqual({ password: before.password, token: before.token })
  }

  test(
    'after the sign-in and before the consent loses neither: the person allows access and the client is connected',
    async () => {
      const client = await sdkV2Client(stack.mcpUrl, 'auto')
      const page = await browser.newVisitor()
      await page.goto(expectAuthorization(client, await client.connect()).href)
      await signIn(page, stack)
      await consentPage(page).shown()
      await crashAndRestart()
      await consentPage(page).untick('sms:send')
      await consentPage(page).allow()
      await client.finish()
      expect((await client.credentials()).scope.split(' ')).toHaveLength(SCOPE_NAMES.length - 1)
      succeeded('get_sms_rates', await client.callTool('get_sms_rates', { country: 'LT' }))
      await client.close()
    },
    TWO_STARTS_MS,
  )

  test(
    'after the consent and before the code is exchanged loses nothing: the client exchanges it and is connected',
    async () => {
      const client = await sdkV1Client(stack.mcpUrl)
      const page = await browser.newVisitor()
      await authorize(page, expectAuthorization(client, await client.connect()), stack)
      await crashAndRestart()
      await client.finish()
      succeeded('get_sms_rates', await client.callTool('get_sms_rates', { country: 'LT' }))
      await client.close()
    },
    TWO_STARTS_MS,
  )
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectUnavailable } from '../support/expectations.ts'
import { MCP_REQUESTS, send } from '../support/mcp-requests.ts'
import { isRunning } from '../support/processes.ts'
import { appProcess, isReady, type Stack, startStack } from '../support/stack.ts'
import { waitUntil } from '../support/wait-until.ts'

const RESTART_MS = 30_000

describe('While the API is stopped', () => {
  // Its own, because nobody else can use it meanwhile.
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack()
  })
  afterAll(async () => {
    await stack?.stop()
    await stack?.clean()
  })

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

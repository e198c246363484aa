import { randomBytes } from 'node:crypto'
import { TOOL_NAMES } from '@vertexsms/contract/scopes'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IndependentClient } from '../support/clients/client.ts'
import { sdkV1Client } from '../support/clients/sdk-v1.ts'
import { sdkV2Client } from '../support/clients/sdk-v2.ts'
import { freePorts } from '../support/free-ports.ts'
import { setLookupPrice, storeUpstreamToken } from '../support/operator.ts'
import { rememberSecret } from '../support/secrets.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { type StandInProcess, startStandInProcess } from '../support/stand-in.ts'
import { callWithRealArguments, newRound } from '../support/ten-calls.ts'
import { waitUntil } from '../support/wait-until.ts'

/** What the person reads after each fault, whether the message stays counted, and how many the operator accepted. */
const FAULTS: readonly [
  fault: { kind: string; [more: string]: unknown },
  code: string,
  counts: boolean,
  accepted: number,
][] = [
  [{ kind: 'status', status: 400 }, 'VERTEX_SEND_FAILED', false, 0],
  [{ kind: 'status', status: 401 }, 'UPSTREAM_ACCOUNT_REFUSED', false, 0],
  [{ kind: 'status', status: 404 }, 'UPSTREAM_ANSWER_WRONG', false, 0],
  [{ kind: 'status', status: 429 }, 'RATE_LIMITED', false, 0],
  [{ kind: 'status', status: 500 }, 'SEND_OUTCOME_UNKNOWN', true, 0],
  [{ kind: 'reset_before' }, 'SEND_OUTCOME_UNKNOWN', true, 0],
  [{ kind: 'reset_after' }, 'SEND_OUTCOME_UNKNOWN', true, 1],
  [{ kind: 'garbage' }, 'SEND_OUTCOME_UNKNOWN', true, 1],
  [{ kind: 'half' }, 'SEND_OUTCOME_UNKNOWN', true, 1],
]

describe('On an account at the real operator, as far as he is known', () => {
  let stack: Stack
  let standIn: StandInProcess
  beforeAll(async () => {
    const upstreamToken = `upstream-${randomBytes(20).toString('hex')}`
    rememberSecret('token', upstreamToken)
    standIn = await startStandInProcess(upstreamToken)
    const [auth = 0, mcp = 0, api = 0] = await freePorts(3)
    stack = await startStack({
      ports: { auth, mcp, api },
      env: { UPSTREAM: 'vertexsms', VERTEXSMS_API_URL: standIn.url, REPORT_ADDRESS: `http://localhost:${api}` },
    })
    await storeUpstreamToken(stack.dataDir, stack.email, upstreamToken)
    // Of an account with a limit nothing goes out whose price is not known.
    await setLookupPrice(stack.dataDir, stack.email, '0.01')
  })
  afterAll(async () => {
    await stack?.stop()
    await stack?.clean()
    await standIn?.stop()
  })

  const clients: readonly (readonly [string, () => Promise<IndependentClient>])[] = [
    ['the v1 SDK client', () => sdkV1Client(stack.mcpUrl, stack.token)],
    ['the v2 SDK client', () => sdkV2Client(stack.mcpUrl, 'pinned', stack.token)],
  ]

  test.each(clients)('%s calls all ten tools with real arguments', async (_title, newClient) => {
    const client = await newClient()
    const round = newRound(9)
    expect(await client.connect()).toBeNull()
    await callWithRealArguments(client, TOOL_NAMES, round, (msisdn) =>
      waitUntil('the PIN', 10_000, async () => {
        const text = (await standIn.look()).texts.findLast(({ to }) => to === msisdn.slice(1))
        return /\b\d{5}\b/.exec(text?.message ?? '')?.[0]
      }),
    )
    const sent = (await standIn.look()).accepted.filter(({ body }) => body.message === round.message)
    expect(sent.map(({ to, body }) => [to, body.from])).toEqual([[round.recipient.slice(1), round.senderName]])
    await client.close()
  })

  async function spent(): Promise<number> {
    const answer = await fetch(`${stack.apiUrl}/token`, { headers: { authorization: `Bearer ${stack.token}` } })
    return Number(((await answer.json()) as { spent: { total: string } }).spent.total)
  }

  test.each(FAULTS)(
    '%j is told as %s, counted where it may be out (%s), and handed over once',
    async (fault, code, counts, accepted) => {
      const client = await sdkV2Client(stack.mcpUrl, 'pinned', stack.token)
      await client.connect()
      const { message, recipient } = newRound(9)
      const before = await spent()
      await standIn.fault({ route: 'POST /sms', ...fault })
      const args = { to: recipient, from: 'Vertex', message }
      const outcome = await client.callTool('send_sms', args)
      if (outcome.kind !== 'result') throw new Error(JSON.stringify(outcome))
      const { error } = JSON.parse(outcome.result.content[0]?.text ?? '{}')
      expect([outcome.result.isError, error.code]).toEqual([true, code])
      expect(error.message).toMatch(/\S{3}/)
      expect((await spent()) > before).toBe(counts)
      // The same call again goes out only where the first one certainly did not.
      await client.callTool('send_sms', args)
      const sent = (await standIn.look()).accepted.filter(({ body }) => body.message === message)
      expect(sent).toHaveLength(counts ? accepted : 1)
      await client.close()
    },
  )
})

import { TOOL_NAMES } from '@vertexsms/contract/scopes'
import { rawClient } from '../../../e2e/support/clients/raw.ts'
import { sdkV2Client } from '../../../e2e/support/clients/sdk-v2.ts'
import { connectInFull } from '../../../e2e/support/connected.ts'
import { openApiSettings } from '../../../e2e/support/pages/api-settings.ts'
import { openBrowser } from '../../../e2e/support/pages/browser.ts'
import { readTextOn } from '../../../e2e/support/pages/sandbox-phone.ts'
import type { StackFacts } from '../../../e2e/support/stack.ts'
import { callWithRealArguments, newRound, succeeded } from '../../../e2e/support/ten-calls.ts'
import { refresh } from '../../../e2e/support/token-endpoint.ts'
import { check, expectThat, must } from '../report.ts'

/** A connection that was made once and must go on working. */
export interface Connection {
  /** Calls a tool through the SDK client. Throws when the call fails. */
  call(): Promise<void>
  /** Refreshes the second client's tokens, as clients do when theirs expire. Throws when that fails. */
  renew(): Promise<void>
  /** The second client's present access token. */
  accessToken(): string
  close(): Promise<void>
}

/** The whole connect flow in Chromium against the containers. */
export async function checkConnecting(facts: StackFacts): Promise<Connection> {
  const browser = await openBrowser()
  const page = await browser.newVisitor()
  const client = await sdkV2Client(facts.mcpUrl, 'auto')
  const raw = await rawClient(facts.mcpUrl)
  let held = { clientId: '', accessToken: '', refreshToken: '', scope: '' }

  await must(
    'the SDK client registers, the person signs in and allows it in Chromium, the client has its tokens',
    async () => {
      const { scope } = await connectInFull(client, page, facts)
      return `scope: ${scope}`
    },
  )
  await must(
    'all ten tools answer real arguments as their schemas say, and the sandbox phone shows the SMS',
    async () => {
      const round = newRound(41)
      const readPin = async (msisdn: string) =>
        /\b\d{5}\b/.exec(await readTextOn(page, facts, msisdn, /\b\d{5}\b/))?.[0] ?? ''
      await callWithRealArguments(client, TOOL_NAMES, round, readPin)
      const shown = await readTextOn(page, facts, round.recipient, /parcel/)
      expectThat(shown === round.message, 'another text was shown')
      return TOOL_NAMES.join(', ')
    },
  )
  await must('a second client connects and refreshes its tokens', async () => {
    held = await connectInFull(raw, page, facts)
    await renew()
  })
  await check('deleting one token on Settings -> API makes the very next call of that client a 401', async () => {
    const victim = await sdkV2Client(facts.mcpUrl, 'pinned')
    await connectInFull(victim, page, facts)
    succeeded('get_sms_rates', await victim.callTool('get_sms_rates', { country: 'LT' }))
    await (await openApiSettings(page, facts)).deleteToken('oauth:access:', victim.label)
    const outcome = await victim.callTool('get_sms_rates', { country: 'LT' })
    await victim.close()
    expectThat(outcome.kind === 'refused' && outcome.status === 401, JSON.stringify(outcome).slice(0, 300))
  })

  async function renew(): Promise<void> {
    const { status, body } = await refresh(facts, held)
    expectThat(
      status === 200 && !!body.access_token && !!body.refresh_token,
      `refresh answered ${status} ${body.error}`,
    )
    held = { ...held, accessToken: body.access_token, refreshToken: body.refresh_token }
  }
  return {
    call: async () => {
      succeeded('get_mcc_mnc_list', await client.callTool('get_mcc_mnc_list', { country: 'LT' }))
    },
    renew,
    accessToken: () => held.accessToken,
    close: async () => {
      await client.close()
      await raw.close()
      await browser.close()
    },
  }
}

import { SCOPE_NAMES, SCOPES, type Scope, TOOL_NAMES } from '@vertexsms/contract/scopes'
import { expect } from 'vitest'
import { expectAuthorization, type IndependentClient } from './clients/client.ts'
import { expectInsufficientScope } from './expectations.ts'
import type { Browser } from './pages/browser.ts'
import { authorize } from './pages/consent.ts'
import { readPinOn, readTextOn } from './pages/sandbox-phone.ts'
import type { StackFacts } from './stack.ts'
import { callWithRealArguments, newRound, SAMPLE_ARGUMENTS, succeeded } from './ten-calls.ts'

/** Whose connection is proven, where, and with the numbers of which test file ({@link newRound}). */
export interface Connecting {
  readonly stack: StackFacts
  readonly browser: Browser
  readonly seed: number
}

/**
 * Lets a client register and the person allow all but one scope in a browser; sees every tool of the others work with
 * real arguments and those of the missing one refused; lets the person allow that too, and sees all ten work.
 */
export async function expectConnectsInSteps(
  client: IndependentClient,
  unticked: Scope,
  { stack, browser, seed }: Connecting,
): Promise<void> {
  const page = await browser.newVisitor()
  const readPin = (msisdn: string) => readPinOn(page, stack, msisdn)

  await authorize(page, expectAuthorization(client, await client.connect()), stack, { untick: [unticked] })
  await client.finish()
  const granted = SCOPE_NAMES.filter((scope) => scope !== unticked)
  expect((await client.credentials()).scope.split(' ').sort()).toEqual([...granted].sort())
  expect((await client.listTools()).map(({ name }) => name)).toEqual(TOOL_NAMES)
  await callWithRealArguments(
    client,
    granted.flatMap((scope) => [...SCOPES[scope].tools]),
    newRound(seed),
    readPin,
  )

  const tools: readonly string[] = SCOPES[unticked].tools
  await gainTheRest(client, unticked, tools, (url) => authorize(page, url, stack))
  expect((await client.credentials()).scope.split(' ').sort()).toEqual([...SCOPE_NAMES].sort())
  const round = newRound(seed)
  await callWithRealArguments(client, TOOL_NAMES, round, readPin)
  expect(await readTextOn(page, stack, round.recipient, /parcel/)).toBe(round.message)
  expect(browser.faults).toEqual([])
  await client.close()
  await page.context().close()
}

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

function requestedScopes(authorizeUrl: URL): string[] {
  return (authorizeUrl.searchParams.get('scope') ?? '')
    .split(' ')
    .filter((scope) => scope !== 'offline_access')
    .sort()
}

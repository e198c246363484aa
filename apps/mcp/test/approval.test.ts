import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { answerOf, failureOf, resultOf } from './support/read.ts'
import { DETAILS } from './support/refusals.ts'
import { legacy, MODERN, modern, post, type Stack, startStack } from './support/stack.ts'
import { errorAnswer } from './support/upstream.ts'

const { approvalUrl } = DETAILS.APPROVAL_REQUIRED
const OPENS_PAGES = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } }
const SHOWS_FORMS = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } }
const CALL = { name: 'send_sms', arguments: { to: '+37069555551', from: 'Shop', message: 'Hello' } }

let stack: Stack
let token: string
let isApproved: boolean
beforeAll(async () => {
  stack = await startStack()
  token = stack.manualToken()
})
afterAll(() => stack.close())
beforeEach(() => {
  stack.upstream.seen.length = 0
  isApproved = false
  // The API decides: until the owner has approved it refuses the send.
  stack.upstream.override = ({ path }) =>
    path.startsWith('/sms') && !isApproved
      ? errorAnswer('APPROVAL_REQUIRED', null, DETAILS.APPROVAL_REQUIRED)
      : undefined
})

const send = (_meta: object, more: object = {}) =>
  post(stack.url, token, modern('tools/call', { ...CALL, ...more, _meta }))
const asked = () => stack.upstream.seen.filter(({ path }) => path.startsWith('/sms')).length
const answered = (action: string) => ({ inputResponses: { approval: { action } } })

it('a client that opens pages is asked to open the page of the approval (2026-07-28, MRTR)', async () => {
  const { result } = await answerOf(await send(OPENS_PAGES))
  expect(result).toMatchObject({
    resultType: 'input_required',
    inputRequests: { approval: { method: 'elicitation/create', params: { mode: 'url', url: approvalUrl } } },
  })
  expect(result).not.toHaveProperty('requestState')
})

it('the same call goes out once the owner has approved', async () => {
  isApproved = true
  expect((await resultOf(await send(OPENS_PAGES, answered('accept')))).structuredContent).toMatchObject({
    status: 'sent',
  })
})

it('what the client says approves nothing: the API is asked again, and the link is told once more', async () => {
  const failure = failureOf(await resultOf(await send(OPENS_PAGES, answered('accept'))))
  expect(failure).toMatchObject({ code: 'APPROVAL_REQUIRED', details: { approvalUrl } })
  expect(failure.message).toContain(approvalUrl)
  expect(asked()).toBe(1)
})

it.each(['decline', 'cancel'])('after an answer of %s the API is not asked to send', async (action) => {
  isApproved = true
  expect(failureOf(await resultOf(await send(OPENS_PAGES, answered(action))))).toMatchObject({
    code: 'APPROVAL_REQUIRED',
  })
  expect(asked()).toBe(0)
})

it('every other client gets the failure with the link, in both eras', async () => {
  for (const body of [
    modern('tools/call', CALL),
    modern('tools/call', { ...CALL, _meta: SHOWS_FORMS }),
    legacy('tools/call', CALL),
    legacy('tools/call', { ...CALL, _meta: OPENS_PAGES }),
  ]) {
    const answer = await answerOf(await post(stack.url, token, body))
    expect(answer.error).toBeUndefined()
    const failure = failureOf(answer.result)
    expect(failure).toMatchObject({ code: 'APPROVAL_REQUIRED', retryable: false, details: DETAILS.APPROVAL_REQUIRED })
    expect(failure.message).toContain(approvalUrl)
  }
})

it('an approval that was refused or is over is told as that', async () => {
  for (const code of ['APPROVAL_REFUSED', 'APPROVAL_EXPIRED'] as const) {
    stack.upstream.override = ({ path }) =>
      path.startsWith('/sms') ? errorAnswer(code, null, DETAILS[code]) : undefined
    expect(failureOf(await resultOf(await send(OPENS_PAGES)))).toMatchObject({ code, details: DETAILS[code] })
  }
})

it('the v2 client opens the page for its person and goes on by itself', async () => {
  const client = new Client(
    { name: 'asks', version: '1' },
    { versionNegotiation: { mode: { pin: MODERN } }, capabilities: { elicitation: { url: {} } } },
  )
  const opened: unknown[] = []
  client.setRequestHandler('elicitation/create', ({ params }) => {
    opened.push('url' in params ? params.url : undefined)
    isApproved = true
    return { action: 'accept' }
  })
  const headers = { authorization: `Bearer ${token}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(stack.url), { requestInit: { headers } }))
  const result = await client.callTool(CALL)
  expect(result.structuredContent).toMatchObject({ status: 'sent' })
  expect(opened).toEqual([approvalUrl])
  await client.close()
})

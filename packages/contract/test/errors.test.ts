import { expect, test } from 'vitest'
import { API_ERRORS, VERTEX_ERROR_CODES, VERTEX_ERROR_MEANINGS } from '../src/api-errors.ts'
import { ERRORS, type ErrorCode, errorEnvelope, errorEnvelopeSchema, TOLD_CODES, toldCode } from '../src/errors.ts'
import { ERROR_DETAILS } from '../src/limits.ts'

const links = {
  signup_url: 'https://vertexsms.com/en/contact',
  signin_url: 'https://vertexsms.com/en/login',
  token_url: 'https://tool.vertexsms.com/settings/api',
}

test('AUTH_REQUIRED has exactly the members of the public example', () => {
  const { error } = errorEnvelope('AUTH_REQUIRED', { links })
  expect(Object.keys(error)).toEqual(['code', 'message', 'retryable', 'signup_url', 'signin_url', 'token_url'])
  expect(error.message.startsWith('A VertexSMS API token is required. ')).toBe(true)
})

test('every other envelope carries vertex_error_code, null where VertexSMS gave none', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const envelope = errorEnvelope(code)
    expect(errorEnvelopeSchema.parse(envelope)).toEqual(envelope)
    expect('vertex_error_code' in envelope.error).toBe(code !== 'AUTH_REQUIRED')
  }
  expect(errorEnvelope('VERTEX_SEND_FAILED', { vertexErrorCode: 21 }).error.vertex_error_code).toBe(21)
})

test('a code can be told in at least one way, and only server-side trouble is retryable', () => {
  for (const [code, definition] of Object.entries(ERRORS)) {
    expect(definition.tool || definition.http !== null, code).toBe(true)
    const passing = ['RATE_LIMITED', 'UPSTREAM_UNAVAILABLE', 'UPSTREAM_TIMEOUT', 'UPSTREAM_CHANGED', 'SEND_IN_PROGRESS']
    if (definition.retryable) expect(passing).toContain(code)
  }
})

test('every API error is a client or server error, and every numeric code has a meaning', () => {
  for (const { status } of Object.values(API_ERRORS)) expect(status).toBeGreaterThanOrEqual(400)
  for (const code of Object.values(VERTEX_ERROR_CODES)) expect(VERTEX_ERROR_MEANINGS[code]).toMatch(/\.$/)
})

test('every code of the REST API has a sentence of the MCP server, and no code of limits loses its name', () => {
  expect(Object.keys(TOLD_CODES).toSorted()).toEqual(Object.keys(API_ERRORS).toSorted())
  for (const code of Object.keys(API_ERRORS)) {
    const told = toldCode(code)
    expect(told.message ?? ERRORS[told.code].message, code).toMatch(/\.$/)
  }
  for (const code of Object.keys(ERROR_DETAILS)) expect(toldCode(code).code).toBe(code)
})

test('a failure of ours tells the model what to do, and does not say that nothing was sent', () => {
  const { message } = errorEnvelope('INTERNAL').error
  expect(message).toContain('Do not repeat the call; tell the person')
  // A defect after the hand-over is told so, too.
  expect(message).not.toContain('Nothing was')
})

test('a code that is not of the catalogue is internal, whatever it is called', () => {
  for (const code of ['toString', '__proto__', '', 'IGNORE']) expect(toldCode(code)).toEqual({ code: 'INTERNAL' })
})

test('a sentence says the address that its details have, and where to find it where they have none', () => {
  const details = { manageUrl: 'https://tool.example/connections/1', country: 'LV' }
  const { error } = errorEnvelope('DESTINATION_NOT_ALLOWED', { details })
  expect(error.message).toContain('under https://tool.example/connections/1.')
  expect(error.details).toEqual(details)
  for (const [code, { message }] of Object.entries(ERRORS)) {
    const told = errorEnvelope(code as ErrorCode).error.message
    expect(told, code).not.toMatch(/manageUrl|approvalUrl/)
    expect(told === message, code).toBe(!/manageUrl|approvalUrl/.test(message))
  }
})

import { expect, test } from 'vitest'
import { API_ERRORS, VERTEX_ERROR_CODES, VERTEX_ERROR_MEANINGS } from '../src/api-errors.ts'
import { ERRORS, type ErrorCode, errorEnvelope, errorEnvelopeSchema } from '../src/errors.ts'

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
    if (definition.retryable) expect(['RATE_LIMITED', 'UPSTREAM_UNAVAILABLE', 'UPSTREAM_TIMEOUT']).toContain(code)
  }
})

test('every API error is a client or server error, and every numeric code has a meaning', () => {
  for (const { status } of Object.values(API_ERRORS)) expect(status).toBeGreaterThanOrEqual(400)
  for (const code of Object.values(VERTEX_ERROR_CODES)) expect(VERTEX_ERROR_MEANINGS[code]).toMatch(/\.$/)
})

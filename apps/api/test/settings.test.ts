import { API_KEY_PURPOSES, deriveApiKeys } from '@vertexsms/secrets/derived-keys'
import { ConfigurationError } from '@vertexsms/service/env'
import { describe, expect, it } from 'vitest'
import { readApiEnv } from '../src/env.ts'
import { SENDING_TIMES } from '../src/sending/deps.ts'

const key = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 5)).toString('base64url')
const API_KEYS = deriveApiKeys(Buffer.from(key, 'base64url'))
const sound = { DATABASE_URL: 'postgresql://h/d', EDGE_SECRET: `${key}-edge`, API_KEYS }

function problems(changes: Record<string, string>): readonly string[] {
  try {
    readApiEnv({ ...sound, ...changes })
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  return []
}

describe('the settings', () => {
  it('are sound as they are documented', () => {
    expect(problems({})).toEqual([])
  })

  it.each([
    ['TRUST_PROXY', '10'],
    ['TRUST_PROXY', '0.0.0.0/0'],
    ['HOST', 'http://localhost'],
    ['LOG_LEVEL', 'INFO'],
    ['RATE_LIMITS', 'false'],
    ['ISSUER_URL', 'https://tool.example/path'],
    ['ISSUER_URL', 'https://user:password@tool.example'],
    ['ISSUER_URL', 'http://tool.example'],
    ['ISSUER_URL', 'https://Tool.example'],
    ['API_PORT', '-1'],
    ['DATABASE_URL', 'postgresql:canary'],
    ['DATABASE_URL', 'mysql://h/canary'],
    ['OPERATOR_KEY', 'canary-of-a-key'],
    ['API_KEYS', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['API_KEYS', API_KEY_PURPOSES.map((purpose) => `${purpose}=${'A'.repeat(43)}`).join(',')],
    ['API_KEYS', `${API_KEYS},${API_KEYS}`],
    ['SANDBOX_POLL_MS', '0'],
    ['SANDBOX_DELIVERY_MS', '86400001'],
    ['FAILURES_PER_MINUTE', '0'],
    ['UPSTREAM', 'production'],
    ['VERTEXSMS_API_URL', 'http://api.vertexsms.example'],
    ['VERTEXSMS_SEND_TIMEOUT_MS', '0'],
    ['REPORT_ADDRESS', 'http://api.example'],
    ['REPORT_SOURCES', '178.33.133.192/33'],
    ['REPORT_SOURCES', 'api.example'],
  ])('refuse %s=%s by its name alone, and never repeat it', (name, value) => {
    const found = problems({ [name]: value })
    expect(found).toEqual([expect.stringMatching(`^${name}: `)])
    if (value.length > 6) expect(found.join()).not.toContain(value)
  })

  it.each([
    ['SANDBOX_POLL_MS', '10'],
    ['SANDBOX_DELIVERY_MS', '0'],
    ['VERTEXSMS_API_URL', 'http://127.0.0.1:4010'],
    ['REPORT_ADDRESS', 'https://sms.example/api'],
    ['REPORT_SOURCES', '178.33.133.192/28, 178.32.167.92'],
    ['DATABASE_URL', 'postgres://u:p@h:5432/d?sslmode=require'],
  ])('take %s=%s', (name, value) => {
    expect(problems({ [name]: value })).toEqual([])
  })

  it('give the process longer to stop than an upstream may take to answer', () => {
    expect(readApiEnv(sound).STOP_WITHIN_MS).toBeGreaterThan(SENDING_TIMES.handOverMs)
    expect(problems({ STOP_WITHIN_MS: '0' })).toHaveLength(1)
  })

  it('name everything that is wrong at once', () => {
    const found = problems({ API_PORT: 'x', API_KEYS: 'short', EDGE_SECRET: '' })
    expect(found.map((problem) => problem.split(':')[0]).sort()).toEqual(['API_KEYS', 'API_PORT', 'EDGE_SECRET'])
  })
})

import { ConfigurationError } from '@vertexsms/service/env'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../src/env.ts'

const key = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 5)).toString('base64url')
const sound = { EDGE_SECRET: key }

function problems(changes: Record<string, string>): readonly string[] {
  try {
    readConfig({ ...sound, ...changes })
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
    ['MCP_PORT', '65536'],
    ['MCP_RESOURCE_URL', 'https://mcp.example/mcp?x=1'],
    ['API_URL', 'ftp://api'],
    ['EDGE_SECRET', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
    ['ALLOWED_ORIGINS', 'https://app.example/'],
    ['ALLOWED_ORIGINS', '*'],
    ['ALLOWED_ORIGINS', 'https://app.example null'],
    ['ALLOWED_HOSTS', 'https://mcp.example'],
    ['ALLOWED_HOSTS', 'mcp.example:443'],
    ['ALLOWED_HOSTS', '*'],
    ['CALLS_PER_MINUTE', '0'],
    ['FAILURES_PER_MINUTE', '-1'],
    ['DELIVERY_WAIT_MS', '1e3'],
    ['DELIVERY_WAIT_MS', '20001'],
  ])('refuse %s=%s by its name alone, and never repeat it', (name, value) => {
    const found = problems({ [name]: value })
    expect(found).toEqual([expect.stringMatching(`^${name}: `)])
    if (value.length > 6) expect(found.join()).not.toContain(value)
  })

  it('say of a number what would be one, in our own words', () => {
    expect(problems({ DELIVERY_WAIT_MS: 'soon' })).toEqual([
      'DELIVERY_WAIT_MS: must be a whole number of milliseconds from 1 to 20000',
    ])
  })

  it.each([
    ['TRUST_PROXY', '1'],
    ['ALLOWED_ORIGINS', 'https://app.example, http://localhost:6274'],
    ['ALLOWED_HOSTS', 'mcp.example [::1] 10.0.0.1'],
    ['MCP_RESOURCE_URL', 'https://mcp.example/mcp/'],
  ])('take %s=%s', (name, value) => {
    expect(problems({ [name]: value })).toEqual([])
  })

  it('name everything that is wrong at once', () => {
    const found = problems({ MCP_PORT: '-1', EDGE_SECRET: 'short', TRUST_PROXY: '10', API_URL: 'api' })
    expect(found.map((problem) => problem.split(':')[0]).sort()).toEqual([
      'API_URL',
      'EDGE_SECRET',
      'MCP_PORT',
      'TRUST_PROXY',
    ])
  })
})
